"""What each pixel says by itself: a stack of whole numbers, so that sums over any window are exact.

A value v, at most 16 and at least -16, is held as `round(v * UNIT)`. Whole numbers add
up to the same in any order, so the mean over a window does not depend on the block that it is taken from.

The loops fill one line of each map for a row of pixels, so that the vector units take several pixels
at a time, and then lay the lines side by side: whoever asks for a pixel wants all maps of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pipeline.pair import Float, Mask, Pair
from pipeline.scratch import scratch
from pipeline.stages.detect.coarse.scene import BANDS, Scene

Whole = NDArray[np.int16]

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
_AHEAD, _BACK = MAPS.index("surprise forward"), MAPS.index("surprise backward")
_RANKS, _GREYS = MAPS.index("brightness before"), MAPS.index("grey before")
_EDGES, _RARITY = MAPS.index("edge before"), MAPS.index("rarity")


def maps(pair: Pair, scene: Scene) -> Whole:
    """`MAPS` of a pair (y, x, map) int16, 0 where not observed or missing; and last a 1 where observed.

    They hold until this thread asks for the next ones.
    """
    kept = np.array([place for place in scene.order if place >= 0], np.int64)
    before, after = (
        scratch(name, (len(kept), *pair.observed.shape), np.float32) for name in ("before", "after")
    )
    _fill_in(pair.before, kept, pair.observed, scene.forward.mean, before)
    _fill_in(pair.after, kept, pair.observed, scene.backward.mean, after)
    slots = np.array([i for i, place in enumerate(scene.order) if place >= 0], np.int64)
    at = np.full(len(BANDS), -1, np.int64)
    at[slots] = np.arange(len(slots))
    bright = np.stack([_brightness(image, at) for image in (before, after)])
    greys = np.clip((bright - scene.grey[:, :1, None]) / scene.grey[:, 1:, None], -8, 8).astype(np.float32)
    out = scratch("maps", (*pair.observed.shape, COUNT + 1), np.int16)
    _fill(
        (after, before),
        (
            scene.forward(before, scratch("forward", before.shape, np.float32)),
            scene.backward(after, scratch("backward", after.shape, np.float32)),
        ),
        np.ascontiguousarray(pair.observed),
        (scene.forward.precision, scene.backward.precision),
        scene.residual,
        slots,
        at,
        scene.ranks,
        bright,
        greys,
        scene.rarity,
        out,
    )
    return out


@njit(nogil=True, cache=True)
def _fill_in(
    image: Float, kept: NDArray[np.int64], observed: Mask, level: Float, out: Float
) -> None:  # pragma: no cover
    """The bands `kept`; unobserved pixels at each band's mean, so that no NaN is summed."""
    for b in range(len(kept)):
        for y in range(observed.shape[0]):
            given, seen, line = image[kept[b], y], observed[y], out[b, y]
            for x in range(len(line)):
                line[x] = given[x] if seen[x] else level[b]


@njit(nogil=True, cache=True)
def _brightness(image: Float, at: NDArray[np.int64]) -> Float:  # pragma: no cover
    """Mean of the visible bands (y, x), or the first band where there is none."""
    visible = 0
    for b in range(3):
        visible += 1 if at[b] >= 0 else 0
    _, height, width = image.shape
    out = np.zeros((height, width), np.float32)
    if visible == 0:
        out[:] = image[0]
        return out
    for y in range(height):
        for b in range(3):
            if at[b] >= 0:
                for x in range(width):
                    out[y, x] += image[at[b], y, x]
        for x in range(width):
            out[y, x] = out[y, x] / np.float32(visible)
    return out


@njit(nogil=True, cache=True)
def _fill(
    images: Any,
    guesses: Any,
    seen: Mask,
    precisions: Any,
    spreads: Float,
    slots: NDArray[np.int64],
    at: NDArray[np.int64],
    ranks: Float,
    bright: Float,
    greys: Float,
    rarity: Float,
    out: Whole,
) -> None:  # pragma: no cover
    height, width, count = out.shape
    lines = np.zeros((count, width), np.int16)
    for y in range(height):
        for way in range(2):
            _residuals(
                images[way], guesses[way], y, precisions[way], spreads[way], slots, 6 * way, 12 + way, lines
            )
            _indices(images[1 - way], bright[way], y, at, ranks[way], _RANKS + way, lines)
        _pattern(greys, seen, y, lines)
        surprise = np.minimum(lines[_AHEAD], lines[_BACK])
        lines[SURPRISE] = surprise
        steps = ranks_in(surprise.astype(np.float32), rarity)
        for x in range(width):
            lines[_RARITY, x] = _whole(np.float32(len(rarity) - 1) * steps[x])
            lines[COUNT, x] = 1
        for x in range(width):
            if seen[y, x]:
                for k in range(count):
                    out[y, x, k] = lines[k, x]
            else:
                for k in range(count):
                    out[y, x, k] = 0


@njit(nogil=True, cache=True)
def _whole(value: Any) -> Any:  # pragma: no cover
    scaled = np.rint(np.float32(1024.0) * min(max(value, np.float32(-16.0)), np.float32(16.0)))
    return np.int16(np.int32(scaled))


