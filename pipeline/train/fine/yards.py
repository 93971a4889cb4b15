"""Building sites: open ground that has become soil of several colours, heaps, pits and wheel tracks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.draw import polygon

from pipeline.stages.detect.detector import KINDS
from pipeline.train.fine.noise import fractal
from pipeline.train.fine.sample import CLASSES, Bytes
from pipeline.train.parcels import parcels

Float = NDArray[np.float32]
Bits = NDArray[np.bool_]
_CLEARING = 1 + KINDS.index("clearing")
_SOILS = ((150, 125, 95), (170, 150, 120), (130, 105, 80), (185, 170, 150), (140, 95, 70), (160, 160, 150))


def dug_up(rng: np.random.Generator, images: Float, labels: Bytes) -> tuple[Float, Bytes]:
    """The same pair, (6, y, x) and (4, y, x), with a building site on the later date, where it is open ground
    on both.
    """
    size = images.shape[1]
    site = _outline(rng, size) & (labels == 0).all(axis=0)
    if site.sum() < 200:
        return images, labels
    images, labels = images.copy(), labels.copy()
    level = float(images[3:].mean())
    share = ndimage.gaussian_filter(site.astype(np.float32), rng.uniform(0.4, 1.5))
    images[3:] = images[3:] * (1 - share) + _ground(rng, size, level) * share
    labels[CLASSES][site] = _CLEARING
    return images, labels


def _outline(rng: np.random.Generator, size: int) -> Bits:
    """A polygon of 20 to 200 pixels across, anywhere (y, x)."""
    angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(5, 11))))
    reach = np.exp(rng.uniform(np.log(10), np.log(100))) * rng.uniform(0.5, 1.0, len(angles))
    row, col = rng.uniform(0.1, 0.9, 2) * size
    inside = np.zeros((size, size), bool)
    inside[polygon(row + reach * np.sin(angles), col + reach * np.cos(angles), inside.shape)] = True
    return inside


def _ground(rng: np.random.Generator, size: int, level: float) -> Float:
    """Soil (3, y, x): patches of a few colours, uneven, with heaps, pits and tracks."""
    count = int(rng.integers(1, 12))
    patch = parcels(rng, size, count, 0.2, rng.uniform(0, np.pi))
    colours = np.array([_SOILS[int(rng.integers(len(_SOILS)))] for _ in range(count)], np.float32)
    colours = colours * np.exp(rng.normal(0, 0.12, (count, 1))) * (level / 120) ** 0.5 * rng.uniform(0.8, 1.2)
    ground = ndimage.gaussian_filter(colours[patch], (rng.uniform(0.5, 4), 1, 0)).transpose(2, 0, 1)
    light = 1 + rng.uniform(0.02, 0.12) * fractal(rng, size, rng.uniform(0.9, 1.8), int(rng.integers(3)))
    relief = fractal(rng, size, 1.2, int(rng.integers(1, 4)))
    away = rng.uniform(0, 2 * np.pi)
    slope = np.gradient(relief, axis=0) * np.sin(away) + np.gradient(relief, axis=1) * np.cos(away)
    heaps = np.clip(relief - rng.uniform(0.5, 2), 0, 1) > 0
    light = light + rng.uniform(0.05, 0.35) * heaps * np.clip(slope / max(float(slope.std()), 1e-6), -2, 2)
    for _ in range(int(rng.integers(0, 5))):
        light = light + rng.uniform(-0.12, 0.15) * _track(rng, size)
    return np.asarray(ground * np.clip(light, 0.3, 1.8), np.float32)


def _track(rng: np.random.Generator, size: int) -> Float:
    """A winding line some pixels wide, 0..1 (y, x)."""
    heading = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.03, 2 * size))
    line = np.zeros((size, size), np.float32)
    rows, cols = (
        (np.cumsum(step) + rng.uniform(0, size)).astype(int) % size
        for step in (np.sin(heading), np.cos(heading))
    )
    line[rows, cols] = 1
    wide = ndimage.uniform_filter(line, int(rng.integers(2, 6)))
    return np.asarray(wide / max(float(wide.max()), 1e-6), np.float32)
