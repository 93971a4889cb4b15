"""The whole job on one made pair: what is found, what is left behind, and what must make no difference."""

from __future__ import annotations

import hashlib
import shutil
import socket
from pathlib import Path
from typing import Any, NoReturn

import geopandas as gpd
import numpy as np
import onnx_models
import pyogrio
import pystac
import pytest
import rasterio
import rasterio.features
import shapely
from dask.callbacks import Callback
from jobs import (
    FILES,
    RASTERS,
    checksums,
    compare,
    findings,
    groundbreak,
    physical,
    read,
    run_json,
    share_found,
)
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.enums import ColorInterp
from rasterio.merge import merge
from rasterio.warp import Resampling, calculate_default_transform, reproject
from rio_cogeo.cogeo import cog_validate

from pipeline.config import Settings
from pipeline.job import Job, load
from pipeline.progress import Progress
from pipeline.run import run
from pipeline.scenes import describe

PIXEL = 0.5


def truth_of(made: Path) -> gpd.GeoDataFrame:
    return gpd.read_file(made / "truth.geojson").to_crs("EPSG:32637")


def delivered(folder: Path) -> tuple[NDArray[Any], Any]:
    """The tiles of one date as one array of counts, and its transform."""
    counts, transform = merge(sorted(folder.glob("*.tif")))
    return counts, transform


def write_like(path: Path, tile: Path, counts: NDArray[Any], transform: Any, **changes: Any) -> Path:
    """One raster with the profile, band names, scales and tags of `tile`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(tile) as like:
        profile = like.profile | {"height": counts.shape[1], "width": counts.shape[2]}
        with rasterio.open(path, "w", **profile | {"transform": transform} | changes) as file:
            file.write(counts)
            file.descriptions, file.scales, file.offsets = like.descriptions, like.scales, like.offsets
            file.update_tags(**like.tags())
    return path


# What is found


@pytest.fixture(scope="module")
def by_evidence(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same pair by the detector that has learned nothing, and so stays as it is when others learn."""
    out = tmp_path_factory.mktemp("classic") / "result"
    return compare(made / "before", made / "after", out, "--detector", "classic")


def test_what_was_built_is_found_whatever_looks_for_it(made: Path, compared: Path, by_evidence: Path) -> None:
    truth = truth_of(made)
    houses = truth[truth["kind"] == "building"]
    assert min(share_found(houses, findings(compared))) > 0.8
    assert min(share_found(truth, findings(by_evidence))) > 0.8


def test_findings_lie_where_something_was_built(made: Path, compared: Path) -> None:
    truth, found = truth_of(made), findings(compared)
    assert set(truth["direction"]) == {"new"}
    assert len(truth) == 3
    near = truth.union_all().buffer(5)
    assert sum(not shape.intersects(near) for shape in found.geometry) <= 1
    touching = found[[bool(truth.intersects(shape).any()) for shape in found.geometry]]
    assert set(touching["direction"]) == {"new"}


def test_findings_are_ordered_and_sized_as_their_outlines(compared: Path) -> None:
    found = findings(compared)
    assert found["id"].tolist() == list(range(1, len(found) + 1))
    assert found["confidence"].is_monotonic_decreasing
    assert found["confidence"].between(0.5, 1).all()
    assert found.geometry.is_valid.all()
    np.testing.assert_allclose(found["area_m2"], found.area, rtol=0.1)
    assert (found["length_m"] >= found["width_m"]).all()
    assert found["zone"].isna().all()


def test_change_is_high_where_built_and_low_elsewhere(made: Path, compared: Path) -> None:
    truth, change = truth_of(made), read(compared / "change.tif")[0]
    with rasterio.open(compared / "change.tif") as file:
        inside = rasterio.features.rasterize(truth.geometry, change.shape, transform=file.transform) > 0
        around = rasterio.features.rasterize(truth.buffer(5), change.shape, transform=file.transform) > 0
    seen = change != 255
    assert np.median(change[inside & seen]) > 50
    assert np.mean(change[~around & seen] > 50) < 0.02
    assert change[seen].max() <= 100


