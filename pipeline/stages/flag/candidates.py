"""Objects before it is decided whether they are findings: found, taken apart, measured, outlined."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    """Changed pixels that may be one thing. `inside`: (y, x) in `window` of the grid; `outline`: in the
    grid's CRS.
    """

    window: Window
    inside: Mask
    measures: Measures
    outline: BaseGeometry


@dataclass(frozen=True, eq=False)
class Patch:
    """Connected changed pixels: as a `whole`, and as the `parts` that they fall into, if any."""

    whole: Candidate
    parts: tuple[Candidate, ...]


def find_patches(
    percent: NDArray[np.uint8], images: WindowReader, grid: GeoBox, bands: Sequence[str]
) -> list[Patch]:
    """Every patch that can be measured. `percent`: probability of change (y, x), 255 = not observed."""
    labels, _ = segment_changes(percent, _SMALLEST_PX)
    windows = [_grown(window, labels.shape) for window in ndimage.find_objects(labels)]
    centres = [ndimage.center_of_mass(labels[w] == i) for i, w in enumerate(windows, start=1)]
    corners = [(w[0].start, w[1].start) for w in windows]
    crowd = crowds((np.array(centres) + np.array(corners)).reshape(-1, 2) * pixel_size(grid))
    return [
        _patch(number, window, labels[window], images(*window), percent[window], grid[window], bands, others)
        for number, (window, others) in enumerate(zip(windows, crowd, strict=True), start=1)
    ]


def _patch(
    number: int,
    window: Window,
    labels: Labels,
    pair: Pair,
    percent: NDArray[np.uint8],
    ground: GeoBox,
    bands: Sequence[str],
    others: int,
) -> Patch:
    """Measure one patch; at coarse resolution it has no parts."""
    pixel, whole = pixel_size(ground), labels == number
    free = pair.observed & (labels == 0)

    def candidate(inside: Mask) -> Candidate:
        found = measure(pair, inside, free, percent.astype(np.float32), bands, pixel)
        return Candidate(window, inside, replace(found, crowd=float(others)), outline(inside, ground))

    parts = split(pair, whole, pixel) if regime(pixel) == "fine" else [whole]
    return Patch(candidate(whole), tuple(candidate(part) for part in parts) if len(parts) > 1 else ())


def _grown(window: Window, shape: tuple[int, ...]) -> Window:
    rows, cols = (
        slice(max(0, part.start - _MARGIN_PX), min(size, part.stop + _MARGIN_PX))
        for part, size in zip(window, shape, strict=True)
    )
    return rows, cols
