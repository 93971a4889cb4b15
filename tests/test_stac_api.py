"""A STAC API as it runs elsewhere (stac-fastapi on pgstac) over a catalogue of the sample tiles, whose images
come from a web server: searched page by page, loaded, watched.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pystac
import pytest
from jobs import groundbreak
from odc.geo.geom import box
from postgres import Postgres
from pypgstac.db import PgstacDB
from pypgstac.load import Loader, Methods
from pypgstac.migrate import Migrate
from servers import faults_left, misbehave, served

from pipeline.area import read_area
from pipeline.config import load_site
from pipeline.errors import CatalogueError
from pipeline.grid import native_grid
from pipeline.scenes import band_names, describe, stac_io
from pipeline.scenes import search as search_module
from pipeline.scenes.search import search
from pipeline.scenes.wanted import Search
from pipeline.stages.load import Load

TILES = Path(__file__).parents[1] / "sample_tiles"
SITES = ("boukamal", "qaim_crossing")
DAYS = ("2019-08-20", "2019-09-09", "2019-09-21")
CLOUD = {"2019-08-20": 3.0, "2019-09-09": 0.0, "2019-09-21": 40.0}
WORLD = read_area([-180.0, -90.0, 180.0, 90.0])
AREA = box(679_190, 3_811_570, 679_330, 3_811_680, "EPSG:32637").to_crs("EPSG:4326")  # a guard house is built


def catalogue(images: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Collections (one a site) and Items of all sample tiles, their images at the address of a web server."""
    collections, items = [], []
    extent = pystac.Extent(
        pystac.SpatialExtent([[40.0, 34.0, 42.0, 35.0]]), pystac.TemporalExtent([[None, None]])
    )
    for site in SITES:
        collections.append(pystac.Collection(site, "Sample tiles, made", extent).to_dict())
        for day in DAYS:
            for item in describe(TILES / site / day):
                path = Path(item.assets["image"].href).relative_to(TILES.absolute())
                item.assets["image"].href = f"{images}/{path.as_posix()}"
                item.collection_id = site
                item.properties["eo:cloud_cover"] = CLOUD[day]
                items.append(item.to_dict())
    return collections, items


@pytest.fixture(scope="module")
def images() -> Iterator[str]:
    with served(sys.executable, str(Path(__file__).with_name("web_server.py")), str(TILES)) as address:
        yield address


