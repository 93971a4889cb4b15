"""Warp: an image as delivered, taken to the site's grid in one resampling, with the shift composed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import dask.array as da
import numpy as np
import xarray as xr
from dask.delayed import delayed
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from odc.geo.xr import xr_coords

from pipeline.mapping import Mapping, plan
from pipeline.resample import Kernel, reach, resample
from pipeline.shift import ShiftField


@dataclass(frozen=True)
class Warp:
    """Take a delivered image to the site's grid."""

    kernel: Kernel = "cubic"
    """interpolation between delivered pixels; where those are much finer than the grid, it averages"""

    def plan(self, native: GeoBox, grid: GeoBox, field: ShiftField | None = None) -> Mapping:
        """Where each pixel of `grid` is found in the image on `native`; `field` says how far that image is
        off.
        """
        return plan(native, grid, field)

    def source(self, mapping: Mapping, rows: slice, cols: slice) -> tuple[slice, slice]:
        """The part of the delivered image (rows, cols) that a block of the grid needs; may be empty."""
        return mapping.source(rows, cols, reach(mapping, self.kernel))

    def arrays(
        self,
        image: NDArray[np.float32],
        observed: NDArray[np.bool_],
        mapping: Mapping,
        rows: slice,
        cols: slice,
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Eager: `image` (band, y, x) and `observed` (y, x) are exactly what `source` names for the block."""
        top, left = self.source(mapping, rows, cols)
        return resample(image, observed, (top.start, left.start), mapping, rows, cols, self.kernel)

    def window(self, native: xr.Dataset, mapping: Mapping, rows: slice, cols: slice) -> xr.Dataset:
        """Lazy: the block (rows, cols) of the grid as an Image; reads only what it needs, and resamples in
        one task.
        """
        top, left = self.source(mapping, rows, cols)
        part = native[["image", "observed"]].isel(y=top, x=left)
        bands, shape = native.sizes["band"], (rows.stop - rows.start, cols.stop - cols.start)
        task: Any = delayed(self.arrays, nout=2, pure=False)(
            part["image"].data, part["observed"].data, mapping, rows, cols
        )
        image = da.from_delayed(task[0], (bands, *shape), np.float32)
        observed = da.from_delayed(task[1], shape, np.bool_)
        block = mapping.grid[rows, cols]
        return xr.Dataset(
            {"image": (("band", "y", "x"), image), "observed": (("y", "x"), observed)},
            coords={"band": native["band"].values, **xr_coords(block, dims=("y", "x"))},
            attrs=native.attrs,
        )
