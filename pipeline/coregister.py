"""Alignment as a Python call on xarray data, whatever loaded it (rioxarray, odc-stac, stackstac)."""

from __future__ import annotations

from dataclasses import dataclass

import dask.array as da
import numpy as np
import xarray as xr
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from odc.geo.xr import xr_coords

from pipeline.arrays import Banded
from pipeline.errors import BandError
from pipeline.grid import site_grid
from pipeline.resample import Kernel
from pipeline.scenes.values import could_be_a_value
from pipeline.shift import ShiftField
from pipeline.stages.align import Align, Alignment
from pipeline.stages.warp import Warp

_CHUNK = 512


@dataclass(frozen=True, eq=False)
class Coregistered:
    """`shift` and `after` are lazy, on one grid: that of the image before where it is north up and in metres,
    else its UTM zone's.
    """

    alignment: Alignment
    """the verdict, with its residuals in pixels"""
    shift: xr.Dataset
    """`dx`, `dy` (y, x) float32, metres east and north: what lies at (X, Y) in the image before is seen at
    (X + dx, Y + dy) in the image after
    """
    after: xr.DataArray
    """the image after (band, y, x) float32, aligned, resampled once; NaN where not observed"""


def coregister(
    before: xr.DataArray,
    after: xr.DataArray,
    *,
    align: Align | None = None,
    kernel: Kernel = "cubic",
) -> Coregistered:
    """Find how far `after` is off against `before`, and bring it into place.

    Both: (band, y, x) or (y, x) of any number type, NumPy or Dask, each on a georeferenced grid of its own
    that `.odc.geobox` understands; `band` (or `long_name`) names what they share ("red", "nir", ...; where
    neither does, bands are paired by their place). Missing are NaN and the nodata value that the array's
    attributes name; one that could be a value (0) counts where all bands carry it.

    Raises AlignmentRejectedError where no shift can be trusted, GeoreferenceError for an array without a
    georeference, BandError where no band is shared.
    """
    first, second = _image(before, "before"), _image(after, "after")
    if not set(first["band"].values) & set(second["band"].values):
        raise BandError(
            f"no band in common: {list(first['band'].values)} before, {list(second['band'].values)} after;"
            " name them alike"
        )
    grid = site_grid(first.odc.geobox, None)
    found = (align or Align(accept_uncertain=False))(first, second, grid)
    warp = Warp(kernel)
    warped = warp.image(second, warp.plan(second.odc.geobox, grid, found.field))
    return Coregistered(found, shift_raster(found.field, grid), warped["image"])


def shift_raster(field: ShiftField, grid: GeoBox, chunk: int = 1024) -> xr.Dataset:
    """The field as lazy rasters `dx`, `dy` (y, x) float32, metres."""

    def block(rows: NDArray[np.float64], cols: NDArray[np.float64]) -> NDArray[np.float32]:
        return field.over(rows[0, :, 0], cols[0, 0, :])

    rows, cols = (da.arange(float(size), chunks=chunk) for size in grid.shape)
    places = rows[None, :, None], cols[None, None, :]
    chunks = ((2,), *rows.chunks, *cols.chunks)
    both = da.map_blocks(block, *places, dtype=np.float32, chunks=chunks)
    return xr.Dataset(
        {name: (("y", "x"), both[k], {"units": "m"}) for k, name in enumerate(("dx", "dy"))},
        coords=xr_coords(grid, dims=("y", "x")),
    )


def _image(array: xr.DataArray, name: str) -> xr.Dataset:
    """As Load gives it: lazy float32 (band, y, x), NaN in all bands where any is missing."""
    image = Banded.of(array, name)
    axis, *spatial = image.pixels.dims
    names = image.names or tuple(map(str, range(image.pixels.sizes[axis])))
    lazy = image.pixels.chunk({axis: -1, **dict.fromkeys(spatial, _CHUNK)}).data
    pixels = da.map_blocks(_physical, lazy, image.nodata, dtype=np.float32)
    return xr.Dataset(
        {"image": (("band", "y", "x"), pixels), "observed": (("y", "x"), da.isfinite(pixels[0]))},
        coords={"band": list(names), **xr_coords(image.grid, dims=("y", "x"))},
    )


def _physical(values: NDArray[np.generic], nodata: float | None) -> NDArray[np.float32]:
    physical = values.astype(np.float32)
    missing = ~np.isfinite(physical).all(axis=0)
    if nodata is not None and not np.isnan(nodata):
        marked = values == nodata
        missing |= marked.all(axis=0) if could_be_a_value(nodata, str(values.dtype)) else marked.any(axis=0)
    return np.where(missing, np.float32(np.nan), physical)
