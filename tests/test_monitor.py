"""Many dates of a site, the comparison itself replaced by one whose findings are known."""

from __future__ import annotations

import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.features import rasterize
from shapely import affinity
from shapely.geometry import box

from pipeline.batch import monitor
from pipeline.errors import AlignmentRejectedError
from pipeline.fingerprint import fingerprint
from pipeline.job import Job
from pipeline.pairs import Outcome
from pipeline.places import Places
from pipeline.progress import Progress
from pipeline.run import Result
from pipeline.site_files import site_files
from pipeline.store import Store

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
    """Stands in for `run`: finds the house where it was built between two dates, refuses the date `bad`.

    `clouded` shows a tenth of the site. `shift`: metres east by which every image but the first is off.
    """

    def __init__(
        self, built: str = "2019-09-01", bad: str = "", clouded: str = "", shift: float = 0.0
    ) -> None:
        self.built, self.bad, self.clouded, self.shift = built, bad, clouded, shift
        self.pairs: list[str] = []

    def __call__(self, job: Job, progress: Progress) -> Result:
        name = job.out.name
        self.pairs.append(name)
        before, after = name.split("_")
        if self.bad in {before, after}:
            raise AlignmentRejectedError(f"{name}: too few tie points")
        there = affinity.translate(HOUSE, 0 if before == DAYS[0] else self.shift)
        found = [there] if before < self.built <= after else []
        columns = {"kind": "building", "direction": "new", "confidence": 0.99, "zone": None}
        frame = gpd.GeoDataFrame({"id": range(1, len(found) + 1), **columns}, geometry=found, crs=CRS)
        write_image(job.out / "before.tif")
        write_image(job.out / "after.tif")
        percent = rasterize(
            [(shape, 90) for shape in found] or [(HOUSE, 0)], (SIZE, SIZE), transform=GRID["transform"]
        )
        write_raster(job.out / "change.tif", percent[None].astype("uint8"), 255)
        shift = np.zeros((2, SIZE, SIZE), "float32")
        shift[0] = self.shift
        write_raster(job.out / "shift.tif", shift, np.nan)
        frame.to_parquet(job.out / "changes.parquet")
        seen = {
            key: 0.1 if day == self.clouded else 1.0 for key, day in (("before", before), ("after", after))
        }
        (job.out / "run.json").write_text(json.dumps({"fingerprint": fingerprint(job), "observed": seen}))
        return Result(job.out, frame, {})


def write_raster(path: Path, values: Any, nodata: float) -> None:
    with rasterio.open(
        path, "w", driver="GTiff", count=len(values), dtype=values.dtype, nodata=nodata, **GRID
    ) as target:
        target.write(values)


def watch(monkeypatch: pytest.MonkeyPatch, fake: FakeRun, out: Path, *sites: Path) -> list[Outcome]:
    fake.pairs.clear()
    monkeypatch.setattr("pipeline.run.run", fake)
    return list(monitor(sites, out, Progress()))


def timeline(out: Path) -> tuple[Any, str, str]:
    folder = out / "yard"
    files = ("timeline.geojson", "timeline.csv", "phases.csv")
    collection, *tables = ((folder / name).read_text() for name in files)
    return json.loads(collection), tables[0], tables[1]


DAYS = ("2019-08-20", "2019-09-09", "2019-09-21", "2019-10-03")
FIRST, SECOND, THIRD, LAST = DAYS
SINCE_FIRST = [f"{FIRST}_{day}" for day in DAYS[1:]]
ALL_PAIRS = [*SINCE_FIRST[:2], f"{SECOND}_{THIRD}", SINCE_FIRST[2], f"{THIRD}_{LAST}"]


