"""`init`: what it finds in folders as people have them, and that `check` accepts what it writes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from imagery import grid, noise, write
from PIL import Image
from pyproj import Geod
from shapely.geometry import box
from typer.testing import CliRunner, Result

from pipeline.cli import app
from pipeline.config import load_site

BOX = grid(60, 60)
DAYS = ("2019-08-20", "2019-09-09", "2019-09-21")


def groundbreak(*words: object, answers: str | None = None) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], input=answers)


def made(folder: Path, name: str, *, days: tuple[str, ...] = DAYS) -> Path:
    """An image of each day, its path `name` with {day} or {packed} (YYYYMMDD) in it."""
    for day in days:
        file = folder / name.format(day=day, packed=day.replace("-", ""))
        write(file, noise(BOX), BOX, names=["blue", "green", "red", "nir"])
    return folder


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        (["{day}/r0.tif", "{day}/r1.tif"], "tiles/{date}"),
        (["{day}.tif"], "tiles/{date}.tif"),
        (["yard_{packed}_a.tif", "yard_{packed}_b.tif"], "tiles/yard_{date}*.tif"),
        (["north/{packed}.tif", "south/{packed}.tif"], "tiles/*/{date}.tif"),
        (
            ["S2A_{packed}T081601/IMG_DATA/B02.tif", "S2A_{packed}T081601/IMG_DATA/B03.tif"],
            "tiles/S2A_{date}T081601",
        ),
        (["yard_{day}_r[0].tif"], "tiles/yard_{date}_r[[]0].tif"),
    ],
)
def test_folders_as_people_have_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: list[str], pattern: str
) -> None:
    for name in names:
        made(tmp_path / "tiles", name)
    monkeypatch.chdir(tmp_path)
    told = json.loads(groundbreak("init", "--images", "tiles", "--json").stdout)
    assert (told["source"], tuple(told["dates"])) == (pattern, DAYS)
    assert (told["id"], told["name"]) == ("tiles", "Tiles")
    site = load_site("site.yaml")
    assert site.available_dates() == DAYS
    assert groundbreak("check", "site.yaml").exit_code == 0


def test_days_that_only_the_metadata_know(tmp_path: Path) -> None:
    for name, day in (("a", "2019:09:09 08:00:00"), ("b", "2019:09:21 08:00:00")):
        write(tmp_path / "tiles" / f"{name}.tif", noise(BOX), BOX, tags={"TIFFTAG_DATETIME": day})
    path = tmp_path / "site.yaml"
    assert groundbreak("init", path, "--images", tmp_path / "tiles").exit_code == 0
    assert load_site(path).available_dates() == ("2019-09-09", "2019-09-21")
    assert groundbreak("check", path).exit_code == 0


def test_a_site_file_elsewhere_names_its_images_and_area_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path / "tiles", "{day}/a.tif")
    area = gpd.GeoSeries([box(*BOX[10:50, 10:50].extent.boundingbox.bbox)], crs=str(BOX.crs))
    area.to_crs(4326).to_file(tmp_path / "yard.kml", driver="KML")
    (tmp_path / "sites").mkdir()
    monkeypatch.chdir(tmp_path)
    told = groundbreak(
        "init", "sites/yard.yaml", "--images", "tiles", "--aoi", "yard.kml", "--name", "Großer Hof"
    )
    assert told.exit_code == 0, told.output
    site = load_site("sites/yard.yaml")
    assert (site.id, site.name) == ("groer-hof", "Großer Hof")
    assert (site.file.aoi, site.file.source[0].files) == ("../yard.kml", "../tiles/{date}")
    assert site.aoi is not None
    assert site.aoi.to_crs(str(BOX.crs)).area == pytest.approx(80 * 80, rel=1e-3)
    assert groundbreak("check", "sites/yard.yaml").exit_code == 0
    assert "60 x 60" not in groundbreak("check", "sites/yard.yaml").stdout


def test_the_common_ground_is_the_area(tmp_path: Path) -> None:
    for day, part in (("2019-09-09", BOX[:, :40]), ("2019-09-21", BOX[:, 20:])):
        write(tmp_path / "tiles" / day / "a.tif", noise(part), part)
    path = tmp_path / "site.yaml"
    assert groundbreak("init", path, "--images", tmp_path / "tiles").exit_code == 0
    aoi = load_site(path).aoi
    assert aoi is not None
    expected = BOX[:, 20:40].extent.to_crs("EPSG:4326").boundingbox.bbox
    assert aoi.boundingbox.bbox == pytest.approx(expected, abs=2e-6)


def test_a_box_around_a_point(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    words = ("--at", "34°24'44.28\"N 40°55'55.56\"E", "--radius", "2km", "--stac", "catalog.json")
    assert groundbreak("init", path, *words, "--collection", "s2", "--collection", "ls").exit_code == 0
    site = load_site(path)
    assert site.aoi is not None
    west, south, east, north = site.aoi.boundingbox.bbox
    geod = Geod(ellps="WGS84")
    for lon, lat in ((west, 34.4123), (east, 34.4123), (40.9321, south), (40.9321, north)):
        assert geod.inv(40.9321, 34.4123, lon, lat)[2] == pytest.approx(2000, abs=0.5)
    stac = site.file.source[0].stac
    assert stac is not None
    assert stac.collections == ("s2", "ls")


def test_plain_pictures_are_given_a_place(tmp_path: Path) -> None:
    for day in DAYS:
        values = np.random.default_rng(1).integers(0, 255, (64, 64, 3)).astype("uint8")
        Image.fromarray(values).save(tmp_path / f"{day}.jpg")
    path = tmp_path / "site.yaml"
    lost = groundbreak("init", path, "--images", tmp_path)
    assert (lost.exit_code, "--pixel-size" in lost.stderr, path.exists()) == (1, True, False)
    told = groundbreak("init", path, "--images", tmp_path, "--at", "34.4,40.9", "--pixel-size", "0.5")
    assert told.exit_code == 0, told.output
    assert groundbreak("check", path).exit_code == 0, groundbreak("check", path).output
    (item,) = load_site(path).scenes("2019-09-09")
    assert item.bbox is not None
    assert (item.bbox[0] + item.bbox[2]) / 2 == pytest.approx(40.9, abs=1e-5)


def test_what_is_not_given_is_asked_for_on_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path / "tiles", "{day}/a.tif")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys.modules["pipeline.cli.init"], "_on_terminal", lambda: True)
    told = groundbreak("init", answers="tiles\n34.43, 40.1\n500m\nThe yard\n\n")
    assert told.exit_code == 0, told.output
    assert "found: 3 dates, 2019-08-20 to 2019-09-21" in told.stdout
    site = load_site("site.yaml")
    assert (site.id, site.name) == ("the-yard", "The yard")
    assert site.aoi is not None
    assert site.aoi.boundingbox.bbox[1] < 34.43 < site.aoi.boundingbox.bbox[3]
    assert groundbreak("init", "b.yaml", answers="tiles\n\n\n\n").exit_code == 0
    assert load_site("b.yaml").id == "b"


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["--at", "34.4,40.9", "--aoi", "1,2,3,4"], 2, "give one of --aoi and --at"),
        (["--at", "91,40.9"], 2, "write them as"),
        (["--at", "34.4,40.9", "--radius", "2 miles"], 1, "as 500m or 2km"),
        (["--aoi", "no.geojson"], 1, "no.geojson: no such file"),
        (["--stac", "catalog.json"], 2, "go together"),
        (["--images", "nowhere"], 1, "nowhere: no such file or folder"),
        (["--images", "undated"], 1, "no day in the names or metadata"),
        (["--images", "x/{date}.tif"], 1, "no image matches"),
    ],
)
def test_what_cannot_be(
    words: list[str], status: int, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "undated" / "a.tif", noise(BOX, 1), BOX)
    monkeypatch.chdir(tmp_path)
    result = groundbreak("init", *words)
    assert (result.exit_code, result.stdout) == (status, "")
    assert told in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "site.yaml").exists()
