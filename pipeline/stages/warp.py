"""Warp: an image as delivered, taken to the site's grid in one resampling, with the shift composed in."""

from __future__ import annotations

from dataclasses import dataclass

import dask.array as da
import numpy as np
import xarray as xr
from dask.delayed import delayed
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from odc.geo.xr import xr_coords

from pipeline.delivered import Delivered
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

    def image(self, native: xr.Dataset, mapping: Mapping, chunk: int = 1024) -> xr.Dataset:
        """Lazy: the Image `native` on the whole grid, in chunks of `chunk` pixels a side, each resampled in
        one task. No pixel depends on `chunk`.
        """
        grid, bands = mapping.grid, native.sizes["band"]
        delivered, task = Delivered.of(native["image"].data), delayed(self._block, pure=False)
        shared = delayed(mapping, pure=False)
        rows, cols = (
            [slice(start, min(start + chunk, size)) for start in range(0, size, chunk)] for size in grid.shape
        )
        parts = [
            [
                da.from_delayed(
                    task(delivered.window(*self.source(mapping, row, col)), shared, row, col),
                    (bands, row.stop - row.start, col.stop - col.start),
                    np.float32,
                )
                for col in cols
            ]
            for row in rows
        ]
        pixels = da.block(parts)
        return xr.Dataset(
            {"image": (("band", "y", "x"), pixels), "observed": (("y", "x"), da.isfinite(pixels[0]))},
            coords={"band": native["band"].values, **xr_coords(grid, dims=("y", "x"))},
            attrs=native.attrs,
        )

    def _block(
        self, image: NDArray[np.float32], mapping: Mapping, rows: slice, cols: slice
    ) -> NDArray[np.float32]:
        return self.arrays(image, np.asarray(np.isfinite(image).all(axis=0)), mapping, rows, cols)[0]
