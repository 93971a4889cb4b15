"""Clouds and shadows of a pair that came without masks, found on a small aligned copy of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pystac
import xarray as xr
from odc.geo.geobox import GeoBox

from pipeline.aligned import warped
from pipeline.compute import compute, in_few
from pipeline.grid import pixel_size
from pipeline.job import Job, Scene
from pipeline.pair import Pair
from pipeline.scenes import has_mask
from pipeline.shift import ShiftField
from pipeline.stages.align.whole import decimated
from pipeline.stages.screen import Lattice, Screened, Why
from pipeline.stages.warp import Warp

_MOST = 1280  # cells a side


def averaged(job: Job, scene: Scene) -> tuple[xr.DataArray, ...]:
    """What there is to read: both dates as delivered, averaged down, lazily; none where neither is to be
    screened.
    """
    if None not in _left_alone(job, scene):
        return ()
    small = decimated(scene.before["image"], scene.after["image"], _small(scene.grid)[0])
    return tuple(image.copy(data=in_few(image.data)) for image in small)


def screen(
    job: Job, scene: Scene, field: ShiftField, images: Sequence[xr.DataArray] | None = None
) -> Screened:
    """What of each date is cloud or shadow; `field` says how far the after image is off.

    `images`: what `averaged` gives, read; if not given, it is read here. A date with a mask of its own is
    left alone.
    """
    before, after = _left_alone(job, scene)
    if before is not None and after is not None:
        return Screened(Lattice.clear(before, (1, 1)), Lattice.clear(after, (1, 1)), 1)
    grid, factor = _small(scene.grid)
    pair = _aligned(images or compute(*averaged(job, scene)), grid, field.zoomed(1 / factor))
    sun = _azimuth(job.before), _azimuth(job.after)
    return job.settings.screen(
        pair.before, pair.after, scene.bands, pixel_size(scene.grid), factor, _masked(job), sun
    )


def _aligned(images: Sequence[xr.DataArray], grid: GeoBox, field: ShiftField) -> Pair:
    warp = Warp("cubic")  # one of the screen's tests is how smooth things are
    everything = slice(0, int(grid.shape[0])), slice(0, int(grid.shape[1]))
    dates = []
    for image, shift in zip(images, (None, field), strict=True):
        mapping = warp.plan(image.odc.geobox, grid, shift)
        rows, cols = warp.source(mapping, *everything)
        dates.append(warped(warp, np.asarray(image)[:, rows, cols], mapping, everything))
    return Pair.of(*dates)


def _left_alone(job: Job, scene: Scene) -> list[Why | None]:
    """Why each date needs no look at its pixels; None where it does."""
    return [job.settings.screen.left_alone(scene.bands, masked) for masked in _masked(job)]


def _masked(job: Job) -> tuple[bool, bool]:
    return _has_mask(job.before, job.before_mask), _has_mask(job.after, job.after_mask)


def _small(grid: GeoBox) -> tuple[GeoBox, int]:
    """The grid of cells, and the pixels a side of one, a power of two."""
    factor = int(2 ** max(0, np.ceil(np.log2(max(grid.shape) / _MOST))))
    return (grid.zoom_out(factor) if factor > 1 else grid), factor


def _has_mask(items: tuple[pystac.Item, ...], mask: object) -> bool:
    """Whether a date came with a mask: a file that was named, or one of its own beside every tile."""
    return bool(mask) or all(map(has_mask, items))


def _azimuth(items: tuple[pystac.Item, ...]) -> float | None:
    """Of the sun, where the metadata say (STAC view extension)."""
    first = min(items, key=lambda item: item.id)
    azimuth = first.properties.get("view:sun_azimuth")
    return None if azimuth is None else float(azimuth)