def test_shift_is_the_true_one(made: Path, compared: Path) -> None:
    true, told = read(made / "shift_truth.tif"), read(compared / "shift.tif")
    assert true.shape == told.shape
    assert true[0].mean() > 1  # two pixels east and one and a half south, in metres
    assert true[1].mean() < -0.7
    off = np.abs(told - true) / PIXEL
    assert np.nanmedian(off[0]) < 0.2
    assert np.nanmedian(off[1]) < 0.2
    told_of = run_json(compared)["alignment"]
    assert told_of["status"] == "ok"
    assert told_of["residual_px"] < 0.2
    assert told_of["residual_before_px"] > 2
    np.testing.assert_allclose(told_of["shift_m"], np.nanmedian(told, axis=(1, 2)), atol=0.1)


def test_after_is_nearer_to_before_than_it_was_delivered(made: Path, compared: Path) -> None:
    before, after = physical(compared / "before.tif"), physical(compared / "after.tif")
    raw = delivered(made / "after")[0] * np.float32(1e-4)
    aligned, as_delivered = np.nanmedian(np.abs(after - before)), np.nanmedian(np.abs(raw - before))
    assert aligned < 0.5 * as_delivered


# What is left behind


def test_a_result_is_the_files_of_the_contract(compared: Path) -> None:
    assert {path.name for path in compared.iterdir()} == FILES
    assert all(path.stat().st_size > 0 for path in compared.iterdir())


@pytest.mark.parametrize("name", RASTERS)
def test_rasters_are_valid_cogs_on_one_grid(name: str, made: Path, compared: Path) -> None:
    valid, errors, warnings = cog_validate(str(compared / f"{name}.tif"), strict=True, quiet=True)
    assert (valid, errors, warnings) == (True, [], [])
    with rasterio.open(compared / f"{name}.tif") as file, rasterio.open(made / "shift_truth.tif") as true:
        assert (file.crs, file.transform, file.shape) == (true.crs, true.transform, true.shape)
        assert file.tags()["GROUNDBREAK_MADE"] == "YES"


@pytest.mark.parametrize(
    ("name", "dtype", "nodata", "scale", "bands"),
    [
        ("change", "uint8", 255, 1.0, ("change",)),
        ("before", "uint16", 0, 1e-4, ("blue", "green", "red", "nir")),
        ("after", "uint16", 0, 1e-4, ("blue", "green", "red", "nir")),
        ("shift", "float32", np.nan, 1.0, ("dx", "dy")),
    ],
)
def test_rasters_say_what_they_hold(
    name: str, dtype: str, nodata: float, scale: float, bands: tuple[str, ...], compared: Path
) -> None:
    with rasterio.open(compared / f"{name}.tif") as file:
        assert file.dtypes == (dtype,) * len(bands)
        assert file.descriptions == bands
        shown = {"blue": ColorInterp.blue, "green": ColorInterp.green, "red": ColorInterp.red}
        assert [seen for band, seen in zip(bands, file.colorinterp, strict=True) if band in shown] == [
            shown[band] for band in bands if band in shown
        ]
        assert file.scales == (scale,) * len(bands)
        assert file.offsets == (0.0,) * len(bands)
        np.testing.assert_equal(file.nodata, nodata)


def test_before_is_what_was_delivered_to_the_count(made: Path, compared: Path) -> None:
    counts, transform = delivered(made / "before")
    with rasterio.open(compared / "before.tif") as file:
        assert file.transform == transform
        np.testing.assert_array_equal(file.read(), counts)


def test_geojson_lies_where_the_findings_do(made: Path, compared: Path) -> None:
    path, grid_crs = compared / "changes.geojson", findings(compared)
    for opened in (gpd.read_file(path), pyogrio.read_dataframe(path)):
        assert opened.crs.to_epsg() == 4326
        west, south, east, north = opened.total_bounds
        assert 40.9 < west < east < 41.0  # made pairs lie in the Euphrates valley
        assert 34.3 < south < north < 34.5
        off = opened.to_crs(grid_crs.crs).geometry.symmetric_difference(grid_crs.geometry, align=False).area
        assert (off < 0.01 * grid_crs.area).all()
        for column in ("id", "kind", "direction", "confidence", "area_m2", "length_m", "width_m", "zone"):
            assert opened[column].fillna("").tolist() == grid_crs[column].fillna("").tolist()
    truth = truth_of(made)
    assert min(share_found(truth[truth["kind"] == "building"], gpd.read_file(path))) > 0.8


