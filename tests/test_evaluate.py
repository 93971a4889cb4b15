"""Scores of hand-made findings, small enough for the right numbers to be worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from affine import Affine
from shapely.geometry import box

from pipeline.errors import SourceNotFoundError, SourceUnreadableError
from pipeline.evaluate import evaluate, object_scores, shift_scores
from pipeline.evaluate.pixels import average_precision

CRS = "EPSG:32637"
WEST, NORTH, SIZE = 600_000.0, 3_800_000.0, 100


def ground(left: float, top: float, right: float, bottom: float) -> Any:
    """A box by columns and rows of the 1 m grid."""
    return box(WEST + left, NORTH - bottom, WEST + right, NORTH - top)


def frame(*rows: tuple[Any, str, str]) -> gpd.GeoDataFrame:
    columns = {"id": range(1, len(rows) + 1), "kind": [r[1] for r in rows], "direction": [r[2] for r in rows]}
    return gpd.GeoDataFrame(columns, geometry=[r[0] for r in rows], crs=CRS)


def write_raster(path: Path, values: Any, **profile: Any) -> Path:
    transform = Affine(1, 0, WEST, 0, -1, NORTH)
    count, height, width = values.shape
    shape = {"count": count, "height": height, "width": width, "dtype": values.dtype, "driver": "GTiff"}
    with rasterio.open(path, "w", crs=CRS, transform=transform, **shape, **profile) as target:
        target.write(values)
    return path


def write_result(
    folder: Path, findings: gpd.GeoDataFrame, percent: Any, dates: tuple[str, str] | None = None
) -> Path:
    write_raster(folder / "change.tif", percent[None].astype("uint8"), nodata=255)
    findings.to_crs("OGC:CRS84").to_file(folder / "changes.geojson")
    if dates:
        told = {"before": {"date": dates[0]}, "after": {"date": dates[1]}}
        (folder / "run.json").write_text(json.dumps(told))
    return folder


THINGS = frame(
    (ground(0, 0, 10, 10), "building", "new"),
    (ground(20, 0, 30, 10), "building", "new"),
    (ground(40, 0, 60, 5), "road", "new"),
    (ground(0, 40, 10, 50), "building", "removed"),
)
FINDINGS = frame(
    (ground(0, 0, 10, 8), "building", "new"),  # covers 80 % of the first building
    (ground(20, 0, 30, 1), "building", "new"),  # 10 % of the second: not found, but not false either
    (ground(40, 0, 50, 5), "earthwork", "altered"),  # half of the road, kind and direction wrong
    (ground(0, 40, 10, 50), "building", "removed"),  # the removed one
    (ground(70, 70, 80, 80), "other", "new"),  # false
)


def test_objects_by_hand() -> None:
    scores = object_scores(FINDINGS, THINGS, km2=0.01)
    assert (scores["things"], scores["found"], scores["findings"], scores["false"]) == (4, 3, 5, 1)
    assert (scores["precision"], scores["recall"], scores["false_per_km2"]) == (0.8, 0.75, 100.0)
    assert scores["f1"] == pytest.approx(2 * 0.8 * 0.75 / 1.55, abs=1e-4)
    assert scores["by_kind"]["building"] == {"things": 3, "found": 2, "recall": 0.6667}
    assert scores["by_direction"]["removed"] == {"things": 1, "found": 1, "recall": 1.0}
    assert scores["confusion"] == {"building": {"building": 2}, "road": {"earthwork": 1}}
    assert scores["kind_accuracy"] == scores["direction_accuracy"] == 0.6667
    assert [f["id"] for f in scores["false_findings"]] == [5]


def test_new_construction_where_something_was_removed_is_false_and_finds_nothing() -> None:
    scores = object_scores(
        frame((ground(0, 40, 10, 50), "building", "new")), THINGS.iloc[3:].reset_index(drop=True), 1
    )
    assert (scores["found"], scores["false"]) == (0, 1)


def test_one_finding_over_everything_is_false() -> None:
    scores = object_scores(frame((ground(0, 0, 100, 100), "other", "new")), THINGS, 1)
    assert (scores["precision"], scores["recall"]) == (0.0, 0.75)


def test_fragments_together_find_a_thing() -> None:
    parts = frame(*((ground(x, 0, x + 1, 10), "building", "new") for x in (0, 4)))
    assert object_scores(parts, THINGS.iloc[:1], 1)["recall"] == 1.0


def test_a_whole_result(tmp_path: Path) -> None:
    percent = np.zeros((SIZE, SIZE), "uint8")
    percent[0:10, 0:10] = 90
    percent[70:80, 70:80] = 60
    percent[0:10, 20:30] = 255  # nobody saw the second building
    result = write_result(tmp_path, FINDINGS, percent)
    truth = tmp_path / "truth.geojson"
    THINGS.to_crs("OGC:CRS84").to_file(truth)
    scores = evaluate(result, truth)
    assert (scores["objects"]["things"], scores["objects"]["not_observed"]) == (3, 1)
    assert scores["objects"]["recall"] == 1.0
    # Pixels: truth 100 + 100 (road), found 80 + 50 + 100 false; the removed house is no construction.
    assert scores["pixels"]["precision"] == pytest.approx(130 / 230, abs=1e-4)
    assert scores["pixels"]["recall"] == pytest.approx(130 / 200, abs=1e-4)
    # 100 of 200 at threshold 90 with precision 1, the rest only at 0 among 9900 pixels.
    assert scores["pixels"]["average_precision"] == pytest.approx(0.5 + 0.5 * 200 / 9900, abs=1e-4)
    assert scores["alignment"] is None


def test_truth_counts_only_between_the_dates_of_the_result(tmp_path: Path) -> None:
    dated = THINGS.assign(first_seen=["2019-09-09", "2019-09-21", "2019-10-05", "2019-09-21"])
    truth = tmp_path / "truth.geojson"
    dated.to_crs("OGC:CRS84").to_file(truth)
    result = write_result(tmp_path, FINDINGS, np.zeros((SIZE, SIZE)), ("2019-09-09", "2019-09-21"))
    objects = evaluate(result, truth)["objects"]
    assert (objects["things"], objects["found"]) == (2, 1)
    assert objects["by_direction"] == {
        "new": {"things": 1, "found": 0, "recall": 0.0},
        "removed": {"things": 1, "found": 1, "recall": 1.0},
    }


def test_truth_as_a_raster_and_no_findings(tmp_path: Path) -> None:
    truth = np.zeros((1, SIZE, SIZE), "uint8")
    truth[0, 0:10, 0:10] = truth[0, 10:12, 10:12] = truth[0, 50:60, 50:60] = (
        1  # the first two touch at a corner
    )
    path = write_raster(tmp_path / "truth.tif", truth)
    scores = evaluate(write_result(tmp_path, frame(), np.zeros((SIZE, SIZE))), path)
    assert (scores["objects"]["things"], scores["objects"]["found"]) == (2, 0)
    assert scores["objects"]["precision"] is None
    assert (scores["objects"]["kind_accuracy"], scores["objects"]["by_kind"]) == (None, {})
    assert scores["pixels"]["recall"] == 0.0


def test_average_precision_shares_a_threshold_among_ties() -> None:
    percent = np.array([90, 90, 50, 10], "uint8")
    assert average_precision(np.array([True, False, True, False]), percent) == pytest.approx(
        0.5 * 0.5 + 0.5 * 2 / 3, abs=1e-4
    )
    assert average_precision(np.zeros(4, bool), percent) is None


def shift_file(path: Path, dx: float, dy: float) -> Path:
    values = np.stack([np.full((SIZE, SIZE), dx), np.full((SIZE, SIZE), dy)]).astype("float32")
    values[:, :10, :10] = np.nan
    return write_raster(path, values, nodata=float("nan"))


@pytest.fixture
def shift_truth(tmp_path: Path) -> Path:
    nodes = {
        "x": [WEST + 5.5, WEST + 50.5],
        "y": [NORTH - 5.5, NORTH - 50.5],
        "dx": [[2.0] * 2] * 2,
        "dy": [[-1.0] * 2] * 2,
    }
    path = tmp_path / "shift_truth.json"
    path.write_text(json.dumps({"crs": CRS, "pairs": {"2019-09-09_2019-09-21": nodes}}))
    return path


def test_shift_residual_and_the_sign_that_makes_it_larger(tmp_path: Path, shift_truth: Path) -> None:
    right = shift_scores(shift_file(tmp_path / "right.tif", 2.0, -0.9), shift_truth, None)
    assert (right["points"], right["unknown"]) == (3, 1)
    assert right["residual_rms_px"] == right["residual_max_px"] == pytest.approx(0.1, abs=1e-4)
    assert right["true_rms_px"] == pytest.approx(5**0.5, abs=1e-4)
    turned = shift_scores(shift_file(tmp_path / "turned.tif", -2.0, 1.0), shift_truth, None)
    assert turned["residual_rms_px"] == pytest.approx(2 * 5**0.5, abs=1e-4)
    swapped = shift_scores(shift_file(tmp_path / "swapped.tif", -1.0, 2.0), shift_truth, None)
    assert swapped["residual_rms_px"] > swapped["true_rms_px"]


def test_shift_truth_as_a_raster(tmp_path: Path) -> None:
    truth = shift_file(tmp_path / "truth.tif", 2.0, -1.0)
    scores = shift_scores(shift_file(tmp_path / "shift.tif", 2.0, -1.0), truth, None)
    assert scores["residual_max_px"] == 0.0


def test_what_is_not_there_or_not_truth(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFoundError, match=r"change\.tif: no such file"):
        evaluate(tmp_path, tmp_path / "truth.geojson")
    write_result(tmp_path, FINDINGS, np.zeros((SIZE, SIZE)))
    with pytest.raises(SourceNotFoundError, match=r"truth\.geojson"):
        evaluate(tmp_path, tmp_path / "truth.geojson")
    (tmp_path / "truth.geojson").write_text("{")
    with pytest.raises(SourceUnreadableError, match=r"truth\.geojson"):
        evaluate(tmp_path, tmp_path / "truth.geojson")
    (tmp_path / "shift_truth.json").write_text("{}")
    with pytest.raises(SourceUnreadableError, match=r"shift_truth\.json"):
        shift_scores(tmp_path / "change.tif", tmp_path / "shift_truth.json", None)
