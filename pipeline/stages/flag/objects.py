"""Objects of a detector that gives a layer for each kind: found, told apart, measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from pipeline.grid import pixel_size
from pipeline.pair import Mask
from pipeline.stages.detect.detector import CHANGE, KINDS, REMOVED, STANDING, LayerReader
from pipeline.stages.flag.batches import batches, grown, inside
from pipeline.stages.flag.candidates import SMALLEST_PX
from pipeline.stages.flag.groups import Part, corner, groups, together
from pipeline.stages.flag.kinds import regions
from pipeline.stages.flag.measure import crowds
from pipeline.stages.flag.roofs import separate
from pipeline.stages.flag.segment import Bytes, Levels, Window, segment_changes
from pipeline.stages.flag.shape import Shape, measure_shape
from pipeline.stages.flag.stats import RING_PX, stats

GROUP_GAP_M = 4.0  # between machines of one group
_MARGIN_PX = RING_PX + 2
_LEAST_GAP_PX = 2.0
_PART = 0.25  # of the least pixels: a machine of a group may be so much smaller


Here = dict[str, Bytes]  # layers of a window, by name


@dataclass(frozen=True, eq=False)
class Object:
    """Pixels that may be one thing, of one kind. `inside`: (y, x) in `window` of the grid; `percent`: the
    layer `found_in`, the same pixels; `stats`: numbers by name.
    """

    window: Window
    inside: Mask
    percent: Bytes
    kind: str
    found_in: str
    shape: Shape
    stats: dict[str, float]


def find_objects(layers: LayerReader, grid: GeoBox, levels: Levels, least_px: float = 0) -> list[Object]:
    """Every object of `least_px` pixels or more, of what is new and of what is removed."""
    pixel, shape = pixel_size(grid), (int(grid.shape[0]), int(grid.shape[1]))
    found = [*_new(layers, shape, pixel, levels, least_px)]
    if REMOVED in layers.names:
        found += _removed(layers, shape, pixel, levels, least_px)
    middles = [_middle(each) for each in found]
    crowd = crowds(np.array(middles).reshape(-1, 2) * pixel)
    return [
        replace(each, stats=each.stats | {"log crowd": float(np.log1p(others))})
        for each, others in zip(found, crowd, strict=True)
    ]


def _new(
    layers: LayerReader, shape: tuple[int, int], pixel: float, levels: Levels, least_px: float
) -> Iterator[Object]:
    machines: list[Part] = []
    for window, mask, here in _patches(layers, CHANGE, shape, levels, least_px * _PART):
        for region in regions(np.stack([here[name] for name in KINDS]), mask):
            kind = KINDS[region.kind]
            parts = separate(region.inside, here[kind]) if kind == "building" else [region.inside]
            if kind == "equipment":
                machines += [(window, part) for part in parts]
                continue
            for part in parts:
                if part.sum() >= least_px:
                    yield _object(window, part, here, kind, CHANGE, levels, pixel)
    gap = max(GROUP_GAP_M / pixel, _LEAST_GAP_PX)
    whole = [together([machines[i] for i in group], gap) for group in groups(machines, gap)]
    for window, mask in whole:
        if mask.sum() >= least_px:
            yield _object(window, mask, _read(layers, window), "equipment", CHANGE, levels, pixel)


def _removed(
    layers: LayerReader, shape: tuple[int, int], pixel: float, levels: Levels, least_px: float
) -> Iterator[Object]:
    """What was taken away: a building where one stood."""
    for window, mask, here in _patches(layers, REMOVED, shape, levels, least_px):
        standing = STANDING in here and float(here[STANDING][mask].mean()) >= levels.core
        for part in separate(mask, here[REMOVED]) if standing else [mask]:
            if part.sum() >= least_px:
                yield _object(window, part, here, "building" if standing else "other", REMOVED, levels, pixel)


def _patches(
    layers: LayerReader, name: str, shape: tuple[int, int], levels: Levels, least_px: float
) -> Iterator[tuple[Window, Mask, Here]]:
    """Connected pixels of a layer, and all layers around them, block by block."""
    found = segment_changes(partial(layers.layer, name), shape, SMALLEST_PX, levels)
    numbers = np.flatnonzero(found.sizes >= least_px)
    windows = [grown(found.windows[i], _MARGIN_PX, shape) for i in numbers]
    for around, members in batches(windows):
        stack = layers(*around)
        for i in members:
            own = stack[:, *inside(around, windows[i])]
            here = dict(zip(layers.names, own, strict=True))
            yield windows[i], found.labels(*windows[i]) == numbers[i] + 1, here


def _read(layers: LayerReader, window: Window) -> Here:
    return dict(zip(layers.names, layers(*window), strict=True))


def _object(
    window: Window, mask: Mask, here: Here, kind: str, found_in: str, levels: Levels, pixel: float
) -> Object:
    shape = measure_shape(mask, pixel)
    opposite = REMOVED if found_in == CHANGE else CHANGE
    known = stats(here[found_in], mask, here[found_in] < levels.edge, here, shape, pixel, opposite)
    return Object(window, mask, here[found_in], kind, found_in, shape, known)


def _middle(each: Object) -> NDArray[np.float64]:
    """Row and column on the grid."""
    return np.asarray(np.argwhere(each.inside).mean(axis=0) + corner(each.window))
