"""Where windows are matched: everywhere on a small grid, in well spread clusters on a large one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCK = 768  # pixels a side of the windows' starts that one task of a dense lattice matches
TILE = 512  # pixels a side of the tiles that large images are stored in; a cluster keeps inside one
SIDE = 3  # windows a side of a cluster
FEW = 6  # windows along each axis, of a thinned lattice
SMALLEST = 32  # pixels a side of a window, at least

Starts = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Lattice:
    """Windows of `window` pixels a side, at each of the `rows` by each of the `cols` they start on; `group`
    of them a side are matched in one task.
    """

    window: int
    rows: Starts
    cols: Starts
    group: int

    @staticmethod
    def dense(shape: tuple[int, int], window: int, spacing: int, most: int, larger: int = 1) -> Lattice:
        """One window every `spacing` pixels, centred on the grid; at most about `most`, by wider spacing.

        On small grids windows are smaller and closer, so that there are enough; `larger` widens them after
        that.
        """
        fitting = 2 ** int(math.log2(max(min(shape) / 4, 1)))
        size = max(min(window, fitting), SMALLEST)
        apart = max(16, round(spacing * size / window), math.ceil(math.sqrt(shape[0] * shape[1] / most)))
        rows, cols = (_spread(length, size * larger, apart) for length in shape)
        return Lattice(size * larger, rows, cols, max(1, BLOCK // apart))

    @staticmethod
    def clusters(shape: tuple[int, int], window: int, spacing: int, most: int, tile: int = TILE) -> Lattice:
        """SIDE x SIDE windows, `spacing` apart, in the middle of each of at most `most` tiles an axis."""
        span = window + (SIDE - 1) * spacing
        rows, cols = (
            (_tiles(length, span, most, tile)[:, None] + spacing * np.arange(SIDE)).ravel()
            for length in shape
        )
        return Lattice(window, rows, cols, SIDE)

    @staticmethod
    def sparse(shape: tuple[int, int], window: int, most: int, tile: int = TILE) -> Lattice:
        """One window in the middle of each of at most `most` tiles an axis."""
        rows, cols = (_tiles(length, window, most, tile) for length in shape)
        return Lattice(window, rows, cols, 1)

    def thinned(self) -> Lattice:
        """About FEW windows along each axis, spread over all."""
        down, across = self.strides
        return Lattice(
            self.window, self.rows[::down], self.cols[::across], max(1, self.group // max(down, across))
        )

    @property
    def strides(self) -> tuple[int, int]:
        """Every so many-th row and column is in the thinned lattice."""
        return max(1, len(self.rows) // FEW), max(1, len(self.cols) // FEW)

    def blocks(self) -> Iterator[tuple[slice, slice]]:
        """Which of `rows` and `cols` one task matches, task by task."""
        for i in range(0, len(self.rows), self.group):
            for j in range(0, len(self.cols), self.group):
                yield slice(i, i + self.group), slice(j, j + self.group)


def _spread(size: int, window: int, spacing: int) -> Starts:
    """None where the axis is shorter than a window."""
    count = (size - window) // spacing + 1
    if count < 1:
        return np.empty(0, np.intp)
    margin = (size - window - (count - 1) * spacing) // 2
    return np.arange(count) * spacing + margin


def _tiles(size: int, span: int, most: int, tile: int) -> Starts:
    """Where `span` pixels in the middle of a tile start; in the last tile, which may be cut, earlier."""
    count = math.ceil(size / tile)
    chosen = np.unique(np.linspace(0, count - 1, min(most, count)).round().astype(np.intp))
    starts = np.minimum(chosen * tile + (tile - span) // 2, size - span)
    return np.unique(starts)
