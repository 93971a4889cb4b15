"""Clouds and shadows of a pair that came without masks, found on a small aligned copy of it."""

from __future__ import annotations

import numpy as np
import pystac
from odc.geo.geobox import GeoBox

from pipeline.aligned import AlignedImages, Window
from pipeline.cluster import compute
from pipeline.grid import pixel_size
from pipeline.job import Job, Scene
from pipeline.pair import Pair
from pipeline.scenes import has_mask
from pipeline.shift import ShiftField
from pipeline.stages.align.whole import decimated
from pipeline.stages.screen import Lattice, Screened
from pipeline.stages.warp import Warp

_MOST = 1280  # cells a side


def screen(job: Job, scene: Scene, field: ShiftField) -> Screened:
    """What of each date is cloud or shadow; `field` says how far the after image is off.

    Reads each image once, averaged down, unless neither date is to be screened. A date with a mask of its own
    is left alone.
    """
    stage = job.settings.screen
    given = (
        _has_mask(job.before, job.before_mask),
        _has_mask(job.after, job.after_mask),
    )
    before, after = (stage.left_alone(scene.bands, masked) for masked in given)
    if before is not None and after is not None:
        return Screened(Lattice.clear(before, (1, 1)), Lattice.clear(after, (1, 1)), 1)
    factor = _factor(scene.grid)
    pair = _small(scene, field, factor)
    sun = _azimuth(job.before), _azimuth(job.after)
    return stage(pair.before, pair.after, scene.bands, pixel_size(scene.grid), factor, given, sun)


def _small(scene: Scene, field: ShiftField, factor: int) -> Pair:
    """Both dates on the grid zoomed out by `factor`, in memory."""
    grid = scene.grid.zoom_out(factor) if factor > 1 else scene.grid
    before, after = (
        image.to_dataset(name="image")
        for image in decimated(scene.before["image"], scene.after["image"], grid)
    )
    # cubic: one of the screen's tests is how smooth things are
    images = AlignedImages.of(before, after, grid, field.zoomed(1 / factor), Warp("cubic"))
    everything = slice(0, int(grid.shape[0])), slice(0, int(grid.shape[1]))
    (pair,) = compute(*images.each([everything], _keep))
    small: Pair = pair
    return small


def _keep(_: Window, __: Window, pair: Pair) -> Pair:
    return pair


def _factor(grid: GeoBox) -> int:
    """Pixels a cell, a power of two."""
    return int(2 ** max(0, np.ceil(np.log2(max(grid.shape) / _MOST))))


def _has_mask(items: tuple[pystac.Item, ...], mask: object) -> bool:
    """Whether a date came with a mask: a file that was named, or one of its own beside every tile."""
    return bool(mask) or all(map(has_mask, items))


def _azimuth(items: tuple[pystac.Item, ...]) -> float | None:
    """Of the sun, where the metadata say (STAC view extension)."""
    first = min(items, key=lambda item: item.id)
    azimuth = first.properties.get("view:sun_azimuth")
    return None if azimuth is None else float(azimuth)
