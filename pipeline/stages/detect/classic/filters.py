"""Filters over small windows, written so that the machine's vector units can take eight pixels at a time.

Beyond an image's edge its last pixel goes on. Every pixel is summed in the same order, whatever the size of
the image it is in.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numba import njit

from pipeline.pair import Float

_TRUNCATE = 4.0


def reach(sigma: float) -> int:
    """How many pixels around a pixel a Gaussian of `sigma` pixels looks at."""
    return int(_TRUNCATE * sigma + 0.5)


def smooth(image: Float, sigma: float) -> Float:
    """Gaussian mean of `sigma` pixels (y, x), float32."""
    return np.asarray(_weighted(image, _weights(sigma)))


def lowest(image: Float, size: int) -> Float:
    """Smallest value in a square of `size` pixels a side, odd; (y, x)."""
    return np.asarray(_lowest(image, size // 2))


def highest(image: Float, size: int) -> Float:
    """Largest value in a square of `size` pixels a side, odd; (y, x)."""
    return np.asarray(-_lowest(-image, size // 2))


@cache
def _weights(sigma: float) -> Float:
    """From the middle outwards."""
    bell = np.exp(-0.5 * (np.arange(reach(sigma) + 1) / sigma) ** 2)
    return np.asarray(bell / (2 * bell.sum() - bell[0]), np.float32)


@njit(nogil=True, cache=True)
def _weighted(image: Float, weights: Float) -> Float:  # pragma: no cover
    height, width = image.shape
    radius = len(weights) - 1
    out = np.empty((height, width), np.float32)
    row = np.empty(width + 2 * radius, np.float32)
    for y in range(height):
        here = row[radius : radius + width]
        here[:] = weights[0] * image[y]
        for k in range(1, radius + 1):
            above, below = image[max(y - k, 0)], image[min(y + k, height - 1)]
            weight = weights[k]
            for x in range(width):
                here[x] += weight * (above[x] + below[x])
        row[:radius], row[radius + width :] = here[0], here[width - 1]
        total = out[y]
        total[:] = weights[0] * here
        for k in range(1, radius + 1):
            weight = weights[k]
            left, right = row[radius - k : radius - k + width], row[radius + k : radius + k + width]
            for x in range(width):
                total[x] += weight * (left[x] + right[x])
    return out


@njit(nogil=True, cache=True)
def _lowest(image: Float, radius: int) -> Float:  # pragma: no cover
    height, width = image.shape
    out = np.empty((height, width), np.float32)
    row = np.empty(width + 2 * radius, np.float32)
    for y in range(height):
        here = row[radius : radius + width]
        here[:] = image[y]
        for k in range(1, radius + 1):
            above, below = image[max(y - k, 0)], image[min(y + k, height - 1)]
            for x in range(width):
                least = above[x] if above[x] < below[x] else below[x]
                here[x] = least if least < here[x] else here[x]
        row[:radius], row[radius + width :] = here[0], here[width - 1]
        best = out[y]
        best[:] = here
        for k in range(1, radius + 1):
            left, right = row[radius - k : radius - k + width], row[radius + k : radius + k + width]
            for x in range(width):
                least = left[x] if left[x] < right[x] else right[x]
                best[x] = least if least < best[x] else best[x]
    return out