def test_item_is_valid_without_a_network(compared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    item = pystac.Item.from_file(str(compared / "item.json"))
    assert item.validate() is not None
    assets = {Path(asset.href).name for asset in item.assets.values()}
    assert assets == FILES - {"item.json"}
    seen = gpd.read_file(compared / "changes.geojson").total_bounds
    west, south, east, north = item.bbox or []
    assert west <= seen[0] < seen[2] <= east
    assert south <= seen[1] < seen[3] <= north


def test_run_json_is_complete_and_true(made: Path, compared: Path) -> None:
    told, found = run_json(compared), findings(compared)
    assert {
        "groundbreak", "site", "before", "after", "made", "grid", "settings", "alignment", "screen",
        "radiometry", "observed", "detector", "findings", "stages", "versions", "created",
    } <= told.keys()  # fmt: skip
    assert told["made"] is True
    for date in ("before", "after"):
        tiles = sorted((made / date).glob("*.tif"))
        assert [Path(one["href"]).name for one in told[date]["inputs"]] == [tile.name for tile in tiles]
        assert [one["sha256"] for one in told[date]["inputs"]] == [
            hashlib.sha256(tile.read_bytes()).hexdigest() for tile in tiles
        ]
        assert [one["bytes"] for one in told[date]["inputs"]] == [tile.stat().st_size for tile in tiles]
    with rasterio.open(compared / "before.tif") as file:
        assert told["grid"]["shape"] == list(file.shape)
        assert told["grid"]["transform"] == list(file.transform)[:6]
        assert rasterio.CRS.from_user_input(told["grid"]["crs"]) == file.crs
    assert told["grid"]["resolution_m"] == PIXEL
    assert told["findings"]["count"] == len(found)
    assert told["findings"]["by_kind"] == found["kind"].value_counts().to_dict()
    assert told["findings"]["by_direction"] == found["direction"].value_counts().to_dict()
    assert told["findings"]["area_m2"] == pytest.approx(found["area_m2"].sum(), abs=0.1)
    after_seen = float(np.mean(read(compared / "after.tif")[0] != 0))
    assert told["observed"] == pytest.approx(
        {"before": 1.0, "after": after_seen, "both": after_seen}, abs=1e-6
    )
    assert set(told["radiometry"]["bands"]) == {"blue", "green", "red", "nir"}
    assert list(told["stages"]) == [
        "load", "align", "screen", "normalize", "detect", "flag", "report",
    ]  # fmt: skip
    assert all(cost["seconds"] >= 0 and cost["peak_mb"] > 0 for cost in told["stages"].values())


# What makes no difference


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(("--chunk-size", "64"), id="small blocks"),
        pytest.param(("--chunk-size", "100"), id="blocks that do not divide the image"),
        pytest.param(("--chunk-size", "256", "--workers", "1"), id="a process"),
        pytest.param(("--chunk-size", "128", "--workers", "2"), id="two processes"),
    ],
)
def test_blocks_and_workers_change_no_byte(
    options: tuple[str, ...], made: Path, compared: Path, tmp_path: Path
) -> None:
    result = compare(made / "before", made / "after", tmp_path / "result", *options)
    names = (
        "changes.geojson",
        "changes.parquet",
        "changes.kml",
        "overview.png",
        *(f"{name}.tif" for name in RASTERS),
    )
    assert checksums(result, names) == checksums(compared, names)


def test_names_and_cut_of_tiles_change_nothing(made: Path, compared: Path, tmp_path: Path) -> None:
    tile = next((made / "before").glob("*.tif"))
    write_like(tmp_path / "before" / "whole.tif", tile, *delivered(made / "before"))
    for number, tile in enumerate(sorted((made / "after").glob("*.tif"), reverse=True)):
        shutil.copy(tile, tmp_path / f"{number}_after.tif")
    result = compare(tmp_path / "before", tmp_path / "*_after.tif", tmp_path / "result")
    assert checksums(result) == checksums(compared)


