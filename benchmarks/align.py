"""How well and how fast two images are aligned, beside the time it takes to read them.

usage: python benchmarks/align.py the sample tiles, against their known shift python benchmarks/align.py
BEFORE AFTER ... pairs of images, by tie points kept out of the fit

Prints a JSON line a pair: seconds to read both images once, seconds to align them, their ratio, peak memory
of the process so far, the verdict, and for the sample tiles the error of the field in pixels (median, RMSE,
worst).
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from dask.base import compute
from odc.geo.geobox import GeoBox

from pipeline.errors import AlignmentRejectedError
from pipeline.grid import crop, native_grid, pixel_size, site_grid
from pipeline.scenes import common_bands, describe
from pipeline.shift import ShiftField
from pipeline.stages.align import Align
from pipeline.stages.load import Load

MARGIN_PX = 96
SAMPLES = Path(__file__).parent.parent / "sample_tiles"


def load(before: str, after: str) -> tuple[xr.Dataset, xr.Dataset, GeoBox]:
    """Both images, lazy, on the grids that they were delivered on, and the grid of the pair."""
    dates = [describe(source) for source in (before, after)]
    bands = common_bands(dates[0], dates[1])
    natives = [native_grid(items, bands) for items in dates]
    grid = site_grid(natives[0], None)
    first, second = (
        Load(bands)(items, crop(native, grid.extent, MARGIN_PX))
        for items, native in zip(dates, natives, strict=True)
    )
    return first, second, grid


def measure(before: str, after: str, truth: dict[str, Any] | None = None) -> dict[str, Any]:
    """One pair; `truth`: x, y in metres and the shift dx, dy (y, x) there."""
    first, second, grid = load(before, after)
    start = time.perf_counter()
    compute(*(image["image"].data.sum() for image in (first, second)))
    reading = time.perf_counter() - start
    start = time.perf_counter()
    row: dict[str, Any] = {"before": before, "after": after, "shape": list(grid.shape)}
    try:
        found = Align()(first, second, grid)
        row |= {
            "status": found.status,
            "points": found.points,
            "residual_before_px": round(found.residual_before_px, 3),
            "residual_px": round(found.residual_px, 3),
            "reason": found.reason,
        }
        if truth is not None:
            row |= errors(found.field, grid, truth)
    except AlignmentRejectedError as refusal:
        row |= {"status": "rejected", "reason": str(refusal)}
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return row | {
        "read_s": round(reading, 2),
        "align_s": round(seconds, 2),
        "ratio": round(seconds / reading, 1),
        "peak_mb": round(peak),
    }


def errors(field: ShiftField, grid: GeoBox, truth: dict[str, Any]) -> dict[str, float]:
    """Distance of the field from the truth in pixels."""
    x, y = np.meshgrid(truth["x"], truth["y"])
    col, row = ~grid.transform @ (x, y)
    dx, dy = field.at(row - 0.5, col - 0.5)
    error = np.hypot(dx - np.array(truth["dx"]), dy - np.array(truth["dy"])) / pixel_size(grid)
    return {
        "median_px": round(float(np.median(error)), 3),
        "rmse_px": round(float(np.sqrt(np.mean(error**2))), 3),
        "worst_px": round(float(error.max()), 3),
    }


def samples() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Pairs of the sample tiles with the shift that was made into them."""
    for path in sorted(SAMPLES.glob("*/shift_truth.json")):
        for dates, truth in sorted(json.loads(path.read_text())["pairs"].items()):
            before, after = (str(path.parent / date) for date in dates.split("_"))
            yield before, after, truth


def main(paths: list[str]) -> None:
    if len(paths) % 2:
        sys.exit(__doc__)
    pairs = [(before, after, None) for before, after in zip(paths[::2], paths[1::2], strict=True)]
    for before, after, truth in pairs or samples():
        print(json.dumps(measure(before, after, truth)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
