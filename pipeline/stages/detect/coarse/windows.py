"""Evidence at chosen pixels: what the maps say at the pixel and, on average, in windows around it."""

from __future__ import annotations

from functools import cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pipeline.pair import Float, Mask
from pipeline.scratch import scratch
from pipeline.stages.detect.coarse.maps import MAPS, Whole, ranks_in
from pipeline.stages.detect.coarse.scene import INDICES

Places = NDArray[np.int64]
Totals = NDArray[np.int32]

RADII = (1, 2, 4, 8, 16)  # windows are 2 r + 1 pixels a side
REACH = max(RADII)
_CONTRASTS = ((1, 4), (2, 5))  # by place (0 the pixel, then RADII): the inner window's mean less the outer's
_CHANGES = (0, 1, 3)  # by place, where ranks are compared
_PATTERNS = (1, 2, 3, 4)  # by place
_PLACES = tuple(np.array(each) for each in (RADII, _CONTRASTS, _CHANGES, _PATTERNS))
_PATTERN = (
    "texture before",
    "texture after",
    "texture change",
    "correlation",
    "surprise and pattern",
    "rarity and pattern",
)
_TEXTURES = 3  # the first of `_PATTERN`
SCALED = (
    *(f"surprise at {side}" for side in (3, 5, 9, 17)),
    *(f"surprise and pattern at {side}" for side in (3, 5, 9, 17)),
    *(f"surprise {way} at {side}" for way in ("forward", "backward") for side in (3, 9)),
    *(f"edge change at {side}" for side in (3, 9)),
)
"""Columns that are also told by how rare such a value is in the scene."""


@cache
def names() -> tuple[str, ...]:
    """The columns of `evidence`, in order."""
    sides = [1, *(2 * r + 1 for r in RADII)]
    out = [f"{name} at {side}" for side in sides for name in MAPS]
    out += [f"{name} at {sides[a]} less at {sides[b]}" for a, b in _CONTRASTS for name in MAPS]
    out += [f"{name} change at {sides[i]}" for i in _CHANGES for name in INDICES]
    out += [f"{what} at {sides[i]}" for i in _PATTERNS for what in _PATTERN]
    return (*out, *(f"rarity of {name}" for name in SCALED))


@cache
def scaled() -> Places:
    """The columns that `SCALED` names."""
    return np.array([names().index(name) for name in SCALED], np.int64)


def totals(whole: Whole) -> Totals:
    """Sums of the maps over all pixels above and to the left, (y + 1, x + 1, map).

    They run over the range of int32, and differences of them are right all the same where those stay in it.
    They hold until this thread asks for the next ones.
    """
    height, width, count = whole.shape
    out = scratch("totals", (height + 1, width + 1, count), np.int32)
    out[0], out[:, 0] = 0, 0
    _add_up(whole, out)
    return out


def evidence(
    whole: Whole, sums: Totals, rows: Places, cols: Places, scales: Float, wanted: Mask | None = None
) -> Float:
    """Evidence (n, column) at n observed pixels; nothing outside the images or unobserved counts.

    `scales`: as in `Scene`; without any, what is told by rarity in the scene is left open. `wanted`:
    (column,) which of the first columns are; all if not given. What is not may be left open too.
    """
    out = np.empty((len(rows), len(names())), np.float32)
    told, textured, rare = _needed((np.ones(len(names()), bool) if wanted is None else wanted).tobytes())
    radii, contrasts, changes, patterns = _PLACES
    _gather(whole, sums, rows, cols, radii, contrasts, changes, patterns, told, textured, out)
    if len(scales):
        _scale(scales, scaled(), rare, len(names()) - len(SCALED), out)
    return out


