"""Clouds without a mask in a whole comparison: not observed, never a finding, and the same however it is
done.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
import rasterio.features
from jobs import RASTERS, checksums, compare, findings, groundbreak, read, run_json
from numpy.typing import NDArray
from rasterio.merge import merge
from scipy.ndimage import gaussian_filter, shift

from pipeline.config import Settings
from pipeline.job import Job, load
from pipeline.scenes import describe
from pipeline.screening import screen
from pipeline.shift import ShiftField
from pipeline.simulate import PairStyle, simulate_pair

SIZE, PIXEL = 384, 5.0
FALLEN = (-60, 40)  # pixels from the cloud to its shadow
Float = NDArray[np.float32]
Bits = NDArray[np.bool_]


def opacity() -> Float:
    """(y, x) 0..1 of one large cloud with an uneven rim, about 24 ha."""
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    rim = gaussian_filter(np.random.default_rng(1).standard_normal((SIZE, SIZE)), 9) * 200
    away = np.hypot(y - 250, (x - 130) * 0.8) + rim
    return np.clip((62 - away) / 14, 0, 1).astype(np.float32)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """before/, after/ without clouds, and cloudy/: the after image under a cloud, with its shadow."""
    folder = tmp_path_factory.mktemp("clouds")
    simulate_pair(folder, 21, SIZE, PIXEL, PairStyle(works=("building", "clearing")))
    tiles = sorted((folder / "after").glob("*.tif"))
    counts, transform = merge(tiles)
    cloud = opacity()
    lit = counts * 1e-4 * (1 - 0.6 * shift(cloud, FALLEN, order=1))
    seen = np.rint((lit * (1 - cloud) + 0.8 * cloud) * 1e4)
    (folder / "cloudy").mkdir()
    with rasterio.open(tiles[0]) as like:
        profile = like.profile | {"height": SIZE, "width": SIZE, "transform": transform}
        with rasterio.open(folder / "cloudy" / "after.tif", "w", **profile) as file:
            file.write(np.where((counts == 0).all(axis=0), 0, np.maximum(seen, 1)).astype(counts.dtype))
            file.descriptions, file.scales, file.offsets = like.descriptions, like.scales, like.offsets
            file.update_tags(**like.tags())
    return folder


@pytest.fixture(scope="module")
def clouded(pair: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compare(pair / "before", pair / "cloudy", tmp_path_factory.mktemp("clouded") / "result")


def hidden() -> tuple[Bits, Bits]:
    """Where the cloud and its shadow certainly are, on the grid of the before image (after is 2.3 px off)."""
    cloud = shift(opacity(), (-1.6, -2.3), order=1)
    return cloud > 0.6, shift(cloud, FALLEN, order=1) > 0.8


def test_clouds_are_not_observed(pair: Path, clouded: Path) -> None:
    cloud, shadow = hidden()
    change, after, before = (read(clouded / f"{name}.tif") for name in ("change", "after", "before"))
    assert (change[0][cloud] == 255).all()
    assert np.mean(change[0][shadow] == 255) > 0.9
    assert (after[:, cloud] == 0).all()
    assert (before[:, cloud] != 0).all()  # that date saw it
    told = run_json(clouded)
    assert told["screen"]["before"] == {
        "used": True, "why": "screened", "cloud_share": 0.0, "shadow_share": 0.0,
    }  # fmt: skip
    assert told["screen"]["after"]["cloud_share"] == pytest.approx(np.mean(opacity() > 0.4), abs=0.03)
    assert told["screen"]["after"]["shadow_share"] > 0.05
    assert told["observed"]["before"] == 1
    assert told["observed"]["after"] == pytest.approx(np.mean((after != 0).all(axis=0)), abs=1e-6)
    assert told["observed"]["both"] == pytest.approx(np.mean(change != 255), abs=1e-6)
    report = (clouded / "report.html").read_text(encoding="utf-8")
    assert "Screened as cloud or its shadow" in report


def test_no_finding_lies_under_a_cloud(clouded: Path) -> None:
    cloud, _ = hidden()
    with rasterio.open(clouded / "change.tif") as file:
        for outline in findings(clouded).geometry:
            inside = rasterio.features.geometry_mask(
                [outline], (SIZE, SIZE), file.transform, invert=True, all_touched=False
            )
            assert not (inside & cloud).any()


def test_the_screen_can_be_switched_off(pair: Path, clouded: Path, tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(
        f"id: site\nsource: {{files: '{tmp_path}/{{date}}/*.tif'}}\nscreen: {{enabled: false}}\n"
    )
    for date, name in (("2019-09-09", "before"), ("2019-09-21", "cloudy")):
        (tmp_path / date).symlink_to(pair / name)
    told = groundbreak("run", tmp_path / "site.yaml", "--out", tmp_path, "--quiet")
    assert told.exit_code == 0, told.output
    result = tmp_path / "site" / "2019-09-09_2019-09-21"
    cloud, _ = hidden()
    assert (read(result / "change.tif")[0][cloud] != 255).all()
    assert run_json(result)["screen"]["after"]["why"] == "switched off"
    assert run_json(result)["observed"]["both"] > run_json(clouded)["observed"]["both"] + 0.1


def test_without_clouds_all_is_observed(pair: Path, tmp_path: Path) -> None:
    result = compare(pair / "before", pair / "after", tmp_path / "result")
    told = run_json(result)
    assert told["screen"]["after"]["used"]
    assert told["screen"]["before"]["cloud_share"] == told["screen"]["after"]["cloud_share"] == 0
    assert told["observed"]["before"] == 1
    assert told["observed"]["after"] > 0.98  # but for the rim that the shift takes


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(("--chunk-size", "100"), id="blocks"),
        pytest.param(("--chunk-size", "128", "--workers", "2"), id="two processes"),
    ],
)
def test_blocks_and_workers_change_no_byte(
    options: tuple[str, ...], pair: Path, clouded: Path, tmp_path: Path
) -> None:
    result = compare(pair / "before", pair / "cloudy", tmp_path / "result", *options)
    names = ("changes.geojson", "changes.parquet", *(f"{name}.tif" for name in RASTERS))
    assert checksums(result, names) == checksums(clouded, names)
    assert run_json(result)["screen"] == run_json(clouded)["screen"]


def job(pair: Path, mask: Path | None = None) -> Job:
    before, after = (tuple(describe(pair / name)) for name in ("before", "cloudy"))
    return Job("x", "X", pair / "none", before, after, Settings(), after_mask=mask)


@pytest.mark.parametrize("cells", [1280, 128])
def test_a_given_mask_wins_and_cells_may_be_coarse(
    cells: int, pair: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.screening._MOST", cells)
    scene = load(job(pair))
    field = ShiftField.constant(scene.grid, 2.3 * PIXEL, -1.6 * PIXEL)
    found = screen(job(pair), scene, field)
    cloud, _ = hidden()
    everything = slice(0, SIZE), slice(0, SIZE)
    assert found.factor == max(1, 512 // cells)
    assert found.window(*everything)[1][cloud].mean() > 0.97
    assert not found.window(*everything)[0].any()
    with rasterio.open(pair / "shift_truth.tif") as like:
        profile = like.profile | {"count": 1, "dtype": "uint8", "nodata": None}
    with rasterio.open(tmp_path / "mask.tif", "w", **profile) as file:
        file.write(np.zeros((1, SIZE, SIZE), np.uint8))
    masked = screen(job(pair, tmp_path / "mask.tif"), scene, field)
    assert masked.after.why == "mask given"
    assert not masked.any