@pytest.fixture(scope="module")
def by_model(made: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A user's model of eight channels, and what comes of it in one block."""
    folder = tmp_path_factory.mktemp("model")
    metadata = {"tile": 64, "overlap": 32, "bias": [2.0] + [0.0] * 7, "card": {"date": "2026-01-01"}}
    model = onnx_models.convolution(folder / "m.onnx", metadata=metadata)
    return model, compare(made / "before", made / "after", folder / "result", "--detector", f"onnx:{model}")


def test_a_users_model_is_what_is_asked(by_model: tuple[Path, Path], compared: Path) -> None:
    model, result = by_model
    told = run_json(result)["detector"]
    (asked,) = told["models"]
    assert (told["name"], asked["file"]) == ("onnx", str(model))
    assert asked["sha256"] == hashlib.sha256(model.read_bytes()).hexdigest()
    assert asked["card"] == {"date": "2026-01-01"}
    assert checksums(result, ("change.tif",)) != checksums(compared, ("change.tif",))
    assert checksums(result, ("before.tif", "after.tif")) == checksums(compared, ("before.tif", "after.tif"))


def test_a_model_that_is_not_there_is_said_at_once(made: Path, tmp_path: Path) -> None:
    detector = f"onnx:{tmp_path}/none.onnx"
    told = groundbreak(
        "compare", made / "before", made / "after", "--out", tmp_path / "r", "--detector", detector
    )
    assert told.exit_code == 1
    (line,) = [line for line in told.stderr.splitlines() if "error" in line]
    assert "none.onnx: there is no such model" in line
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize("options", [("--chunk-size", "100"), ("--chunk-size", "64", "--workers", "2")])
def test_blocks_and_workers_change_no_byte_of_a_models_result(
    options: tuple[str, ...], made: Path, by_model: tuple[Path, Path], tmp_path: Path
) -> None:
    model, result = by_model
    detector = ("--detector", f"onnx:{model}")
    again = compare(made / "before", made / "after", tmp_path / "result", *detector, *options)
    assert checksums(again) == checksums(result)


# Other pairs


@pytest.fixture(scope="module")
def turned(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same images with the dates exchanged, by the detector that has learned nothing."""
    out = tmp_path_factory.mktemp("turned") / "result"
    dates = ("--before-date", "2019-09-09", "--after-date", "2019-09-21")
    return compare(made / "after", made / "before", out, *dates, "--detector", "classic")


def truth_in_the_after_image(made: Path) -> gpd.GeoDataFrame:
    shift = read(made / "shift_truth.tif").mean(axis=(1, 2))
    truth = truth_of(made)
    return truth.set_geometry(truth.translate(*shift))


def test_the_other_way_round_the_shift_is_turned(turned: Path, made: Path) -> None:
    shift, true = read(turned / "shift.tif"), read(made / "shift_truth.tif")
    there_and_back = np.nanmedian(shift, axis=(1, 2)) + np.median(true, axis=(1, 2))
    assert np.abs(there_and_back).max() < 0.2 * PIXEL
    told = run_json(turned)
    assert (told["before"]["date"], told["after"]["date"]) == ("2019-09-09", "2019-09-21")


def test_the_other_way_round_nothing_is_new(turned: Path, made: Path) -> None:
    truth, found = truth_in_the_after_image(made), findings(turned)
    assert max(share_found(truth, found[found["direction"] == "new"])) < 0.2
    change = read(turned / "change.tif")[0]
    with rasterio.open(turned / "change.tif") as file:
        inside = rasterio.features.rasterize(truth.geometry, change.shape, transform=file.transform) > 0
    assert np.median(change[inside & (change != 255)]) < 50  # it is the probability of *new* construction


def test_the_other_way_round_new_is_removed(turned: Path, made: Path) -> None:
    truth, found = truth_in_the_after_image(made), findings(turned)
    assert min(share_found(truth, found[found["direction"] == "removed"])) > 0.8


@pytest.fixture(scope="module")
def gaps(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same pair where the after image lacks a corner, and a cloud hides part of the before image."""
    folder = tmp_path_factory.mktemp("gaps")
    counts, transform = delivered(made / "after")
    counts[:, 156:, 176:] = 0
    tile = next((made / "after").glob("*.tif"))
    after = write_like(folder / "after.tif", tile, counts, transform)
    clouds = np.zeros((1, 256, 256), np.uint8)
    clouds[0, :60, 40:120] = 1
    with rasterio.open(made / "shift_truth.tif") as like:
        where = {"crs": like.crs, "transform": like.transform, "width": 256, "height": 256}
    with rasterio.open(folder / "clouds.tif", "w", driver="GTiff", count=1, dtype="uint8", **where) as mask:
        mask.write(clouds)
    return compare(made / "before", after, folder / "result", "--before-mask", folder / "clouds.tif")


def test_what_was_not_observed_stays_so_in_every_output(gaps: Path) -> None:
    before, after = read(gaps / "before.tif"), read(gaps / "after.tif")
    change, shift = read(gaps / "change.tif")[0], read(gaps / "shift.tif")
    clouded = np.zeros((256, 256), bool)
    clouded[:60, 40:120] = True
    np.testing.assert_array_equal((before == 0).all(axis=0), clouded)
    np.testing.assert_array_equal((before == 0).any(axis=0), clouded)
    lacking = (after == 0).any(axis=0)
    np.testing.assert_array_equal(lacking, (after == 0).all(axis=0))
    np.testing.assert_array_equal(change == 255, clouded | lacking)
    corner = np.zeros(
        (256, 256), bool
    )  # the after image is seen 2.3 px too far east and 1.6 px too far south
    corner[156 - 2 + 3 :, 176 - 2 + 3 :] = True
    assert lacking[corner].all()
    corner[156 - 2 - 5 :, 176 - 2 - 6 :] = True
    edge = np.ones((256, 256), bool)
    edge[4:-5, 4:-6] = False
    assert not lacking[~corner & ~edge].any()
    assert np.isfinite(shift[:, ~clouded & ~lacking]).all()
    told = run_json(gaps)["observed"]
    assert told["before"] == pytest.approx(1 - clouded.mean(), abs=1e-6)
    assert told["after"] == pytest.approx(1 - lacking.mean(), abs=1e-6)
    assert told["both"] == pytest.approx(1 - (clouded | lacking).mean(), abs=1e-6)


def test_no_finding_on_what_was_not_observed(gaps: Path) -> None:
    with rasterio.open(gaps / "change.tif") as file:
        unseen = (file.read(1) == 255).astype("uint8")
        parts = rasterio.features.shapes(unseen, unseen == 1, transform=file.transform)
    ground = shapely.union_all([shapely.geometry.shape(part) for part, _ in parts])
    for shape in findings(gaps).geometry:
        assert shape.intersection(ground.buffer(-PIXEL)).area < 2 * PIXEL**2  # outlines may cut corners
    assert len(findings(gaps)) > 0


def test_gaps_leave_the_rest_as_it_was(gaps: Path, compared: Path) -> None:
    shift, whole = read(gaps / "shift.tif"), read(compared / "shift.tif")
    assert np.nanmedian(np.abs(shift - whole)) < 0.1 * PIXEL
    far = np.s_[80:140, 5:160]
    change, unbroken = (read(folder / "change.tif")[0][far].astype(int) for folder in (gaps, compared))
    assert np.mean(np.abs(change - unbroken) > 30) < 0.05


def test_after_image_in_degrees(made: Path, tmp_path: Path, compared: Path) -> None:
    counts, transform = delivered(made / "after")
    height, width = counts.shape[1:]
    with rasterio.open(made / "shift_truth.tif") as like:
        crs, bounds = like.crs, like.bounds
    to, cols, rows = calculate_default_transform(crs, "EPSG:4326", width, height, *bounds)
    there = np.zeros((4, rows, cols), counts.dtype)
    reproject(
        counts, there, src_transform=transform, src_crs=crs, dst_transform=to, dst_crs="EPSG:4326",
        src_nodata=0, dst_nodata=0, resampling=Resampling.cubic,
    )  # fmt: skip
    tile = next((made / "after").glob("*.tif"))
    after = write_like(tmp_path / "after.tif", tile, there, to, crs="EPSG:4326")
    result = compare(made / "before", after, tmp_path / "result", "--detector", "classic")
    assert min(share_found(truth_of(made), findings(result))) > 0.8
    true, told = read(made / "shift_truth.tif"), read(result / "shift.tif")
    assert np.nanmedian(np.abs(told - true)[0]) < 0.2 * PIXEL
    assert np.nanmedian(np.abs(told - true)[1]) < 0.2 * PIXEL
    np.testing.assert_array_equal(read(result / "before.tif"), read(compared / "before.tif"))


def test_align_alone_tells_the_same_shift(made: Path, compared: Path, tmp_path: Path) -> None:
    told = groundbreak("align", made / "before", made / "after", "--out", tmp_path / "a", "--warp", "--quiet")
    assert told.exit_code == 0
    assert {path.name for path in (tmp_path / "a").iterdir()} == {"shift.tif", "after.tif", "run.json"}
    assert checksums(tmp_path / "a", ("shift.tif",)) == checksums(compared, ("shift.tif",))
    warped, normalised = read(tmp_path / "a" / "after.tif"), read(compared / "after.tif")
    np.testing.assert_array_equal(warped == 0, normalised == 0)
    assert run_json(tmp_path / "a")["alignment"] == run_json(compared)["alignment"]


# How it is done


def job(made: Path, out: Path) -> Job:
    dates = [tuple(describe(made / date)) for date in ("before", "after")]
    return Job("yard", "Yard", out, dates[0], dates[1], Settings())


def test_loading_reads_no_pixel(made: Path, tmp_path: Path) -> None:
    computed: list[object] = []
    with Callback(start=computed.append):
        scene = load(job(made, tmp_path / "result"))
    assert computed == []
    assert isinstance(scene.grid, GeoBox)
    assert scene.before["image"].chunks is not None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("last", ["write_blocks", "write_run"])
def test_a_broken_off_run_leaves_nothing(
    last: str, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"pipeline.run.{last}", broken)
    with pytest.raises(KeyboardInterrupt):
        run(job(made, tmp_path / "site" / "dates"), Progress())
    assert list(tmp_path.iterdir()) == []


def test_a_broken_off_run_leaves_the_old_result(
    made: Path, compared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = Path(shutil.copytree(compared, tmp_path / "result"))
    (out / "notes.txt").write_text("mine")
    monkeypatch.setattr("pipeline.run.write_products", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(job(made, out), Progress())
    assert {path.name for path in out.iterdir()} == FILES | {"notes.txt"}
    assert checksums(out, tuple(sorted(FILES))) == checksums(compared, tuple(sorted(FILES)))


def test_run_json_goes_first_and_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.outputs.staging import publish

    staged, out = tmp_path / "staged", tmp_path / "out"
    for folder in (staged, out):
        folder.mkdir()
        for name in FILES:
            (folder / name).write_text(folder.name)
    moves: list[str] = []
    replace = Path.replace

    def watched(self: Path, target: Path) -> Path:
        assert not (out / "run.json").exists()
        moves.append(target.name)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", watched)
    publish(staged, out)
    assert moves[-1] == "run.json"
    assert set(moves) == FILES
    assert {(out / name).read_text() for name in FILES} == {"staged"}


def test_excluded_ground_has_no_findings_and_run_json_says_so(
    made: Path, compared: Path, tmp_path: Path
) -> None:
    truth = findings(compared)
    assert len(truth) > 0
    west, south, east, north = truth.to_crs("EPSG:4326").total_bounds
    box = f"{west - 1},{south - 1},{east + 1},{north + 1}"
    out = compare(made / "before", made / "after", tmp_path / "result", "--exclude", box)
    assert len(findings(out)) == 0
    assert run_json(out)["excluded"] == {"areas": ["excluded"], "share": 1.0}
    assert run_json(compared)["excluded"] == {"areas": [], "share": 0.0}