@cache
def _needed(wanted: bytes) -> tuple[Places, Mask, Places]:
    """Which of `_PATTERNS`, which of these with their textures, and which of `SCALED` are needed for the
    columns that are `wanted`, a byte each; found once, as pixels come by the thousand.
    """
    needed = np.zeros(len(names()), bool)
    needed[: len(wanted)] = np.frombuffer(wanted, bool)
    rare = np.flatnonzero(needed[-len(SCALED) :])
    needed[scaled()[rare]] = True
    patterns = needed[: -len(SCALED)][-len(_PATTERNS) * len(_PATTERN) :].reshape(len(_PATTERNS), -1)
    textured = np.asarray(patterns[:, :_TEXTURES].any(axis=1))
    return np.flatnonzero(patterns.any(axis=1)), textured, rare


@njit(nogil=True, cache=True)
def _add_up(whole: Whole, out: Totals) -> None:  # pragma: no cover
    height, width, count = whole.shape
    row = np.empty(count, np.int32)
    for y in range(height):
        row[:] = 0
        for x in range(width):
            for k in range(count):
                row[k] += whole[y, x, k]
                out[y + 1, x + 1, k] = out[y, x + 1, k] + row[k]


@njit(nogil=True, cache=True)
def _gather(
    whole: Whole,
    sums: Totals,
    rows: Places,
    cols: Places,
    radii: Places,
    contrasts: Places,
    changes: Places,
    patterns: Places,
    told: Places,
    textured: Mask,
    out: Float,
) -> None:  # pragma: no cover
    height, width, maps = whole.shape
    count = maps - 1
    scale = np.float32(1.0 / 1024.0)
    for n in range(len(rows)):
        y, x = rows[n], cols[n]
        line, own = out[n], whole[y, x]
        for k in range(count):
            line[k] = scale * np.float32(own[k])
        for r in range(len(radii)):
            top, bottom = max(y - radii[r], 0), min(y + radii[r] + 1, height)
            left, right = max(x - radii[r], 0), min(x + radii[r] + 1, width)
            a, b, c, d = sums[bottom, right], sums[top, right], sums[bottom, left], sums[top, left]
            share = scale / np.float32(a[count] - b[count] - c[count] + d[count])
            mean = line[count * (r + 1) : count * (r + 2)]
            for k in range(count):
                mean[k] = np.float32(np.int32(a[k] - b[k] - c[k] + d[k])) * share
        at = count * (1 + len(radii))
        for c in range(len(contrasts)):
            inner, outer = line[count * contrasts[c, 0] :], line[count * contrasts[c, 1] :]
            less = line[at : at + count]
            for k in range(count):
                less[k] = inner[k] - outer[k]
            at += count
        for r in changes:
            for k in range(15, 23, 2):
                line[at] = line[count * r + k + 1] - line[count * r + k]
                at += 1
        for i in told:
            place = count * patterns[i]
            _pattern(line[place : place + count], textured[i], line[at + 6 * i : at + 6 * (i + 1)])


@njit(nogil=True, cache=True)
def _pattern(mean: Float, textured: bool, out: Float) -> None:  # pragma: no cover
    before, after = mean[23], mean[24]
    one = max(np.float32(4) * mean[25] - before * before, np.float32(0)) + np.float32(0.01)
    two = max(np.float32(4) * mean[26] - after * after, np.float32(0)) + np.float32(0.01)
    both = np.float32(4) * mean[27] - before * after
    if textured:
        out[0] = np.sqrt(one)
        out[1] = np.sqrt(two)
        out[2] = np.log(two / one)
    out[3] = both / np.sqrt(one * two)
    pattern = np.sqrt(max(np.float32(1) - out[3], np.float32(0)))
    out[4] = mean[14] * pattern
    out[5] = mean[31] * pattern


@njit(nogil=True, cache=True)
def _scale(scales: Float, columns: Places, some: Places, first: int, out: Float) -> None:  # pragma: no cover
    for k in some:
        out[:, first + k] = np.float32(scales.shape[1] - 1) * ranks_in(out[:, columns[k]].copy(), scales[k])