def test_every_date_against_the_first_and_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = watch(monkeypatch, fake := FakeRun(), tmp_path / "out", write_site(tmp_path, *DAYS))
    assert fake.pairs == ALL_PAIRS
    assert [(o.status, o.findings) for o in outcomes] == [("done", n) for n in (1, 1, 0, 1, 0)]
    collection, table, phases = timeline(tmp_path / "out")
    (feature,) = collection["features"]
    assert feature["properties"] == {
        "id": "2019-09-09-01", "kind": "building", "status": "confirmed", "state": "started",
        "not_before": FIRST, "first_seen": SECOND, "last_seen": LAST, "confidence": 0.9794,
        "area_m2": 100.0, "zone": None,
    }  # fmt: skip
    lon, lat = feature["geometry"]["coordinates"][0][0]
    there = gpd.GeoSeries([HOUSE], crs=CRS).to_crs("OGC:CRS84").total_bounds
    assert there[0] - 1e-6 <= lon <= there[2] + 1e-6
    assert there[1] - 1e-6 <= lat <= there[3] + 1e-6
    assert table.splitlines() == [
        "id,date,observed,present,area_m2",
        "2019-09-09-01,2019-08-20,true,false,0.0",
        *(f"2019-09-09-01,{day},true,true,100.0" for day in DAYS[1:]),
    ]
    assert collection["phase"] == "active"
    assert phases.splitlines() == ["date,phase", f"{FIRST},no activity", *(f"{d},active" for d in DAYS[1:])]


