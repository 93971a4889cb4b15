"""Objects before it is decided whether they are findings: found, measured, outlined."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from scipy import ndimage
from shapely.geometry.base import BaseGeometry

from pipeline.grid import pixel_size
from pipeline.pair import Pair
from pipeline.stages.flag.measure import RING_PX, Measures, crowds, measure
from pipeline.stages.flag.outline import outline
from pipeline.stages.flag.segment import Labels, segment_changes

WindowReader = Callable[[slice, slice], Pair]

_SMALLEST_PX = 3  # of fewer pixels neither shape nor surroundings can be told
_MARGIN_PX = RING_PX + 4


@dataclass(frozen=True)
class Candidate:
    """One changed object: its number in the labels, its measures, its outline in the grid's CRS."""

    label: int
    measures: Measures
    outline: BaseGeometry


def find_candidates(
    percent: NDArray[np.uint8], images: WindowReader, grid: GeoBox, bands: Sequence[str]
) -> tuple[Labels, list[Candidate]]:
    """Every object that can be measured. `percent` and the labels are (y, x); candidate i has label i + 1."""
    labels, _ = segment_changes(percent, _SMALLEST_PX)
    windows = [_grown(window, labels.shape) for window in ndimage.find_objects(labels)]
    found = [
        Candidate(
            label,
            _measured(images(*window), labels[window], label, percent[window], bands, pixel_size(grid)),
            outline(labels[window] == label, grid[window]),
        )
        for label, window in enumerate(windows, start=1)
    ]
    crowd = crowds(np.array([each.outline.centroid.coords[0] for each in found]).reshape(-1, 2))
    return labels, [
        replace(each, measures=replace(each.measures, crowd=float(others)))
        for each, others in zip(found, crowd, strict=True)
    ]


def _measured(
    pair: Pair,
    labels: Labels,
    label: int,
    percent: NDArray[np.uint8],
    bands: Sequence[str],
    pixel: float,
) -> Measures:
    free = pair.observed & (labels == 0)
    return measure(pair, labels == label, free, percent.astype(np.float32), bands, pixel)


def _grown(window: tuple[slice, slice], shape: tuple[int, ...]) -> tuple[slice, slice]:
    rows, cols = (
        slice(max(0, part.start - _MARGIN_PX), min(size, part.stop + _MARGIN_PX))
        for part, size in zip(window, shape, strict=True)
    )
    return rows, cols
