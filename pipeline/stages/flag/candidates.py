"""Objects before it is decided whether they are findings: found, taken apart, measured, outlined."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from scipy import ndimage
from shapely.geometry.base import BaseGeometry

from pipeline.grid import pixel_size
from pipeline.pair import Mask, Pair
from pipeline.regime import regime
from pipeline.stages.flag.measure import RING_PX, Measures, crowds, measure
from pipeline.stages.flag.outline import outline
from pipeline.stages.flag.segment import Labels, segment_changes
from pipeline.stages.flag.split import split

WindowReader = Callable[[slice, slice], Pair]
Window = tuple[slice, slice]

_SMALLEST_PX = 3  # of fewer pixels neither shape nor surroundings can be told
_MARGIN_PX = RING_PX + 4


@dataclass(frozen=True, eq=False)
class Candidate:
    """One thing that changed. Things that touch share the `patch` of changed pixels that they were part of.

    `inside`: its pixels (y, x) in `window` of the grid; `outline`: in the grid's CRS.
    """

    patch: int
    window: Window
    inside: Mask
    measures: Measures
    outline: BaseGeometry


def find_candidates(
    percent: NDArray[np.uint8], images: WindowReader, grid: GeoBox, bands: Sequence[str]
) -> list[Candidate]:
    """Every thing that can be measured. `percent`: probability of change (y, x), 255 = not observed."""
    labels, _ = segment_changes(percent, _SMALLEST_PX)
    windows = [_grown(window, labels.shape) for window in ndimage.find_objects(labels)]
    found = [
        part
        for patch, window in enumerate(windows, start=1)
        for part in _parts(patch, window, labels[window], images(*window), percent[window], grid, bands)
    ]
    centres = [ndimage.center_of_mass(labels[w] == i) for i, w in enumerate(windows, start=1)]
    corners = [(w[0].start, w[1].start) for w in windows]
    crowd = crowds((np.array(centres) + np.array(corners)).reshape(-1, 2) * pixel_size(grid))
    return [
        replace(each, measures=replace(each.measures, crowd=float(crowd[each.patch - 1]))) for each in found
    ]


def _parts(
    patch: int,
    window: Window,
    labels: Labels,
    pair: Pair,
    percent: NDArray[np.uint8],
    grid: GeoBox,
    bands: Sequence[str],
) -> Iterator[Candidate]:
    """The things in one patch; at coarse resolution a patch is one thing."""
    pixel, whole = pixel_size(grid), labels == patch
    free = pair.observed & (labels == 0)
    for inside in split(pair, whole, pixel) if regime(pixel) == "fine" else [whole]:
        measures = measure(pair, inside, free, percent.astype(np.float32), bands, pixel)
        yield Candidate(patch, window, inside, measures, outline(inside, grid[window]))


def _grown(window: Window, shape: tuple[int, ...]) -> Window:
    rows, cols = (
        slice(max(0, part.start - _MARGIN_PX), min(size, part.stop + _MARGIN_PX))
        for part, size in zip(window, shape, strict=True)
    )
    return rows, cols