@njit(nogil=True, cache=True)
def _residuals(
    image: Float,
    guess: Float,
    y: int,
    precision: Float,
    spread: Float,
    slots: NDArray[np.int64],
    first: int,
    surprise: int,
    lines: Whole,
) -> None:  # pragma: no cover
    """Signed residuals, and the Mahalanobis distance of what half a pixel of misalignment leaves of them."""
    bands, height, width = image.shape
    above, below = max(y - 1, 0), min(y + 1, height - 1)
    half = np.float32(0.5)
    low, high = np.empty(width + 2, np.float32), np.empty(width + 2, np.float32)
    left = np.empty((bands, width), np.float32)
    total = np.zeros(width, np.float32)
    for b in range(bands):
        value, expected, up, down = image[b, y], guess[b, y], guess[b, above], guess[b, below]
        for x in range(width):
            low[x + 1] = min(up[x], expected[x], down[x])
            high[x + 1] = max(up[x], expected[x], down[x])
        low[0], low[width + 1] = low[1], low[width]
        high[0], high[width + 1] = high[1], high[width]
        line, rest, unit = lines[first + slots[b]], left[b], spread[b]
        for x in range(width):
            line[x] = _whole((value[x] - expected[x]) / unit)
        for x in range(width):
            lowest = half * (expected[x] + min(low[x], low[x + 1], low[x + 2]))
            highest = half * (expected[x] + max(high[x], high[x + 1], high[x + 2]))
            rest[x] = value[x] - min(max(value[x], lowest), highest)
    for i in range(bands):
        for j in range(bands):
            one, other, weight = left[i], left[j], precision[i, j]
            for x in range(width):
                total[x] += one[x] * weight * other[x]
    line = lines[surprise]
    for x in range(width):
        distance = np.log(np.float32(1) + np.sqrt(max(total[x], np.float32(0)) / np.float32(bands)))
        line[x] = _whole(distance)


@njit(nogil=True, cache=True)
def ranks_in(values: Float, table: Float) -> Float:  # pragma: no cover
    """Share of the scene below each of the values (n,), between the table's steps linear.

    The steps below each are counted, four at a time: more comparisons than a search would take, and no jumps,
    so that the vector units take several values at once.
    """
    last = len(table) - 1
    out, low, step = np.empty(len(values), np.float32), np.zeros(len(values), np.int32), 1
    while step + 3 < last:
        a, b, c, d = table[step], table[step + 1], table[step + 2], table[step + 3]
        for n in range(len(values)):
            v = values[n]
            low[n] += np.int32(v >= a) + np.int32(v >= b) + np.int32(v >= c) + np.int32(v >= d)
        step += 4
    for k in range(step, last):
        a = table[k]
        for n in range(len(values)):
            low[n] += np.int32(values[n] >= a)
    for n in range(len(values)):
        value, at = values[n], low[n]
        part = (value - table[at]) / max(table[at + 1] - table[at], np.float32(1e-9))
        between = (np.float32(at) + part) / np.float32(last)
        inside = between if value > table[0] else np.float32(0)
        out[n] = np.float32(1) if value >= table[last] else inside
    return out


@njit(nogil=True, cache=True)
def _ratio(a: Any, b: Any) -> Any:  # pragma: no cover
    total = a + b
    if not total > np.float32(1e-6):
        return np.float32(0)
    return min(max((a - b) / total, np.float32(-1)), np.float32(1))


@njit(nogil=True, cache=True)
def _indices(
    image: Float,
    bright: Float,
    y: int,
    at: NDArray[np.int64],
    ranks: Float,
    first: int,
    lines: Whole,
) -> None:  # pragma: no cover
    """Ranks of the brightness and the indices, every second map from `first` on."""
    width = image.shape[2]
    share, line = ranks_in(bright[y], ranks[0]), lines[first]
    for x in range(width):
        line[x] = _whole(share[x])
    ratio = np.empty(width, np.float32)
    for index, a, b in ((1, 3, 2), (2, 4, 3), (3, 2, 0)):
        if at[a] >= 0 and at[b] >= 0:
            one, other = image[at[a], y], image[at[b], y]
            for x in range(width):
                ratio[x] = _ratio(one[x], other[x])
            share, line = ranks_in(ratio, ranks[index]), lines[first + 2 * index]
            for x in range(width):
                line[x] = _whole(share[x])


@njit(nogil=True, cache=True)
def _pattern(greys: Float, seen: Mask, y: int, lines: Whole) -> None:  # pragma: no cover
    """Greys, their squares and product (a quarter, to stay in range), and gradients."""
    height, width = seen.shape
    above, below = max(y - 1, 0), min(y + 1, height - 1)
    quarter = np.float32(0.25)
    before, after = greys[0], greys[1]
    for x in range(width):
        one, two = before[y, x], after[y, x]
        lines[_GREYS, x] = _whole(one)
        lines[_GREYS + 1, x] = _whole(two)
        lines[_GREYS + 2, x] = _whole(quarter * one * one)
        lines[_GREYS + 3, x] = _whole(quarter * two * two)
        lines[_GREYS + 4, x] = _whole(quarter * one * two)
    for x in range(width):
        west, east = max(x - 1, 0), min(x + 1, width - 1)
        whole = seen[above, x] and seen[below, x] and seen[y, west] and seen[y, east]
        down, right = before[below, x] - before[above, x], before[y, east] - before[y, west]
        down_after, right_after = after[below, x] - after[above, x], after[y, east] - after[y, west]
        down_more, right_more = down_after - down, right_after - right
        lines[_EDGES, x] = _whole(np.sqrt(down * down + right * right)) if whole else 0
        lines[_EDGES + 1, x] = (
            _whole(np.sqrt(down_after * down_after + right_after * right_after)) if whole else 0
        )
        lines[_EDGES + 2, x] = (
            _whole(np.sqrt(down_more * down_more + right_more * right_more)) if whole else 0
        )
