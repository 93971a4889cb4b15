"""The shift field: how far the after image is off, at every ground point of the site's grid.

`(dx, dy)` are metres, x east and y north: what lies at (X, Y) in the before image is seen at (X + dx, Y + dy)
in the after image as delivered. The field is a tensor product of uniform cubic B-splines (Eilers and Marx
1996), so a small array of coefficients says all of it and every block evaluates it to the same bits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from odc.geo.geobox import GeoBox

MARGIN = 64.0  # pixels round the grid over which the field is still defined; beyond, its edge value holds


@dataclass(frozen=True, eq=False)
class ShiftField:
    """Cubic B-spline coefficients (rows, cols) of dx and dy in metres, a knot every `step` pixels of the
    grid, the first at pixel `origin` of both axes.
    """

    step: float
    dx: NDArray[np.float64]
    dy: NDArray[np.float64]
    origin: float = -MARGIN

    @staticmethod
    def lattice(shape: tuple[int, int], step: float) -> tuple[int, int]:
        """Shape of the coefficients that cover a grid of `shape` pixels and its margin."""
        rows, cols = (math.ceil((size + 2 * MARGIN) / step) + 3 for size in shape)
        return rows, cols

    @classmethod
    def constant(cls, grid: GeoBox, dx: float, dy: float) -> ShiftField:
        """The same shift everywhere, in metres."""
        step = float(max(grid.shape) + 2 * MARGIN)
        shape = cls.lattice((int(grid.shape[0]), int(grid.shape[1])), step)
        return cls(step, np.full(shape, dx), np.full(shape, dy))

    @classmethod
    def zero(cls, grid: GeoBox) -> ShiftField:
        """No shift."""
        return cls.constant(grid, 0.0, 0.0)

    def at(self, rows: ArrayLike, cols: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(dx, dy) in metres at pixel centres of the grid (row 0 is the centre of the first); arguments
        broadcast.

        `at(rows[:, None], cols[None, :])` gives a block. Each value depends on its own row and column only.
        """
        height, width = self.dx.shape
        first_row, row_weights = basis(rows, self.step, height, self.origin)
        first_col, col_weights = basis(cols, self.step, width, self.origin)
        shape = np.broadcast_shapes(first_row.shape, first_col.shape)
        dx, dy = np.zeros(shape), np.zeros(shape)
        for i in range(4):
            for j in range(4):
                weight = row_weights[i] * col_weights[j]
                dx += weight * self.dx[first_row + i, first_col + j]
                dy += weight * self.dy[first_row + i, first_col + j]
        return dx, dy

    def over(self, rows: NDArray[np.float64], cols: NDArray[np.float64]) -> NDArray[np.float32]:
        """The same for a block, as float32 (2, rows, cols): along columns first, then along rows."""
        first_row, row_weights = basis(rows, self.step, self.dx.shape[0], self.origin)
        first_col, col_weights = basis(cols, self.step, self.dx.shape[1], self.origin)
        out = np.empty((2, len(rows), len(cols)), np.float32)
        for band, coefficients in enumerate((self.dx, self.dy)):
            across = np.sum([w * coefficients[:, first_col + j] for j, w in enumerate(col_weights)], axis=0)
            out[band] = np.sum(
                [w[:, None] * across[first_row + i] for i, w in enumerate(row_weights)], axis=0
            )
        return out

    def zoomed(self, factor: float) -> ShiftField:
        """The same field on a grid with `factor` times as many pixels along each axis."""
        return ShiftField(self.step * factor, self.dx, self.dy, (self.origin + 0.5) * factor - 0.5)

    def steepness(self, pixel: tuple[float, float]) -> float:
        """Upper bound of the field's slope, in pixels a pixel; a map that folds or tears has one near or
        above 1.
        """
        width, height = pixel
        slopes = [
            np.abs(np.diff(c / size, axis=axis)).max(initial=0.0) / self.step
            for c, size in ((self.dx, width), (self.dy, height))
            for axis in (0, 1)
        ]
        return float(max(slopes))


def basis(
    positions: ArrayLike, step: float, count: int, origin: float = -MARGIN
) -> tuple[NDArray[np.intp], tuple[NDArray[np.float64], ...]]:
    """Index of the first of the four B-splines that are not zero at each position, and their weights.

    Positions are in pixels and are clamped to where `count` coefficients reach.
    """
    at = np.clip((np.asarray(positions, np.float64) - origin) / step, 0.0, count - 3.0)
    first = np.minimum(np.floor(at), count - 4.0)
    t = at - first
    weights = (
        (1 - t) ** 3 / 6,
        (3 * t**3 - 6 * t**2 + 4) / 6,
        (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6,
        t**3 / 6,
    )
    return first.astype(np.intp), weights
