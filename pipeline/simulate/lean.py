"""How an image taken from the side shows things that stand up: roofs move off their feet, hide ground."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.simulate.noise import Array

Rows = NDArray[np.intp]
_LEAST = 0.4  # metres; what is lower stays where it is
_LAYERS = 12


def leaning(height: Array, step: float, lean: tuple[float, float]) -> tuple[Rows, Rows, NDArray[np.bool_]]:
    """Where each pixel of a side-looking image looks: rows and columns (y, x) of the upright one, and whether
    it sees a wall.

    `height`: metres above ground (y, x); `lean`: metres east and north that a point moves for each metre of
    height. A line of sight meets the highest thing on its way first, so layers are tried from the top.
    """
    rows, cols = (np.asarray(index, np.intp) for index in np.indices(height.shape))
    from_row, from_col = np.array(rows), np.array(cols)
    wall = np.zeros(height.shape, bool)
    free = np.ones(height.shape, bool)
    top = float(height.max())
    if top < _LEAST or lean == (0.0, 0.0):
        return from_row, from_col, wall
    reach = top * float(np.hypot(*lean)) / step
    levels = np.linspace(top, _LEAST, max(_LAYERS, 2 * int(np.ceil(reach))))
    gap = levels[0] - levels[1]
    for level in levels:
        row = np.clip(rows + round(level * lean[1] / step), 0, height.shape[0] - 1)
        col = np.clip(cols - round(level * lean[0] / step), 0, height.shape[1] - 1)
        there = height[row, col]
        met = free & (there >= level)
        from_row[met], from_col[met] = row[met], col[met]
        wall[met] = there[met] > level + 1.5 * gap
        free &= ~met
    return from_row, from_col, wall