@pytest.fixture(scope="module")
def api(postgres: Postgres, images: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the API."""
    url = postgres.new_database()
    collections, items = catalogue(images)
    with PgstacDB(dsn=url) as db:
        Migrate(db).run_migration()
        loader = Loader(db)
        for name, records in (("collections", collections), ("items", items)):
            file = tmp_path_factory.mktemp("catalogue") / f"{name}.ndjson"
            file.write_text("".join(json.dumps(record) + "\n" for record in records))
            getattr(loader, f"load_{name}")(str(file), Methods.insert)
    parts = urlsplit(url)
    environment = {
        "PGUSER": parts.username or "",
        "PGPASSWORD": parts.password or "",
        "PGHOST": parts.hostname or "",
        "PGPORT": str(parts.port),
        "PGDATABASE": parts.path[1:],
    }
    app = (
        "-m",
        "uvicorn",
        "stac_fastapi.pgstac.app:create_app",
        "--factory",
        "--host",
        "127.0.0.1",
        "--port",
    )
    with served(sys.executable, *app, environment=environment) as address:
        yield address


def test_all_pages_of_a_search(api: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_module, "PAGE", 5)
    found = search(Search(api), WORLD).items
    assert len({(item.collection_id, item.id) for item in found}) == len(found) == 24
    one = search(Search(api, ("boukamal",)), WORLD).items
    assert {item.collection_id for item in one} == {"boukamal"}
    assert len(one) == 12


def test_a_search_that_breaks_off_halfway_is_gone_on_with(api: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_module, "PAGE", 5)
    monkeypatch.setattr(stac_io, "BACK_OFF", 0.01)
    monkeypatch.setattr(stac_io, "TIMEOUT", (1.0, 1.0))
    with served(sys.executable, str(Path(__file__).with_name("faulty_proxy.py")), api) as proxy:
        misbehave(proxy, "/search", "half", "rubbish", "502", "empty", "stall", skip=2)
        assert len(search(Search(proxy), WORLD).items) == 24
        assert faults_left(proxy) == []
        misbehave(proxy, "/search", *["half"] * 100, skip=2)
        with pytest.raises(CatalogueError, match="cannot be searched"):
            search(Search(proxy), WORLD)


def test_conditions(api: str) -> None:
    def days(**given: object) -> list[str]:
        found = search(Search(api, ("boukamal",), **given), WORLD).items  # type: ignore[arg-type]
        return sorted({str(item.datetime)[:10] for item in found})

    assert days() == list(DAYS)
    assert days(start="2019-08-21") == list(DAYS[1:])
    assert days(start="2019-09-09", end="2019-09-09") == [DAYS[1]]
    assert days(query={"eo:cloud_cover": {"lte": 3}}) == list(DAYS[:2])
    assert days(query={"eo:cloud_cover": {"gt": 0, "lt": 10}}) == [DAYS[0]]
    assert days(query={"no:such": {"eq": 1}}) == []
    with pytest.raises(CatalogueError, match="cannot be searched"):
        search(Search(f"{api}/nowhere"), WORLD)


def test_only_what_touches_the_area(api: str) -> None:
    first = describe(TILES / "boukamal" / DAYS[0])[0]
    west, south, east, north = first.bbox or []
    inner = read_area([west + (east - west) / 4, north - (north - south) / 4, (west + east) / 2, north])
    found = search(Search(api, start=DAYS[0], end=DAYS[0]), inner).items
    assert [item.id for item in found] == [first.id]


def site_file(folder: Path, api: str) -> Path:
    text = f"""
    id: boukamal
    aoi: {list(AREA.boundingbox.bbox)}
    source:
      stac:
        url: {api}
        collections: boukamal
        start: 2019-09-01
        max_cloud_cover: 50
    detector: classic
    """
    path = folder / "site.yaml"
    path.write_text(text)
    return path


def test_the_same_pixels_as_from_the_files(api: str, tmp_path: Path) -> None:
    site = load_site(site_file(tmp_path, api))
    assert site.available_dates() == DAYS[1:]
    assert site.left_out() == ()
    remote = site.scenes(DAYS[1])
    tiles = {item.id for item in remote}
    local = [item for item in describe(TILES / "boukamal" / DAYS[1]) if item.id in tiles]
    bands = band_names(local)
    assert band_names(remote) == bands
    grid = native_grid(local, bands)
    assert native_grid(remote, bands) == grid
    part = grid[100:300, 20:250]
    there, here = (Load(bands)(items, part)["image"].values for items in (remote, local))
    np.testing.assert_array_equal(there, here)
    assert np.isfinite(here).any()


def test_watched_from_the_api(api: str, tmp_path: Path) -> None:
    site = site_file(tmp_path, api)
    told = groundbreak("check", site)
    assert told.exit_code == 0, told.output
    assert "100% covered, no cloud mask" in told.output
    out = tmp_path / "out"
    summary = json.loads(groundbreak("monitor", site, "--out", out, "--json", "--quiet").stdout)
    assert (summary["done"], summary["failed"], summary["refused"]) == (1, 0, 0)
    record = json.loads((out / "boukamal" / "2019-09-09_2019-09-21" / "run.json").read_text())
    assert record["before"]["inputs"][0]["href"].startswith("http://127.0.0.1")
    assert record["findings"]["count"] > 0
    again = json.loads(groundbreak("monitor", site, "--out", out, "--json", "--quiet").stdout)
    assert again["skipped"] == 1
