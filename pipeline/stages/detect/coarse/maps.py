"""What each pixel says by itself: a stack of whole numbers, so that sums over any window are exact.

A value v, at most 16 and at least -16, is held as `round(v * UNIT)`. Whole numbers add
up to the same in any order, so the mean over a window does not depend on the block that it is taken from.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pipeline.pair import Float, Mask, Pair
from pipeline.stages.detect.coarse.scene import BANDS, Scene

Whole = NDArray[np.int32]

UNIT = 1024.0
TOLERANCE_REACH = 1  # pixels around a pixel that the maps look at

MAPS = (
    *(f"forward {name}" for name in BANDS),  # residual of the after image, in its spread
    *(f"backward {name}" for name in BANDS),  # residual of the before image
    "surprise forward",  # distance that misalignment by half a pixel does not explain, log1p
    "surprise backward",
    "surprise",  # the smaller of both
    "brightness before",  # ranks in the scene, 0..1
    "brightness after",
    "vegetation before",
    "vegetation after",
    "built-up before",
    "built-up after",
    "red-blue before",
    "red-blue after",
    "grey before",  # in robust standard deviations
    "grey after",
    "square before",
    "square after",
    "product",
    "edge before",  # length of the grey's gradient
    "edge after",
    "edge change",  # length of the difference of the gradients
    "rarity",  # of the surprise in the scene: 1 where one pixel in 2 has as much, 2 one in 4, ...
)
COUNT = len(MAPS)
SURPRISE = MAPS.index("surprise")


def maps(pair: Pair, scene: Scene) -> Whole:
    """`MAPS` of a pair (y, x, map) int32, 0 where not observed or missing; and last a 1 where observed."""
    kept = [place for place in scene.order if place >= 0]
    before = _filled(pair.before[kept], pair.observed, scene.forward.mean)
    after = _filled(pair.after[kept], pair.observed, scene.backward.mean)
    seen = np.ascontiguousarray(pair.observed)
    out = np.zeros((*seen.shape, COUNT + 1), np.int32)
    slots = np.array([i for i, place in enumerate(scene.order) if place >= 0], np.int64)
    ahead = scene.forward(before)
    back = scene.backward(after)
    _residuals(after, ahead, seen, scene.forward.precision, scene.residual[0], slots, 0, 12, out)
    _residuals(before, back, seen, scene.backward.precision, scene.residual[1], slots, 6, 13, out)
    at = np.full(len(BANDS), -1, np.int64)
    at[slots] = np.arange(len(slots))
    greys = np.empty((2, *seen.shape), np.float32)
    for date, image in enumerate((before, after)):
        _indices(image, at, seen, scene.ranks[date], scene.grey[date], 15 + date, greys[date], out)
    _pattern(greys, seen, scene.rarity, out)
    return out


def _filled(image: Float, observed: Mask, level: Float) -> Float:
    """Unobserved pixels at each band's mean, so that no NaN is summed."""
    return np.ascontiguousarray(np.where(observed, image, level[:, None, None]), dtype=np.float32)


@njit(nogil=True, cache=True)
def _whole(value: Any) -> Any:  # pragma: no cover
    return int(np.rint(np.float32(1024.0) * min(max(value, np.float32(-16.0)), np.float32(16.0))))


@njit(nogil=True, cache=True)
def _residuals(
    image: Float,
    guess: Float,
    seen: Mask,
    precision: Float,
    spread: Float,
    slots: NDArray[np.int64],
    first: int,
    surprise: int,
    out: Whole,
) -> None:  # pragma: no cover
    """Signed residuals, and the Mahalanobis distance of what half a pixel of misalignment leaves of them."""
    bands, height, width = image.shape
    half = np.float32(0.5)
    low = np.empty((bands, width), np.float32)
    high = np.empty((bands, width), np.float32)
    left = np.empty(bands, np.float32)
    for y in range(height):
        above, below = max(y - 1, 0), min(y + 1, height - 1)
        for b in range(bands):
            for x in range(width):
                one, two, three = guess[b, above, x], guess[b, y, x], guess[b, below, x]
                low[b, x] = min(one, two, three)
                high[b, x] = max(one, two, three)
        for x in range(width):
            if not seen[y, x]:
                continue
            west, east = max(x - 1, 0), min(x + 1, width - 1)
            for b in range(bands):
                value, expected = image[b, y, x], guess[b, y, x]
                out[y, x, first + slots[b]] = _whole((value - expected) / spread[b])
                lowest = half * (expected + min(low[b, west], low[b, x], low[b, east]))
                highest = half * (expected + max(high[b, west], high[b, x], high[b, east]))
                left[b] = value - min(max(value, lowest), highest)
            total = np.float32(0)
            for i in range(bands):
                for j in range(bands):
                    total += left[i] * precision[i, j] * left[j]
            distance = np.log(np.float32(1) + np.sqrt(max(total, np.float32(0)) / np.float32(bands)))
            out[y, x, surprise] = _whole(distance)


