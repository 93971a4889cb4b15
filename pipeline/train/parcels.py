"""Parcels of farmland with straight borders, for what is sown, cut and ploughed between two dates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree


def parcels(
    rng: np.random.Generator, size: int, count: int, narrowest: float = 0.5, angle: float = 0.0
) -> NDArray[np.int64]:
    """Which of `count` parcels each pixel of a square of `size` belongs to (y, x); long ones lie alike.

    `narrowest`: width over length, at least. `angle`: radians by which all of them are turned.
    """
    stretch = rng.uniform(narrowest, 1, 2)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    place = np.moveaxis(np.indices((size, size)), 0, -1) @ turn * stretch
    _, nearest = cKDTree(rng.uniform(0, size, (count, 2)) @ turn * stretch).query(place)
    return np.asarray(nearest, np.int64)
