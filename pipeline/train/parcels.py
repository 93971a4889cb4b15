"""Parcels of farmland with straight borders, for what is sown, cut and ploughed between two dates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree


def parcels(rng: np.random.Generator, size: int, count: int) -> NDArray[np.int64]:
    """Which of `count` parcels each pixel of a square of `size` belongs to (y, x); long ones lie alike."""
    stretch = rng.uniform(0.5, 1, 2)
    place = np.moveaxis(np.indices((size, size)), 0, -1) * stretch
    _, nearest = cKDTree(rng.uniform(0, size, (count, 2)) * stretch).query(place)
    return np.asarray(nearest, np.int64)