@njit(nogil=True, cache=True)
def rank(value: Any, table: Float) -> Any:  # pragma: no cover
    """Share of the scene below `value`, between the table's steps linear."""
    last = len(table) - 1
    if not value > table[0]:
        return np.float32(0)
    if value >= table[last]:
        return np.float32(1)
    low, high = 0, last
    while high - low > 1:
        middle = (low + high) // 2
        if table[middle] <= value:
            low = middle
        else:
            high = middle
    step = (value - table[low]) / max(table[high] - table[low], np.float32(1e-9))
    return (np.float32(low) + step) / np.float32(last)


@njit(nogil=True, cache=True)
def _ratio(a: Any, b: Any) -> Any:  # pragma: no cover
    total = a + b
    if not total > np.float32(1e-6):
        return np.float32(0)
    return min(max((a - b) / total, np.float32(-1)), np.float32(1))


@njit(nogil=True, cache=True)
def _indices(
    image: Float,
    at: NDArray[np.int64],
    seen: Mask,
    ranks: Float,
    level: Float,
    first: int,
    grey: Float,
    out: Whole,
) -> None:  # pragma: no cover
    """Ranks of the indices, every second map from `first` on; and the grey in robust standard deviations."""
    height, width = seen.shape
    visible = 0
    for b in range(3):
        visible += 1 if at[b] >= 0 else 0
    for y in range(height):
        for x in range(width):
            bright = np.float32(0)
            for b in range(3):
                if at[b] >= 0:
                    bright += image[at[b], y, x]
            bright = bright / np.float32(visible) if visible > 0 else image[0, y, x]
            value = (bright - level[0]) / level[1]
            grey[y, x] = min(max(value, np.float32(-8)), np.float32(8))
            if not seen[y, x]:
                continue
            out[y, x, first] = _whole(rank(bright, ranks[0]))
            if at[3] >= 0 and at[2] >= 0:
                out[y, x, first + 2] = _whole(rank(_ratio(image[at[3], y, x], image[at[2], y, x]), ranks[1]))
            if at[4] >= 0 and at[3] >= 0:
                out[y, x, first + 4] = _whole(rank(_ratio(image[at[4], y, x], image[at[3], y, x]), ranks[2]))
            if at[2] >= 0 and at[0] >= 0:
                out[y, x, first + 6] = _whole(rank(_ratio(image[at[2], y, x], image[at[0], y, x]), ranks[3]))


@njit(nogil=True, cache=True)
def _pattern(greys: Float, seen: Mask, rarity: Float, out: Whole) -> None:  # pragma: no cover
    """Greys, their squares and product (a quarter, to stay in range), and gradients; and whether observed."""
    height, width = seen.shape
    quarter = np.float32(0.25)
    for y in range(height):
        above, below = max(y - 1, 0), min(y + 1, height - 1)
        for x in range(width):
            if not seen[y, x]:
                continue
            out[y, x, 32] = 1
            surprise = min(out[y, x, 12], out[y, x, 13])
            out[y, x, 14] = surprise
            out[y, x, 31] = _whole(np.float32(len(rarity) - 1) * rank(np.float32(surprise), rarity))
            before, after = greys[0, y, x], greys[1, y, x]
            out[y, x, 23] = _whole(before)
            out[y, x, 24] = _whole(after)
            out[y, x, 25] = _whole(quarter * before * before)
            out[y, x, 26] = _whole(quarter * after * after)
            out[y, x, 27] = _whole(quarter * before * after)
            west, east = max(x - 1, 0), min(x + 1, width - 1)
            if not (seen[above, x] and seen[below, x] and seen[y, west] and seen[y, east]):
                continue
            down = greys[0, below, x] - greys[0, above, x]
            right = greys[0, y, east] - greys[0, y, west]
            down_after = greys[1, below, x] - greys[1, above, x]
            right_after = greys[1, y, east] - greys[1, y, west]
            out[y, x, 28] = _whole(np.sqrt(down * down + right * right))
            out[y, x, 29] = _whole(np.sqrt(down_after * down_after + right_after * right_after))
            down, right = down_after - down, right_after - right
            out[y, x, 30] = _whole(np.sqrt(down * down + right * right))
