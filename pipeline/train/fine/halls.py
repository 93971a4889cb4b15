"""Halls: flat roofs of a hundred metres, as bright as a cloud and straight as none is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pipeline.train.fine.sample import BUILDING, CLASSES, IGNORE, REMOVED, STANDS, STOOD, Bytes

Float = NDArray[np.float32]
Bits = NDArray[np.bool_]
_APRON = 12  # pixels of paving around a hall, of which nothing is said


def built_over(rng: np.random.Generator, images: Float, labels: Bytes) -> tuple[Float, Bytes]:
    """The same pair, (6, y, x) and (4, y, x), with a hall or some: new, gone, or there on both dates."""
    images, labels = images.copy(), labels.copy()
    for _ in range(int(rng.integers(1, 4))):
        roof = _roof(rng, images.shape[1])
        apron = ndimage.binary_dilation(roof, iterations=int(rng.integers(2, _APRON)))
        dates = ((1,), (1,), (0,), (0, 1))[int(rng.integers(4))]
        colour, paving = _colours(rng)
        for date in dates:
            bands = images[3 * date : 3 * date + 3]
            _paint(rng, bands, roof, apron, colour, paving)
        _tell(labels, roof, apron, dates)
    return images, labels


def _roof(rng: np.random.Generator, size: int) -> Bits:
    """A rectangle, or an L of two, anywhere and at any angle (y, x)."""
    rows, cols = np.indices((size, size), dtype=np.float32)
    angle = rng.uniform(0, np.pi)
    middle = rng.uniform(0, size, 2)
    along = (rows - middle[0]) * np.cos(angle) + (cols - middle[1]) * np.sin(angle)
    across = (cols - middle[1]) * np.cos(angle) - (rows - middle[0]) * np.sin(angle)
    length, width = np.exp(rng.uniform(np.log(25), np.log(220))), np.exp(rng.uniform(np.log(18), np.log(90)))
    roof = (np.abs(along) < length / 2) & (np.abs(across) < width / 2)
    if rng.random() < 0.3:
        roof |= (np.abs(along - length / 3) < width / 3) & (np.abs(across - width / 2) < length / 4)
    return np.asarray(roof)


def _colours(rng: np.random.Generator) -> tuple[Float, Float]:
    """Of a roof, most often bright, and of the paving around it: (3, 1) each, counts."""
    bright = rng.uniform(170, 300) if rng.random() < 0.65 else rng.uniform(50, 170)
    tint = np.exp(rng.normal(0, 0.05, (3, 1)))
    paving = rng.uniform(70, 190) * np.exp(rng.normal(0, 0.03, (3, 1)))
    return (bright * tint).astype(np.float32), paving.astype(np.float32)


def _paint(
    rng: np.random.Generator, bands: Float, roof: Bits, apron: Bits, colour: Float, paving: Float
) -> None:
    """Paving, the roof's shadow on it, and the roof with its ribs and boxes."""
    size = roof.shape[0]
    light = np.exp(rng.normal(0, 0.1))
    bands[:, apron & ~roof] = paving * light + rng.normal(0, 4, int((apron & ~roof).sum()))
    away = tuple(int(n) for n in rng.integers(-7, 8, 2))
    shadow = ndimage.shift(roof.astype(np.uint8), away, order=0).astype(bool) & ~roof
    bands[:, shadow] *= np.float32(rng.uniform(0.3, 0.6))
    rows, cols = np.nonzero(roof)
    angle, period = rng.uniform(0, np.pi), rng.uniform(3, 12)
    ribs = np.sin(2 * np.pi * (rows * np.cos(angle) + cols * np.sin(angle)) / period)
    boxes = ndimage.uniform_filter(rng.random((size, size)) < 0.001, 5)[roof] > 0
    shade = 1 + rng.uniform(0, 0.06) * ribs + rng.normal(0, 0.015, len(rows)) - 0.4 * boxes
    bands[:, roof] = colour * light * shade


def _tell(labels: Bytes, roof: Bits, apron: Bits, dates: tuple[int, ...]) -> None:
    """What the halls are, and that nothing is said of the paving around them."""
    labels[:, apron & ~roof] = IGNORE
    stood, stands = 0 in dates, 1 in dates
    labels[CLASSES][roof] = BUILDING if stands and not stood else 0
    labels[REMOVED][roof] = BUILDING if stood and not stands else 0
    labels[STOOD][roof], labels[STANDS][roof] = int(stood), int(stands)
