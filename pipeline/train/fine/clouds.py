"""Clouds and their shadows over one date: they are nothing that was built, and hide what was."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pipeline.train.fine.sample import CLASSES, IGNORE, REMOVED, STANDS, STOOD, Bytes, Sample

Float = NDArray[np.float32]
_OPAQUE = 0.35  # of the ground's light that is lost: what is below is not known
_CELLS = (3, 6, 12, 24, 48)


def clouded(rng: np.random.Generator, sample: Sample) -> Sample:
    """The same pair with clouds over a random date, over 5 to 50 % of it."""
    size = sample.images.shape[1]
    field = _fractal(rng, size)
    low = float(np.quantile(field, 1 - rng.uniform(0.05, 0.5)))
    thick = np.clip((field - low) / rng.uniform(0.3, 1.2), 0, 1) * rng.uniform(0.5, 1.0)
    away = tuple(int(n) for n in rng.integers(-70, 70, 2))
    shade = 0.55 * ndimage.gaussian_filter(ndimage.shift(thick, away, order=0, mode="nearest"), 2)
    date = int(rng.integers(2))
    images, labels = sample.images.copy(), sample.labels.copy()
    view = images[3 * date : 3 * date + 3].astype(np.float32)
    white = rng.uniform(205, 252) + 10 * _fractal(rng, size)
    images[3 * date : 3 * date + 3] = _bytes(view * (1 - shade) * (1 - thick) + white * thick)
    hidden = thick > _OPAQUE
    _hide(labels, hidden, STANDS if date else STOOD)
    return Sample(images, labels)


def _hide(labels: Bytes, hidden: NDArray[np.bool_], roofs: int) -> None:
    """What was built or taken away under the cloud is not known; the cloud itself is neither."""
    for layer in (CLASSES, REMOVED):
        labels[layer][hidden & (labels[layer] > 0)] = IGNORE
    labels[roofs][hidden] = IGNORE


def _fractal(rng: np.random.Generator, size: int) -> Float:
    """Smooth noise (y, x) of about unit variance, half as strong at each finer scale."""
    total = np.zeros((size, size), np.float32)
    for strength, cells in zip((1.0, 0.6, 0.4, 0.25, 0.15), _CELLS, strict=True):
        noise = rng.standard_normal((cells + 1, cells + 1)).astype(np.float32)
        total += np.float32(strength) * ndimage.zoom(
            noise, size / (cells + 1), order=1, grid_mode=True, mode="nearest"
        )
    return total


def _bytes(image: Float) -> Bytes:
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)
