"""How much of an area one date shows, from a small copy of its masks: a catalogue's figure for cloud is of
whole tiles, and says nothing of a compound within one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pystac
import shapely
from numpy.typing import NDArray
from odc.geo import Geometry
from odc.geo.geobox import GeoBox
from rasterio.windows import Window

from pipeline.scenes.masks import READINGS, MaskSource, file_masks, item_masks
from pipeline.scenes.opening import read_from
from pipeline.scenes.sampling import Positions, positions
from pipeline.scenes.sources import BandSource, band_sources
from pipeline.scenes.tiles import dataset_mask, hidden_by_file
from pipeline.scenes.values import physical

CELLS = 128
"""Cells a side in which the area is looked at; a file is read at about twice as many pixels."""

Bools = NDArray[np.bool_]


def visible_share(items: Sequence[pystac.Item], area: Geometry | None, masks: Sequence[Path] = ()) -> float:
    """Share 0..1 of the area (of all that the Items cover, without one) that one of them shows: inside the
    image, not nodata, under no mask (`masks` lie over all of them). Raises SourceUnreadableError.
    """
    given = file_masks(masks)
    bands = [list(band_sources(item).values()) for item in items]
    region = area if area is not None else _together([each[0].grid for each in bands if each])
    lattice = GeoBox.from_bbox(region.boundingbox, shape=(CELLS, CELLS), crs=region.crs)
    rows, cols = np.indices(lattice.shape.yx) + 0.5
    own = shapely.from_wkb(region.geom.wkb)  # to be prepared, which two threads must not do to one geometry
    inside = shapely.contains_xy(own, *(lattice.transform * (cols, rows)))
    seen = np.zeros(lattice.shape.yx, bool)
    for item, sources in zip(items, bands, strict=True):
        if sources and not seen[inside].all():
            seen |= _seen(sources, (*given, *item_masks(item)), lattice)
    return float(seen[inside].mean())


def _together(grids: Sequence[GeoBox]) -> Geometry:
    extents = [grid.geographic_extent for grid in grids]
    return Geometry(shapely.union_all([extent.geom for extent in extents]), extents[0].crs)


def _seen(bands: Sequence[BandSource], masks: Sequence[MaskSource], lattice: GeoBox) -> Bools:
    """Which cells of the lattice a tile shows, by its masks; by its first file where none tells of nodata."""
    at = _cells(lattice, bands[0].grid)
    seen = at.inside(bands[0].grid.shape.yx)
    if seen.any() and not any(READINGS[mask.kind].tells_nodata for mask in masks):
        seen &= ~_empty([band for band in bands if band.href == bands[0].href], at)
    for mask in masks:
        if seen.any():
            seen &= ~_hidden(mask, _cells(lattice, mask.grid))
    return seen


def _cells(lattice: GeoBox, grid: GeoBox) -> Positions:
    rows, cols = lattice.shape.yx
    at = positions(lattice, np.s_[0:rows, 0:cols], grid)
    shape = (rows, cols)
    return Positions(np.broadcast_to(at.cols, shape), np.broadcast_to(at.rows, shape))


def _hidden(mask: MaskSource, at: Positions) -> Bools:
    reading = READINGS[mask.kind]

    def hidden(source: Any, window: Window, shape: tuple[int, int]) -> Bools:
        return reading.hidden(
            source.read(reading.bands, window=window, out_shape=(len(reading.bands), *shape))
        )

    return _sampled(mask.href, mask.grid, at, hidden)


def _empty(bands: Sequence[BandSource], at: Positions) -> Bools:
    def empty(source: Any, window: Window, shape: tuple[int, int]) -> Bools:
        marked = any(band.nodata is not None or band.dtype.startswith("float") for band in bands)
        if not (marked or bands[0].alpha or dataset_mask(source, bands[0])):
            return np.zeros(shape, bool)
        indexes = [band.index for band in bands]
        counts = source.read(indexes, window=window, out_shape=(len(bands), *shape))
        _, nowhere, together = physical(counts, bands)
        for more in (together, hidden_by_file(source, bands[0], window, shape)):
            if more is not None:
                nowhere |= more
        return nowhere

    return _sampled(bands[0].href, bands[0].grid, at, empty)


def _sampled(
    href: str, grid: GeoBox, at: Positions, work: Callable[[Any, Window, tuple[int, int]], Bools]
) -> Bools:
    """What `work` says of a decimated window around the positions, at each; False beyond the file."""
    window = at.window(grid.shape.yx)
    if window is None:
        return np.zeros(at.rows.shape, bool)
    part = Window.from_slices(*window)
    shape = min(int(part.height), 2 * CELLS), min(int(part.width), 2 * CELLS)
    values = read_from(href, lambda source: work(source, part, shape))
    here = at.within(window)
    rows = np.clip((here.rows + 0.5) * (shape[0] / part.height), 0, shape[0] - 1).astype(int)
    cols = np.clip((here.cols + 0.5) * (shape[1] / part.width), 0, shape[1] - 1).astype(int)
    return np.asarray(values[rows, cols] & at.inside(grid.shape.yx))