def test_findings_of_an_image_that_is_off_lie_where_the_first_date_shows_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The house is found against the date before only where that date shows it: 4 m further east."""
    fake = FakeRun(built=THIRD, shift=4.0)
    watch(monkeypatch, fake, tmp_path / "out", write_site(tmp_path, *DAYS))
    collection, _, _ = timeline(tmp_path / "out")
    (feature,) = collection["features"]
    assert feature["properties"]["area_m2"] == 100.0
    assert feature["properties"]["state"] == "started"


def test_a_second_round_skips_and_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site, out = write_site(tmp_path, *DAYS), tmp_path / "out"
    watch(monkeypatch, fake := FakeRun(), out, site)
    first = {path: path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}
    outcomes = watch(monkeypatch, fake, out, site)
    assert (fake.pairs, {o.status for o in outcomes}) == ([], {"skipped"})
    assert {path: path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()} == first


def test_a_new_date_costs_itself_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site, out = write_site(tmp_path, *DAYS[:3]), tmp_path / "out"
    watch(monkeypatch, fake := FakeRun(), out, site)
    watch(monkeypatch, fake, out, write_site(tmp_path, LAST))
    assert fake.pairs == ALL_PAIRS[-2:]


def test_only_what_changes_a_result_is_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site, out = write_site(tmp_path, *DAYS[:3]), tmp_path / "out"
    watch(monkeypatch, fake := FakeRun(), out, site)
    write_site(tmp_path, extra="compute: {chunk_size: 256}\ntrack: {settled_days: 10}\n")
    watch(monkeypatch, fake, out, site)
    assert fake.pairs == []
    assert timeline(out)[0]["phase"] == "finished"
    write_image(tmp_path / "images" / THIRD / "tile.tif", np.full((SIZE, SIZE), 77, "uint16"))
    watch(monkeypatch, fake, out, site)
    assert fake.pairs == ALL_PAIRS[1:3]
    write_site(tmp_path, extra="flag: {min_area_m2: 40}\n")
    watch(monkeypatch, fake, out, site)
    assert len(fake.pairs) == 3
    (out / "yard" / ALL_PAIRS[0] / "run.json").unlink()
    watch(monkeypatch, fake, out, site)
    assert fake.pairs == ALL_PAIRS[:1]
    (out / "yard" / ALL_PAIRS[1] / "run.json").write_text('{"fingerprint": "of `run` with other settings"}')
    watch(monkeypatch, fake, out, site)
    assert fake.pairs == ALL_PAIRS[1:2]


def test_a_bad_date_is_passed_over_and_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, out = write_site(tmp_path, *DAYS), tmp_path / "out"
    outcomes = watch(monkeypatch, fake := FakeRun(bad=SECOND), out, site)
    assert [(o.status, o.before, o.after) for o in outcomes] == [
        ("refused", FIRST, SECOND), ("done", FIRST, THIRD), ("done", FIRST, LAST), ("done", THIRD, LAST),
    ]  # fmt: skip
    again = watch(monkeypatch, fake, out, site)
    assert [(o.status, o.reason) for o in again] == [
        (o.status.replace("done", "skipped"), o.reason) for o in outcomes
    ]
    assert fake.pairs == []
    assert timeline(out)[0]["features"][0]["properties"]["not_before"] == FIRST


def test_a_bad_first_date_does_not_spoil_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeRun(bad=FIRST, built=THIRD)
    outcomes = watch(monkeypatch, fake, tmp_path / "out", write_site(tmp_path, *DAYS))
    assert [o.status for o in outcomes] == ["refused"] * 3 + ["done"] * 3
    assert [(o.before, o.after) for o in outcomes[3:]] == [(SECOND, THIRD), (SECOND, LAST), (THIRD, LAST)]
    assert timeline(tmp_path / "out")[0]["features"][0]["properties"]["not_before"] == SECOND


def test_a_date_under_clouds_is_compared_but_nothing_is_compared_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = write_site(tmp_path, *DAYS)
    watch(monkeypatch, fake := FakeRun(clouded=SECOND), tmp_path / "second", site)
    assert fake.pairs == [*SINCE_FIRST, f"{THIRD}_{LAST}"]
    watch(monkeypatch, fake := FakeRun(clouded=FIRST), tmp_path / "first", site)
    assert fake.pairs == [SINCE_FIRST[0], f"{SECOND}_{THIRD}", f"{SECOND}_{LAST}", f"{THIRD}_{LAST}"]


@pytest.mark.parametrize(("order", "bad"), [((0, 2, 1, 3), ""), ((3, 1, 2, 0), ""), ((2, 3, 0, 1), SECOND)])
def test_dates_in_any_order_give_what_they_give_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: tuple[int, ...], bad: str
) -> None:
    fake = FakeRun(bad=bad)
    for count in range(2, 5):
        site = write_site(tmp_path / "late", *(DAYS[n] for n in order[:count]))
        watch(monkeypatch, fake, tmp_path / "late-out", site)
    watch(monkeypatch, fake, tmp_path / "order-out", write_site(tmp_path / "order", *DAYS))
    assert timeline(tmp_path / "late-out") == timeline(tmp_path / "order-out")
    stores = [Store.beside(tmp_path / name / "yard", "yard") for name in ("late-out", "order-out")]
    for pair in (name.split("_") for name in ALL_PAIRS):
        late, in_order = (store.known(pair[0], pair[1]) for store in stores)
        assert (late and replace(late, fingerprint="")) == (in_order and replace(in_order, fingerprint=""))


def test_a_withdrawn_date_takes_its_evidence_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watch(monkeypatch, fake := FakeRun(), tmp_path / "out", write_site(tmp_path, *DAYS))
    shutil.rmtree(tmp_path / "images" / SECOND)
    watch(monkeypatch, fake, tmp_path / "out", tmp_path / "yard.yaml")
    watch(monkeypatch, fake, tmp_path / "never", tmp_path / "yard.yaml")
    assert timeline(tmp_path / "out") == timeline(tmp_path / "never")
    assert Store.beside(tmp_path / "out" / "yard", "yard").known(FIRST, SECOND) is None


def test_postgis_and_the_embedded_store_give_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: str
) -> None:
    site = write_site(tmp_path, *DAYS)
    watch(monkeypatch, fake := FakeRun(clouded=THIRD), tmp_path / "embedded", site)
    monkeypatch.setenv("GROUNDBREAK_STORE", database)
    watch(monkeypatch, fake, tmp_path / "postgis", site)
    assert timeline(tmp_path / "embedded") == timeline(tmp_path / "postgis")
    assert not (tmp_path / "postgis" / "yard" / "timeline.sqlite").exists()
    watch(monkeypatch, fake, tmp_path / "postgis", site)
    assert fake.pairs == []


@pytest.mark.parametrize("postgis", [False, True])
def test_two_monitors_at_once_give_the_same_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, postgis: bool
) -> None:
    """On one folder, and from two machines with one database: the second says so and does nothing."""
    site = write_site(tmp_path, *DAYS)
    watch(monkeypatch, FakeRun(), tmp_path / "alone", site)
    if postgis:
        monkeypatch.setenv("GROUNDBREAK_STORE", request.getfixturevalue("database"))
    outs = [tmp_path / "one", tmp_path / ("two" if postgis else "one")]
    started, let_go = threading.Event(), threading.Event()

    def slow(job: Job, progress: Progress) -> Result:
        started.set()
        assert let_go.wait(60)
        return FakeRun()(job, progress)

    monkeypatch.setattr("pipeline.run.run", slow)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(lambda: list(monitor([site], outs[0], Progress())))
        assert started.wait(60)
        (second,) = monitor([site], outs[1], Progress())
        let_go.set()
    assert second.status == "failed"
    assert "another" in str(second.reason)
    assert {outcome.status for outcome in first.result()} == {"done"}
    assert timeline(outs[0]) == timeline(tmp_path / "alone")
    watch(monkeypatch, FakeRun(), outs[1], site)
    assert timeline(outs[1]) == timeline(tmp_path / "alone")


def test_a_date_that_cannot_be_read_just_now_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, out = write_site(tmp_path, *DAYS), tmp_path / "out"
    watch(monkeypatch, fake := FakeRun(), out, site)
    before = timeline(out)
    (tmp_path / "images" / THIRD / "tile.tif").write_bytes(b"half a file")
    outcomes = watch(monkeypatch, fake, out, site)
    assert [o.status for o in outcomes if THIRD in {o.before, o.after}] == ["failed"] * 3
    assert timeline(out) == before


def test_a_site_of_which_nothing_could_be_read_yet_has_no_timeline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, out = write_site(tmp_path, *DAYS[:2]), tmp_path / "out"
    whole = (image := tmp_path / "images" / SECOND / "tile.tif").read_bytes()
    image.write_bytes(b"half a file")
    outcomes = watch(monkeypatch, fake := FakeRun(), out, site)
    assert [one.status for one in outcomes] == ["failed"]
    assert not (out / "yard" / "timeline.geojson").exists()
    image.write_bytes(whole)
    assert [one.status for one in watch(monkeypatch, fake, out, site)] == ["done"]
    found = timeline(out)
    watch(monkeypatch, fake, tmp_path / "calm", site)
    assert found == timeline(tmp_path / "calm")


def test_failures_are_collected_and_the_rest_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = write_site(tmp_path, *DAYS[:2])
    (tmp_path / "broken.yaml").write_text("id: broken\nsauce: {}\n")
    (tmp_path / "twin.yaml").write_text(good.read_text())
    (tmp_path / "zero.yaml").write_text("id: zero\nsource:\n  files: nothing/{date}/*.tif\n")

    def fails(job: Job, progress: Progress) -> Result:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("pipeline.run.run", fails)
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
    known = Places(gpd.GeoSeries(places, crs=CRS))
    assert list(known.observed_share(image)) == [1.0, 0.5, 0.25, 0.0]
    elsewhere = tmp_path / "elsewhere.tif"
    with rasterio.open(image) as source:
        profile, pixels = source.profile, source.read()
    profile["transform"] @= Affine.translation(-12, 0)
    with rasterio.open(elsewhere, "w", **profile) as moved:
        moved.write(pixels)
    assert list(known.observed_share(elsewhere)) == [0.25, 0.0, 1.0, 0.0], (
        "another grid has other pixels there"
    )
    assert list(known.observed_share(image)) == [1.0, 0.5, 0.25, 0.0]
    in_degrees = Places(gpd.GeoSeries(places[:1], crs=CRS).to_crs("EPSG:4326")).observed_share(image)
    assert list(in_degrees) == [1.0]
    assert len(Places(gpd.GeoSeries([], crs=CRS)).observed_share(image)) == 0
