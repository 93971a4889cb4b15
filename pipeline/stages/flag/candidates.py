"""Objects of a detector that gives `change` alone, before it is decided whether they are findings: found,
taken apart, measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from odc.geo.geobox import GeoBox

from pipeline.grid import pixel_size
from pipeline.pair import Mask, Pair
from pipeline.regime import regime
from pipeline.stages.flag.batches import batches, grown, inside
from pipeline.stages.flag.measure import RING_PX, Measures, crowds, measure
from pipeline.stages.flag.segment import Bytes, Labels, Levels, Segments, Window, segment_changes
from pipeline.stages.flag.split import LONG, split

WindowReader = Callable[[slice, slice], Pair]

SMALLEST_PX = 3  # of fewer pixels neither shape nor surroundings can be told
_MARGIN_PX = RING_PX + 4


@dataclass(frozen=True, eq=False)
class Candidate:
    """Changed pixels that may be one thing. `inside`: (y, x) in `window` of the grid; `percent`: their
    probability of change, the same pixels.
    """

    window: Window
    inside: Mask
    percent: Bytes
    measures: Measures


@dataclass(frozen=True, eq=False)
class Patch:
    """Connected changed pixels: as a `whole`, and as the `parts` that they fall into, if any."""

    whole: Candidate
    parts: tuple[Candidate, ...]


def find_patches(
    percent: Bytes,
    images: WindowReader,
    grid: GeoBox,
    bands: Sequence[str],
    levels: Levels,
    least_px: float = 0,
) -> list[Patch]:
    """Every patch of `least_px` pixels or more that can be measured. `percent`: probability of change (y, x),
    255 = not observed.
    """
    found = segment_changes(percent, SMALLEST_PX, levels)
    numbers = np.flatnonzero(found.sizes >= least_px)
    windows = [grown(found.windows[i], _MARGIN_PX, percent.shape) for i in numbers]
    crowd = crowds(found.centres * pixel_size(grid))[numbers]
    patches: dict[int, Patch] = {}
    for around, members in batches(windows):
        read = images(*around)
        for i in members:
            pair = read.window(*inside(around, windows[i]))
            patches[i] = _patch(found, int(numbers[i]), windows[i], pair, percent, grid, bands, crowd[i])
    return [patches[i] for i in range(len(windows))]


def _patch(
    found: Segments,
    number: int,
    window: Window,
    pair: Pair,
    percent: Bytes,
    grid: GeoBox,
    bands: Sequence[str],
    others: int,
) -> Patch:
    """Measure one patch; at coarse resolution it has no parts."""
    labels: Labels = found.labels[window]
    pixel, whole, here = pixel_size(grid), labels == number + 1, percent[window]
    free = pair.observed & (labels == 0)

    def candidates(parts: Sequence[Mask]) -> Iterator[Candidate]:
        for part in parts:
            measures = measure(pair, part, free, here.astype(np.float32), bands, pixel)
            yield Candidate(window, part, here, replace(measures, crowd=float(others)))

    (first,) = candidates([whole])
    long = first.measures.shape.length_m > LONG * first.measures.shape.width_m
    parts = split(pair, whole, pixel, long) if regime(pixel) == "fine" else [whole]
    return Patch(first, tuple(candidates(parts)) if len(parts) > 1 else ())
