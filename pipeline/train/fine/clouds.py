"""Clouds and their shadows over one date: they are nothing that was built, and hide what was."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pipeline.train.fine.sample import CLASSES, IGNORE, REMOVED, STANDS, STOOD, Bytes

Float = NDArray[np.float32]
_OPAQUE = 0.35  # of the ground's light that is lost: what is below is not known
_CELLS = (3, 6, 12, 24, 48, 96)
_WHITE = (190.0, 900.0)  # counts: an 8-bit product ends at 255, a sensor's own counts go on


def clouded(rng: np.random.Generator, images: Float, labels: Bytes) -> tuple[Float, Bytes]:
    """The same pair, (6, y, x) and (4, y, x), with clouds over a random date, over 5 to 40 % of it.

    Veils and heaps, ragged and smooth, with rims that fade or end at once, and most with shadows.
    """
    size = images.shape[1]
    thick = _thickness(rng, size)
    shade = np.zeros_like(thick)
    if rng.random() < 0.7:
        away = tuple(int(n) for n in rng.integers(-90, 90, 2))
        fallen = ndimage.shift(thick, away, order=0, mode="nearest")
        shade = rng.uniform(0.3, 0.7) * ndimage.gaussian_filter(fallen, rng.uniform(0.3, 3))
    date = int(rng.integers(2))
    images, labels = images.copy(), labels.copy()
    bands = slice(3 * date, 3 * date + 3)
    white = np.exp(rng.uniform(*np.log(_WHITE))) * rng.uniform(0.95, 1.05, (3, 1, 1))
    white = white * (1 + rng.uniform(0, 0.06) * _fractal(rng, size, 1.5))
    images[bands] = images[bands] * (1 - shade) * (1 - thick) + white * thick
    _hide(labels, thick > _OPAQUE, STANDS if date else STOOD)
    return images, labels


def _thickness(rng: np.random.Generator, size: int) -> Float:
    """Share of the ground's light that is lost, 0..1 (y, x)."""
    field = _fractal(rng, size, rng.uniform(1.3, 3), int(rng.integers(4)))
    low = float(np.quantile(field, 1 - rng.uniform(0.05, 0.4)))
    thick = np.clip((field - low) / rng.uniform(0.1, 1.2), 0, 1)
    if rng.random() < 0.3:
        thick = np.where(field > low, np.maximum(thick, rng.uniform(0.3, 1)), 0)
    return np.asarray(thick * rng.uniform(0.5, 1.0), np.float32)


def _hide(labels: Bytes, hidden: NDArray[np.bool_], roofs: int) -> None:
    """What was built or taken away under the cloud is not known; the cloud itself is neither."""
    for layer in (CLASSES, REMOVED):
        labels[layer][hidden & (labels[layer] > 0)] = IGNORE
    labels[roofs][hidden] = IGNORE


def _fractal(rng: np.random.Generator, size: int, smooth: float, first: int = 0) -> Float:
    """Noise (y, x), `smooth` times weaker at each finer scale; without the `first` coarsest ones."""
    total = np.zeros((size, size), np.float32)
    for octave, cells in enumerate(_CELLS[first:]):
        noise = rng.standard_normal((cells + 1, cells + 1)).astype(np.float32)
        total += np.float32(smooth**-octave) * ndimage.zoom(
            noise, size / (cells + 1), order=1, grid_mode=True, mode="nearest"
        )
    return np.asarray(total / total.std(), np.float32)
