"""Fields that were sown, cut or ploughed between the dates: straight borders, new colours, nothing built."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.train.fine.sample import Bytes
from pipeline.train.parcels import parcels

Float = NDArray[np.float32]


def farmed(rng: np.random.Generator, images: Float, labels: Bytes) -> Float:
    """The same pair, (6, y, x), where some fields look different on one date.

    `labels`: (4, y, x) as in Sample; what is built, was built or is unknown stays as it is.
    """
    size = images.shape[1]
    count = int(rng.integers(4, 30))
    field = parcels(rng, size, count)
    place = np.moveaxis(np.indices((size, size)), 0, -1)
    open_ground = (labels == 0).all(axis=0)
    date = int(rng.integers(2))
    out = images.copy()
    for parcel in np.flatnonzero(rng.random(count) < rng.uniform(0.2, 0.7)):
        inside = (field == parcel) & open_ground
        if inside.any():
            bands = out[3 * date : 3 * date + 3]
            bands[:, inside] = _sown(rng, bands[:, inside], place[inside])
    return out


def _sown(rng: np.random.Generator, pixels: Float, place: NDArray[np.int64]) -> Float:
    """Pixels (band, n) at `place` (n, 2) under another crop, or none: another colour, contrast and rows."""
    mean = pixels.mean(axis=1, keepdims=True)
    colour = mean + rng.normal(0, 22) + rng.normal(0, 9, (3, 1))
    angle, period = rng.uniform(0, np.pi), rng.uniform(3, 9)
    rows = np.sin(2 * np.pi * (place @ (np.cos(angle), np.sin(angle))) / period)
    return np.asarray(colour + rng.uniform(0.4, 1.3) * (pixels - mean) + rng.uniform(0, 6) * rows, np.float32)
