"""shift.tif: the field as a raster, fine enough for any use and no finer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import rasterio
from odc.geo.geobox import GeoBox

from pipeline.shift import ShiftField

MOST_PIXELS = 2048**2
_STRIP = 256  # rows worked out at a time


def coarseness(grid: GeoBox) -> int:
    """How many pixels of the grid, along each side, one of shift.tif stands for: 1 up to 2048 x 2048.

    A field bends over hundreds of pixels, so that on larger grids every second or third says all of it.
    """
    return max(1, math.ceil(math.sqrt(grid.shape.x * grid.shape.y / MOST_PIXELS)))


def write_shift(path: Path, field: ShiftField, grid: GeoBox, tags: Mapping[str, str]) -> None:
    """Write `field`, which is that of `grid`, as a COG: float32, bands dx and dy in metres."""
    factor = coarseness(grid)
    raster = grid if factor == 1 else grid.zoom_out(factor)
    height, width = (int(size) for size in raster.shape)
    rows, cols = ((np.arange(size, dtype=np.float64) + 0.5) * factor - 0.5 for size in (height, width))
    profile = {
        "driver": "COG", "height": height, "width": width, "count": 2, "dtype": "float32",
        "nodata": math.nan, "crs": str(raster.crs), "transform": raster.transform,
        "compress": "ZSTD", "level": 1, "predictor": "YES", "blocksize": 512, "num_threads": "ALL_CPUS",
        "overview_resampling": "average", "bigtiff": "IF_SAFER",
    }  # fmt: skip
    part = path.with_name(f".{path.name}.part")
    with rasterio.open(part, "w", **profile) as file:
        for band, name in enumerate(("dx", "dy"), start=1):
            file.set_band_description(band, name)
            file.set_band_unit(band, "m")
        file.update_tags(**tags)
        for top in range(0, height, _STRIP):
            strip = rows[top : top + _STRIP]
            file.write(field.over(strip, cols), window=((top, top + len(strip)), (0, width)))
    part.replace(path)
