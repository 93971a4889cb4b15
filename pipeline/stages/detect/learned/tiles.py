"""Tiles on an absolute grid: where they lie does not depend on how an image is cut into blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.pair import Float

Span = tuple[int, int]


@dataclass(frozen=True)
class Tile:
    """Rows and columns counted from the block's first pixel. `core`: what is kept, inside the block.

    `shown`: what the network is shown, which may reach beyond the block; sides are multiples of the step.
    """

    core: tuple[Span, Span]
    shown: tuple[Span, Span]

    def cut(self, image: Float) -> Float:
        """What of a block (band, y, x) is shown, NaN where it reaches beyond the block."""
        (top, bottom), (left, right) = self.shown
        _, height, width = image.shape
        rows = slice(max(top, 0), min(bottom, height))
        cols = slice(max(left, 0), min(right, width))
        margins = (rows.start - top, bottom - rows.stop), (cols.start - left, right - cols.stop)
        part = image[:, rows, cols]
        if not any(map(any, margins)):
            return part
        return np.pad(part, ((0, 0), *margins), constant_values=np.float32(np.nan))

    @property
    def kept(self) -> tuple[slice, slice]:
        """Where in what is shown the core lies."""
        rows, cols = (
            slice(core[0] - shown[0], core[1] - shown[0])
            for core, shown in zip(self.core, self.shown, strict=True)
        )
        return rows, cols

    @property
    def window(self) -> tuple[slice, slice]:
        """The core as slices of the block."""
        rows, cols = (slice(*span) for span in self.core)
        return rows, cols


@dataclass(frozen=True)
class Tiling:
    """Cores of `side` pixels with `overlap` around; where the block ends before that, what is shown ends at
    the next multiple of `step`, unless `whole` is set. All in pixels of the block.
    """

    side: int
    overlap: int
    step: int
    whole: bool = False

    def __call__(self, shape: Span, origin: Span) -> Iterator[Tile]:
        """The tiles that a block of `shape` touches, whose first pixel is `origin` of the grid."""
        for rows in self._spans(shape[0], origin[0]):
            for cols in self._spans(shape[1], origin[1]):
                yield Tile((rows[0], cols[0]), (rows[1], cols[1]))

    def _spans(self, size: int, origin: int) -> Iterator[tuple[Span, Span]]:
        """(core, shown) along one axis, from the block's first pixel."""
        first, last = origin // self.side, (origin + size - 1) // self.side
        low, high = origin // self.step * self.step, -(-(origin + size) // self.step) * self.step
        for number in range(first, last + 1):
            start, stop = number * self.side, (number + 1) * self.side
            shown = start - self.overlap, stop + self.overlap
            if not self.whole:
                shown = max(shown[0], low), min(shown[1], high)
            core = max(start, origin), min(stop, origin + size)
            yield (core[0] - origin, core[1] - origin), (shown[0] - origin, shown[1] - origin)
