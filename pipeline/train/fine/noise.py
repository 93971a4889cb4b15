"""Noise that is uneven at many scales: clouds, crops, soil."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Float = NDArray[np.float32]
_CELLS = (3, 6, 12, 24, 48, 96)


def fractal(rng: np.random.Generator, size: int, smooth: float, first: int = 0) -> Float:
    """Noise (y, x), `smooth` times weaker at each finer scale; without the `first` coarsest ones."""
    total = np.zeros((size, size), np.float32)
    for octave, cells in enumerate(_CELLS[first:]):
        noise = rng.standard_normal((cells + 1, cells + 1)).astype(np.float32)
        total += np.float32(smooth**-octave) * ndimage.zoom(
            noise, size / (cells + 1), order=1, grid_mode=True, mode="nearest"
        )
    return np.asarray(total / total.std(), np.float32)
