"""Many dates of a site, the comparison itself replaced by one whose findings are known."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from affine import Affine
from shapely.geometry import box

from pipeline import watch as watch_module
from pipeline.errors import AlignmentRejectedError
from pipeline.job import Job
from pipeline.monitor import monitor, site_files
from pipeline.progress import Progress
from pipeline.run import Result
from pipeline.timeline import observed_share
from pipeline.watch import Outcome

CRS, WEST, NORTH, SIZE = "EPSG:32637", 600_000.0, 3_800_000.0, 40
GRID = {"crs": CRS, "transform": Affine(1, 0, WEST, 0, -1, NORTH), "height": SIZE, "width": SIZE}
HOUSE = box(WEST + 10, NORTH - 20, WEST + 20, NORTH - 10)


def write_image(path: Path, values: Any = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    counts = np.full((SIZE, SIZE), 1000, "uint16") if values is None else values
    with rasterio.open(path, "w", driver="GTiff", count=1, dtype="uint16", nodata=0, **GRID) as target:
        target.write(counts, 1)
        target.descriptions = ("pan",)
    return path


def write_site(folder: Path, *dates: str, extra: str = "") -> Path:
    for date in dates:
        write_image(folder / "images" / date / "tile.tif", np.full((SIZE, SIZE), int(date[-2:]), "uint16"))
    site = folder / "yard.yaml"
    site.write_text(f"id: yard\nsource:\n  files: images/{{date}}/*.tif\n{extra}")
    return site


class FakeRun:
    """Stands in for `run`: finds the house in the pair that spans `built`, refuses the date `bad`."""

    def __init__(self, built: str = "2019-09-01", bad: str = "") -> None:
        self.built, self.bad = built, bad
        self.pairs: list[str] = []

    def __call__(self, job: Job, progress: Progress) -> Result:
        name = job.out.name
        self.pairs.append(name)
        before, after = name.split("_")
        if self.bad in {before, after}:
            raise AlignmentRejectedError(f"{name}: too few tie points")
        found = [HOUSE] if before < self.built <= after else []
        columns = {"kind": "building", "direction": "new", "confidence": 0.9, "zone": None}
        frame = gpd.GeoDataFrame({"id": range(1, len(found) + 1), **columns}, geometry=found, crs=CRS)
        write_image(job.out / "before.tif")
        write_image(job.out / "after.tif")
        frame.to_parquet(job.out / "changes.parquet")
        (job.out / "run.json").write_text("{}")
        return Result(job.out, frame, {})


def watch(monkeypatch: pytest.MonkeyPatch, fake: FakeRun, out: Path, *sites: Path) -> list[Outcome]:
    fake.pairs.clear()
    monkeypatch.setattr(watch_module, "run", fake)
    return list(monitor(sites, out, Progress()))


def timeline(out: Path) -> tuple[Any, str]:
    folder = out / "yard"
    return json.loads((folder / "timeline.geojson").read_text()), (folder / "timeline.csv").read_text()


DAYS = ("2019-08-20", "2019-09-09", "2019-09-21")


def test_all_successive_pairs_and_the_timeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = watch(monkeypatch, fake := FakeRun(), tmp_path / "out", write_site(tmp_path, *DAYS))
    assert fake.pairs == ["2019-08-20_2019-09-09", "2019-09-09_2019-09-21"]
    assert [(o.status, o.findings) for o in outcomes] == [("done", 1), ("done", 0)]
    collection, table = timeline(tmp_path / "out")
    (feature,) = collection["features"]
    assert feature["properties"] == {
        "id": 1, "kind": "building", "status": "confirmed", "state": "started", "not_before": "2019-08-20",
        "first_seen": "2019-09-09", "last_seen": "2019-09-21", "confidence": 0.9, "area_m2": 100.0,
        "zone": None,
    }  # fmt: skip
    lon, lat = feature["geometry"]["coordinates"][0][0]
    there = gpd.GeoSeries([HOUSE], crs=CRS).to_crs("OGC:CRS84").total_bounds
    assert there[0] - 1e-6 <= lon <= there[2] + 1e-6
    assert there[1] - 1e-6 <= lat <= there[3] + 1e-6
    assert table.splitlines() == [
        "id,date,observed,present,area_m2",
        "1,2019-08-20,true,false,0.0",
        "1,2019-09-09,true,true,100.0",
        "1,2019-09-21,true,true,100.0",
    ]


def test_a_second_round_skips_and_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site, out = write_site(tmp_path, *DAYS), tmp_path / "out"
    watch(monkeypatch, fake := FakeRun(), out, site)
    first = {path: path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}
    outcomes = watch(monkeypatch, fake, out, site)
    assert (fake.pairs, [o.status for o in outcomes]) == ([], ["skipped", "skipped"])
    assert {path: path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()} == first


def test_only_what_changes_a_result_is_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site, out = write_site(tmp_path, *DAYS), tmp_path / "out"
    watch(monkeypatch, fake := FakeRun(), out, site)
    write_site(tmp_path, extra="compute: {chunk_size: 256}\n")
    watch(monkeypatch, fake, out, site)
    assert fake.pairs == []
    write_image(tmp_path / "images" / DAYS[2] / "tile.tif", np.full((SIZE, SIZE), 77, "uint16"))
    watch(monkeypatch, fake, out, site)
    assert fake.pairs == ["2019-09-09_2019-09-21"]
    write_site(tmp_path, extra="flag: {min_area_m2: 40}\n")
    watch(monkeypatch, fake, out, site)
    assert len(fake.pairs) == 2
    (out / "yard" / "2019-08-20_2019-09-09" / "run.json").unlink()
    watch(monkeypatch, fake, out, site)
    assert fake.pairs == ["2019-08-20_2019-09-09"]


def test_a_bad_date_is_passed_over_and_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, out = write_site(tmp_path, *DAYS), tmp_path / "out"
    outcomes = watch(monkeypatch, fake := FakeRun(bad=DAYS[1]), out, site)
    assert [(o.status, o.after) for o in outcomes] == [("refused", DAYS[1]), ("done", DAYS[2])]
    assert fake.pairs[-1] == "2019-08-20_2019-09-21"
    again = watch(monkeypatch, fake, out, site)
    assert [(o.status, o.reason) for o in again] == [
        (o.status.replace("done", "skipped"), o.reason) for o in outcomes
    ]
    assert fake.pairs == []


def test_a_bad_first_date_does_not_spoil_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = watch(monkeypatch, FakeRun(bad=DAYS[0]), tmp_path / "out", write_site(tmp_path, *DAYS))
    assert [o.status for o in outcomes] == ["refused", "refused", "done"]
    assert (outcomes[-1].before, outcomes[-1].after) == DAYS[1:]


def test_a_late_date_gives_what_it_would_have_given_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late, order = tmp_path / "late", tmp_path / "order"
    watch(monkeypatch, fake := FakeRun(), tmp_path / "late-out", write_site(late, DAYS[0], DAYS[2]))
    assert fake.pairs == ["2019-08-20_2019-09-21"]
    watch(monkeypatch, fake, tmp_path / "late-out", write_site(late, DAYS[1]))
    watch(monkeypatch, fake, tmp_path / "order-out", write_site(order, *DAYS))
    assert timeline(tmp_path / "late-out") == timeline(tmp_path / "order-out")


def test_failures_are_collected_and_the_rest_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = write_site(tmp_path, *DAYS[:2])
    (tmp_path / "broken.yaml").write_text("id: broken\nsauce: {}\n")
    (tmp_path / "twin.yaml").write_text(good.read_text())
    (tmp_path / "zero.yaml").write_text("id: zero\nsource:\n  files: nothing/{date}/*.tif\n")

    def fails(job: Job, progress: Progress) -> Result:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(watch_module, "run", fails)
    outcomes = list(monitor([tmp_path], tmp_path / "out", Progress()))
    assert [(o.site, o.status) for o in outcomes] == [
        (site, "failed") for site in ("broken", "yard", "yard", "zero")
    ]
    broken, second, twin, zero = (str(o.reason) for o in outcomes)  # first what needs no image to be told
    assert "sauce" in broken
    ours = "this is a bug in Groundbreak: ZeroDivisionError: oh; run again with --verbose for the traceback"
    assert twin == ours
    assert "is taken by" in second
    assert "two dates" in zero


def test_site_files_of_a_folder_in_order_and_once(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yml", "notes.txt"):
        (tmp_path / name).touch()
    assert [p.name for p in site_files([tmp_path, tmp_path / "b.yaml"])] == ["a.yml", "b.yaml"]


def test_observed_share_counts_clear_pixels_and_nothing_outside(tmp_path: Path) -> None:
    counts = np.full((SIZE, SIZE), 500, "uint16")
    counts[:, 15:] = 0
    image = write_image(tmp_path / "after.tif", counts)
    places = [
        box(WEST + 2.2, NORTH - 5.8, WEST + 5.8, NORTH - 2.2),
        box(WEST + 13.2, NORTH - 5.8, WEST + 16.8, NORTH - 2.2),
        box(WEST - 2.8, NORTH - 5.8, WEST + 0.8, NORTH - 2.2),
        box(WEST - 90, NORTH - 5, WEST - 80, NORTH),
    ]
    shares = observed_share(image, gpd.GeoSeries(places, crs=CRS))
    assert list(shares) == [1.0, 0.5, 0.25, 0.0]
    in_degrees = observed_share(image, gpd.GeoSeries(places[:1], crs=CRS).to_crs("EPSG:4326"))
    assert list(in_degrees) == [1.0]
    assert len(observed_share(image, gpd.GeoSeries([], crs=CRS))) == 0


def test_the_store_keeps_what_it_is_given(tmp_path: Path) -> None:
    store = watch_module.Store(tmp_path / "s.sqlite")
    columns = {
        "kind": ["road", "other"],
        "direction": "new",
        "confidence": [0.7, 0.6],
        "zone": [None, "gate"],
    }
    frame = gpd.GeoDataFrame({"id": [2, 1], **columns}, geometry=[HOUSE, HOUSE.buffer(3)], crs=CRS)
    assert store.known(*DAYS[:2]) is None
    for _ in range(2):
        store.compared(*DAYS[:2], "mark", frame)
    back = store.comparison(*DAYS[:2]).findings
    assert list(back["id"]) == [1, 2]
    assert pd.isna(back["zone"][1])
    assert back.geometry[1].equals(HOUSE)
    assert back.crs.to_epsg() == 32637
    store.refused(*DAYS[:2], "other mark", "clouds")
    known = store.known(*DAYS[:2])
    assert known is not None
    assert (known.fingerprint, known.refused) == ("other mark", "clouds")
    with pytest.raises(KeyError):
        store.comparison(*DAYS[:2])


def test_two_writers_at_once_do_not_mix_their_rows(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    columns = {"kind": "road", "direction": "new", "confidence": 0.7, "zone": None}

    def write(mark: int) -> None:
        store = watch_module.Store(path)
        frame = gpd.GeoDataFrame(
            {"id": range(1, mark + 2), **columns}, geometry=[HOUSE] * (mark + 1), crs=CRS
        )
        for _ in range(10):
            store.compared(*DAYS[:2], str(mark), frame)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    store = watch_module.Store(path)
    known = store.known(*DAYS[:2])
    assert known is not None
    assert len(store.comparison(*DAYS[:2]).findings) == int(known.fingerprint) + 1
