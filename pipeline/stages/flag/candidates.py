"""Objects of a detector that gives `change` alone, before it is decided whether they are findings: found,
taken apart, measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from threading import Lock
from typing import NamedTuple

import numpy as np
from dask.delayed import delayed
from odc.geo.geobox import GeoBox

from pipeline.compute import compute
from pipeline.grid import pixel_size
from pipeline.pair import Mask, Pair
from pipeline.regime import regime
from pipeline.stages.detect.detector import CHANGE, LayerReader
from pipeline.stages.flag.batches import batches, grown, inside
from pipeline.stages.flag.measure import RING_PX, Measures, crowds, measure
from pipeline.stages.flag.segment import Bytes, Labels, Levels, Window, segment_changes
from pipeline.stages.flag.split import LONG, split

WindowReader = Callable[[slice, slice], Pair]

SMALLEST_PX = 3  # of fewer pixels neither shape nor surroundings can be told
_MARGIN_PX = RING_PX + 4
_IN_TURN = 6  # neighbouring reads by one thread, which has the tiles that they share still open
_MEASURING = Lock()  # small arrays: threads that measure side by side only wait for each other


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
    layers: LayerReader,
    images: WindowReader,
    grid: GeoBox,
    bands: Sequence[str],
    levels: Levels,
    least_px: float = 0,
) -> list[Patch]:
    """Every patch of `least_px` pixels or more that can be measured. Of `layers`, `change` alone is looked
    at.
    """
    pixel, shape = pixel_size(grid), (int(grid.shape[0]), int(grid.shape[1]))
    found = segment_changes(partial(layers.layer, CHANGE), shape, SMALLEST_PX, levels)
    numbers = np.flatnonzero(found.sizes >= least_px)
    windows = [grown(found.windows[i], _MARGIN_PX, shape) for i in numbers]
    crowd = crowds(found.centres * pixel)[numbers]
    spots = [
        _Spot(int(numbers[i]) + 1, window, found.labels(*window), int(crowd[i]))
        for i, window in enumerate(windows)
    ]
    together = list(batches(windows))
    reads = [_Read(around, [spots[i] for i in members]) for around, members in together]
    tasks = [  # partial, so that Dask does not look through the spots for values of its own
        delayed(
            partial(_measured, layers, images, reads[start : start + _IN_TURN], bands, pixel), pure=False
        )()
        for start in range(0, len(reads), _IN_TURN)
    ]
    order = np.argsort(np.concatenate([members for _, members in together] or [[]]), kind="stable")
    measured = [patch for patches in compute(*tasks) for patch in patches]
    return [measured[i] for i in order]


class _Spot(NamedTuple):
    """A patch to be measured: its number among `labels`, and what is known of its window of the grid."""

    number: int
    window: Window
    labels: Labels
    others: int


class _Read(NamedTuple):
    """What is read in one go, and the spots that lie in it."""

    around: Window
    spots: list[_Spot]


def _measured(
    layers: LayerReader, images: WindowReader, reads: Sequence[_Read], bands: Sequence[str], pixel: float
) -> list[Patch]:
    """Read both dates and `change` once, and measure all spots there."""
    patches = []
    for around, spots in reads:
        pair, percent = images(*around), layers(*around)[layers.names.index(CHANGE)]
        with _MEASURING:
            patches += [
                _patch(spot, pair.window(*own), percent[own], bands, pixel)
                for spot in spots
                for own in [inside(around, spot.window)]
            ]
    return patches


def _patch(spot: _Spot, pair: Pair, percent: Bytes, bands: Sequence[str], pixel: float) -> Patch:
    """Measure one patch; at coarse resolution it has no parts."""
    whole, free = spot.labels == spot.number, pair.observed & (spot.labels == 0)

    def candidates(parts: Sequence[Mask]) -> Iterator[Candidate]:
        for part in parts:
            measures = measure(pair, part, free, percent.astype(np.float32), bands, pixel)
            yield Candidate(spot.window, part, percent, replace(measures, crowd=float(spot.others)))

    (first,) = candidates([whole])
    long = first.measures.shape.length_m > LONG * first.measures.shape.width_m
    parts = split(pair, whole, pixel, long) if regime(pixel) == "fine" else [whole]
    return Patch(first, tuple(candidates(parts)) if len(parts) > 1 else ())
