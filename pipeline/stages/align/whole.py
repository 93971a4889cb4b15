"""The whole of both images, small enough to hold: what the first guess is made on."""

from __future__ import annotations

import xarray as xr
from dask.base import compute
from odc.geo.geobox import GeoBox

from pipeline.mapping import plan
from pipeline.resample import reach, resample
from pipeline.stages.align.structure import Mask, Planes, decimate, edges

IN_MEMORY = (
    2**28
)  # bytes of one image's channels; a smaller image is kept, a larger one read again each round


def kept(image: xr.Dataset) -> xr.Dataset:
    """In memory where small, so that each round does not read it again."""
    if image["image"].nbytes > IN_MEMORY:
        return image
    held: xr.Dataset = image.persist()
    return held


def small_pair(before: xr.Dataset, after: xr.Dataset, small: GeoBox) -> tuple[xr.Dataset, xr.Dataset]:
    """Both images, still on their own grids, averaged down to about the pixels of `small`, in memory."""
    first, second = (
        kept(decimate(image, max(1, round(min(plan(image.odc.geobox, small).scale)))))
        for image in (before, after)
    )
    return first, second


def structure_of(
    pair: tuple[xr.Dataset, xr.Dataset], grid: GeoBox
) -> tuple[Planes, Planes, tuple[Mask, Mask]]:
    """Edges (plane, y, x) of both small images on the grid, and where each is observed."""
    (before, first), (after, second) = (_edges(image, grid) for image in pair)
    return before, after, (first, second)


def _edges(image: xr.Dataset, grid: GeoBox) -> tuple[Planes, Mask]:
    mapping = plan(image.odc.geobox, grid)
    rows, cols = (slice(0, int(size)) for size in grid.shape)
    top, left = mapping.source(rows, cols, reach(mapping, "cubic"))
    values, observed = compute(image["image"].data[:, top, left], image["observed"].data[top, left])
    on_grid, seen = resample(values, observed, (top.start, left.start), mapping, rows, cols)
    return edges(on_grid, seen, plain=True), seen
