"""An object's ground on one date against the ground around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pipeline.pair import Float, Mask

_DARK = 0.6  # of the surroundings' median: in shadow, or as good as
_BRIGHT = 1.35
_TINY = 1e-4
_REACH = 3  # pixels that a gradient looks at, smoothed by one pixel
_OFFSETS = np.arange(-_REACH, _REACH + 1.0)
_BELL = np.exp(-(_OFFSETS**2) / 2) / np.exp(-(_OFFSETS**2) / 2).sum()


@dataclass(frozen=True)
class Look:
    """An object's ground on one date, relative to its surroundings on that date."""

    contrast: float  # mean brightness inside over that around, log
    dark: float  # share of pixels in the dark
    bright: float  # share of pixels that stand out bright
    texture: float  # standard deviation inside over mean brightness around
    colour: float  # spread of colour inside
    edge: float  # gradient along the outline, over mean brightness around
    vegetation: float  # NDVI, or excess green where there is no near infrared


def look(image: Float, inside: Mask, ring: Mask, bands: Sequence[str]) -> Look:
    """At the pixels `inside` (y, x) of an image (band, y, x); `ring` stands for what is around."""
    level = max(float(np.median(image[:, ring].mean(axis=0))), _TINY)
    own = np.ascontiguousarray(image[:, inside])
    contrast, dark, bright, texture, colour = _brightness(own, level)
    edge = _edge(image, inside, level) / level
    return Look(contrast, dark, bright, texture, colour, edge, float(vegetation(own[:, None], bands).mean()))


def vegetation(image: Float, bands: Sequence[str]) -> Float:
    """NDVI (Tucker 1979) where there is near infrared, else twice the excess green index (Woebbecke 1995);
    (y, x).
    """
    index = {name: i for i, name in enumerate(bands)}
    tiny = np.float32(_TINY)
    if "nir" in index and "red" in index:
        nir, red = image[index["nir"]], image[index["red"]]
        return np.asarray((nir - red) / np.maximum(nir + red, tiny))
    if {"red", "green", "blue"} <= index.keys():
        red, green, blue = (image[index[name]] for name in ("red", "green", "blue"))
        return np.asarray(2 * (2 * green - red - blue) / np.maximum(red + green + blue, tiny))
    return np.zeros(image.shape[1:], np.float32)


@njit(cache=True)
def _brightness(own: Float, level: float) -> tuple[float, float, float, float, float]:  # pragma: no cover
    """Contrast, dark, bright, texture and colour of pixels (band, n)."""
    bands, count = own.shape
    grey = np.empty(count)
    share = np.empty((bands, count))
    dark, bright = 0, 0
    for i in range(count):
        total = 0.0
        for band in range(bands):
            total += own[band, i]
        grey[i] = max(total / bands, _TINY)
        dark += grey[i] < _DARK * level
        bright += grey[i] > _BRIGHT * level
        for band in range(bands):
            share[band, i] = own[band, i] / max(total, _TINY)
    colour = 0.0
    for band in range(bands):
        colour += share[band].std()
    contrast = np.log(max(grey.mean(), _TINY) / level)
    return contrast, dark / count, bright / count, grey.std() / level, colour


@njit(cache=True)
def _edge(image: Float, inside: Mask, level: float) -> float:  # pragma: no cover
    """The mean size of the gradient of brightness at the outermost pixels `inside`."""
    bands, height, width = image.shape
    total, count = 0.0, 0
    for y in range(height):
        for x in range(width):
            if not inside[y, x]:
                continue
            within = 0 < y < height - 1 and 0 < x < width - 1
            if within and inside[y - 1, x] and inside[y + 1, x] and inside[y, x - 1] and inside[y, x + 1]:
                continue
            down, right = 0.0, 0.0
            for i in range(-_REACH, _REACH + 1):
                for j in range(-_REACH, _REACH + 1):
                    row, col = min(max(y + i, 0), height - 1), min(max(x + j, 0), width - 1)
                    grey = 0.0
                    for band in range(bands):
                        grey += image[band, row, col]
                    grey = level if np.isnan(grey) else max(grey / bands, _TINY)
                    weight = _BELL[i + _REACH] * _BELL[j + _REACH] * grey
                    down += i * weight
                    right += j * weight
            total += np.sqrt(down * down + right * right)
            count += 1
    return total / max(count, 1)


def correlation(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Of two lists of numbers; 0 where either is all the same."""
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / max(float(np.sqrt((a * a).sum() * (b * b).sum())), 1e-9))
