"""The whole of both images, small enough to hold."""

from __future__ import annotations

import dask.array as da
import numpy as np
import xarray as xr
from odc.geo.geobox import GeoBox

from pipeline.compute import compute, has_processes
from pipeline.mapping import plan
from pipeline.resample import reach, resample
from pipeline.stages.align.channels import decimate
from pipeline.stages.align.structure import Mask, Planes, edges

IN_MEMORY = 2**28  # bytes of one image; a smaller one is kept, a larger one read again each round


def kept(image: xr.DataArray) -> xr.DataArray:
    """In memory where small, so that each round does not read it again; not where it would travel between
    processes in each.
    """
    if image.nbytes > IN_MEMORY or has_processes():
        return image
    (pixels,) = compute(image.data)
    return image.copy(data=da.from_array(pixels, image.data.chunks, name=False))


def decimated(before: xr.DataArray, after: xr.DataArray, small: GeoBox) -> tuple[xr.DataArray, xr.DataArray]:
    """Both images, lazily and still on their own grids, averaged down to about the pixels of `small`."""
    first, second = (
        decimate(image, max(1, round(min(plan(image.odc.geobox, small).scale)))) for image in (before, after)
    )
    return first, second


def structure_of(
    pair: tuple[xr.DataArray, xr.DataArray], grid: GeoBox
) -> tuple[Planes, Planes, tuple[Mask, Mask]]:
    """Edges (plane, y, x) of both small images on the grid, and where each is observed."""
    (before, first), (after, second) = (_edges(image, grid) for image in pair)
    return before, after, (first, second)


def _edges(image: xr.DataArray, grid: GeoBox) -> tuple[Planes, Mask]:
    mapping = plan(image.odc.geobox, grid)
    rows, cols = (slice(0, int(size)) for size in grid.shape)
    top, left = mapping.source(rows, cols, reach(mapping, "cubic"))
    (values,) = compute(image.data[:, top, left])
    on_grid, seen = resample(values, np.isfinite(values[0]), (top.start, left.start), mapping, rows, cols)
    return edges(on_grid, seen, plain=True), seen
