"""What of an image is matched: the direction of its edges, which light, season and sensor change the least.

The gradient's angle is doubled (Granlund 1978), so that an edge says the same whether its bright side is left
or right: a roof is dark one year and bright the next, but its outline stays. Angles of all bands are pooled
as their structure tensor, each band by its own local contrast, and strength counts by its fourth root only,
so that cloud edges and roofs in the sun do not drown the rest.

What is dark in every band is taken for a shadow, and no edge at a shadow counts: its outline moves with the
sun, by as little as a pixel or two where walls are low, and would carry the roof beside it along.
"""

from __future__ import annotations

import numba
import numpy as np
import scipy
from numpy.typing import NDArray

Planes = NDArray[np.float32]
Mask = NDArray[np.bool_]

RADIUS = 12  # pixels; contrast is local to a box that reaches this far
REACH = RADIUS + 2  # pixels around a place that its structure depends on
NOISE = 0.003  # of the mean value: gradients fainter than this are noise
WEAK = 0.1  # of the local contrast: edges weaker than this count for less and less
SHADE, LIT = 0.5, 0.8  # of the local mean, in the brightest band: darker is shadow, brighter surely none


def edges(image: Planes, observed: Mask, plain: bool = False, shadows: bool = False) -> Planes:
    """Structure (2 or 4, y, x) of `image` (band, y, x), zero where not observed within two pixels.

    The first two planes, which windows are matched on, are cosine and sine of the doubled angle of the edge
    at each pixel times the root of the root of its strength. The other two, if `plain`, are the gradient as
    such (along x, y), its strength likewise rooted: one that keeps the bright side apart from the dark says
    more on a whole image. Edges beside a shadow are left out, unless `shadows`.
    """
    inside = np.zeros_like(observed)
    tensor = np.zeros((5 if plain else 3, *observed.shape), np.float32)  # xx - yy, 2 xy, xx + yy, x, y
    bright = np.zeros(observed.shape, np.float32)
    values = np.where(observed, image, np.float32(0))
    for plane in values:
        own = np.zeros_like(tensor)
        _gradients(plane, observed, own, inside)
        share = np.maximum(_box(inside.astype(np.float32)), np.float32(1e-3))
        level = float(np.abs(plane).sum(dtype=np.float64)) / max(int(observed.sum()), 1)
        contrast = _box(own[2]) / share + np.float32((NOISE * level) ** 2 + 1e-20)
        own[:3] /= contrast
        own[3:] /= np.sqrt(contrast)
        tensor += own
        np.maximum(bright, plane / (_box(plane * inside) / share + np.float32(1e-10)), out=bright)
    tensor /= np.float32(len(image))
    strength = np.sqrt(np.maximum(tensor[2], 0))  # rooted once; sqrt is much faster than a power
    root = np.sqrt(strength)
    lit = np.float32(1) if shadows else _lit(np.where(observed, bright, np.float32(1)))
    doubled: Planes = tensor[:2] * (lit / (strength * root + np.float32(WEAK)))
    if not plain:
        return doubled
    return np.concatenate([doubled, tensor[3:] * (lit / (root + np.float32(WEAK)))])


def _lit(bright: NDArray[np.float32]) -> NDArray[np.float32]:
    """From 0, where a shadow lies within reach of the derivative, to 1."""
    darkest = scipy.ndimage.minimum_filter(bright, 5)
    lit: NDArray[np.float32] = np.clip((darkest - np.float32(SHADE)) / np.float32(LIT - SHADE), 0, 1)
    return lit


def _box(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    filtered: NDArray[np.float32] = scipy.ndimage.uniform_filter(plane, 2 * RADIUS + 1, mode="constant")
    return np.maximum(filtered, 0)


@numba.njit(nogil=True, cache=True)
def _gradients(plane, observed, tensor, inside):  # type: ignore[no-untyped-def]
    """Structure tensor from 5 x 5 derivatives of a binomial: about a Gaussian of one pixel."""
    height, width = plane.shape
    smooth = np.zeros((height, width), np.float32)
    slope = np.zeros((height, width), np.float32)
    clear = np.zeros((height, width), np.bool_)
    for i in range(height):
        p, seen = plane[i], observed[i]
        for j in range(2, width - 2):
            smooth[i, j] = p[j - 2] + p[j + 2] + 4 * (p[j - 1] + p[j + 1]) + 6 * p[j]
            slope[i, j] = p[j + 2] - p[j - 2] + 2 * (p[j + 1] - p[j - 1])
            clear[i, j] = seen[j - 2] & seen[j - 1] & seen[j] & seen[j + 1] & seen[j + 2]
    for i in range(2, height - 2):
        for j in range(2, width - 2):
            if clear[i - 2, j] & clear[i - 1, j] & clear[i, j] & clear[i + 1, j] & clear[i + 2, j]:
                gx = (
                    slope[i - 2, j]
                    + slope[i + 2, j]
                    + 4 * (slope[i - 1, j] + slope[i + 1, j])
                    + 6 * slope[i, j]
                )
                gy = smooth[i + 2, j] - smooth[i - 2, j] + 2 * (smooth[i + 1, j] - smooth[i - 1, j])
                gx, gy = gx / 128, gy / 128
                tensor[0, i, j] = gx * gx - gy * gy
                tensor[1, i, j] = 2 * gx * gy
                tensor[2, i, j] = gx * gx + gy * gy
                if len(tensor) > 3:
                    tensor[3, i, j] = gx
                    tensor[4, i, j] = gy
                inside[i, j] = True
