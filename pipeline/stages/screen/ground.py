"""Both dates made comparable: one brightness a date, the other date's brought to its light, smoothed.

The line between the dates is found tile by tile, from the tiles in which they go together: under a cloud they
do not, so that a deck over half the image does not sway it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

Float = NDArray[np.float32]
Bits = NDArray[np.bool_]

_TILE = 16  # cells a side of the tiles in which the dates are compared
_TOGETHER = 0.7  # correlation from which on a tile counts
_FEW = 6  # tiles that must go together, and
_SHARE = 0.01  # the share of all tiles that must
_UNITS = 8.0  # times brighter than the other date without a common line: then the units must differ
VISIBLE = ("blue", "green", "red")


@dataclass(frozen=True, eq=False)
class Look:
    """One date beside the other, all (y, x) float32 in its own units, NaN where either is unseen.

    `bright` is its brightness and `other` that of the other date in its light; `smooth` and `smooth_other`
    are both smoothed; `infrared` and `infrared_other` are the smoothed band in which shadow shows best.
    """

    bright: Float
    other: Float
    smooth: Float
    smooth_other: Float
    infrared: Float
    infrared_other: Float

    @property
    def rise(self) -> Float:
        """How much brighter than the other date."""
        return self.smooth - self.smooth_other


def look(image: Float, other: Float, bands: tuple[str, ...], sigma: float) -> Look | None:
    """`image` beside `other`, (band, y, x); `sigma` in cells. None where the two cannot be compared."""
    lines = []
    unseen = ~(np.isfinite(image).all(axis=0) & np.isfinite(other).all(axis=0))
    for names in (brightness_bands(bands), infrared_bands(bands)):
        layer, layer_other = (
            np.where(unseen, np.float32(np.nan), _mean(each, bands, names)) for each in (image, other)
        )
        line = common_line(layer_other, layer)
        if line is None:
            return None
        lines.append((layer, np.float32(line[0]) * layer_other + np.float32(line[1])))
    (bright, bright_other), (infrared, infrared_other) = lines
    smoothed = smooth_alike((bright, bright_other, infrared, infrared_other), sigma)
    return Look(bright, bright_other, *smoothed)


def brightness_bands(bands: tuple[str, ...]) -> tuple[str, ...]:
    """Of which brightness is the mean: the visible bands, else pan; empty where there is neither."""
    return tuple(band for band in bands if band in VISIBLE) or tuple(band for band in bands if band == "pan")


def infrared_bands(bands: tuple[str, ...]) -> tuple[str, ...]:
    """Where the sky lights a shadow least."""
    return ("nir",) if "nir" in bands else brightness_bands(bands)


def common_line(x: Float, y: Float) -> tuple[float, float] | None:
    """Gain and offset that bring x to y; (1, 0) where no ground is seen on both, None where units differ."""
    a, b = (_tiles(each) for each in (x, y))
    both = np.isfinite(a) & np.isfinite(b)
    enough = both.sum(axis=1) >= _TILE**2 // 2
    a, b = (np.where(both, each, np.nan)[enough].astype(np.float64) for each in (a, b))
    if not len(a):
        return None
    mean_a, mean_b = np.nanmean(a, axis=1), np.nanmean(b, axis=1)
    da, db = a - mean_a[:, None], b - mean_b[:, None]
    aa, bb, ab = (np.nanmean(each, axis=1) for each in (da * da, db * db, da * db))
    together = ab > _TOGETHER * np.sqrt(aa * bb)
    together &= ab > 1e-12 * (mean_a**2 + mean_b**2)
    if together.sum() >= max(_FEW, _SHARE * len(a)):
        gain = float(np.median(np.sqrt(bb[together] / aa[together])))
        return gain, float(np.median(mean_b[together] - gain * mean_a[together]))
    low, high = (float(np.median(mean)) for mean in (mean_a, mean_b))
    return (1.0, 0.0) if low > 0 and 1 / _UNITS < high / low < _UNITS else None


def smooth(values: Float, sigma: float) -> Float:
    """Gaussian mean of what was seen; NaN stays NaN."""
    return smooth_alike((values,), sigma)[0]


def smooth_alike(layers: Sequence[Float], sigma: float) -> list[Float]:
    """The same of layers that are NaN in the same cells: what was seen is weighed once for all."""
    seen = np.isfinite(layers[0])
    weight = np.maximum(scipy.ndimage.gaussian_filter(seen.astype(np.float32), sigma), np.float32(1e-6))
    totals = (scipy.ndimage.gaussian_filter(np.where(seen, layer, np.float32(0)), sigma) for layer in layers)
    return [np.where(seen, total / weight, np.float32(np.nan)) for total in totals]


def _mean(image: Float, bands: tuple[str, ...], names: tuple[str, ...]) -> Float:
    mean: Float = image[[bands.index(name) for name in names]].mean(axis=0)
    return mean


def _tiles(values: Float) -> Float:
    """(tile, value) of all tiles; those at the far edges are filled up with NaN."""
    rows, cols = (-size % _TILE for size in values.shape)
    filled = np.pad(values, ((0, rows), (0, cols)), constant_values=np.nan)
    height, width = (size // _TILE for size in filled.shape)
    parts = filled.reshape(height, _TILE, width, _TILE).swapaxes(1, 2)
    return parts.reshape(height * width, _TILE**2)
