"""Evidence at chosen pixels: what the maps say at the pixel and, on average, in windows around it."""

from __future__ import annotations

from functools import cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pipeline.pair import Float
from pipeline.scratch import scratch
from pipeline.stages.detect.coarse.maps import MAPS, Whole, ranks_in
from pipeline.stages.detect.coarse.scene import INDICES

Places = NDArray[np.int64]
Totals = NDArray[np.int32]

RADII = (1, 2, 4, 8, 16)  # windows are 2 r + 1 pixels a side
REACH = max(RADII)
_PLAIN = np.array(
    [k for k, name in enumerate(MAPS) if name.split()[0] not in ("square", "product")], np.int64
)
_CONTRASTS = (
    (1, 3),
    (2, 4),
)  # by place (0 the pixel, then RADII; then RADII): the inner window's mean less the outer's
_CHANGES = (0, 1, 3)  # windows in which ranks are compared, 0 the pixel itself
_PATTERNS = (0, 1, 2, 3)  # of RADII, by place
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
    plain = [MAPS[k] for k in _PLAIN]
    sides = [2 * r + 1 for r in RADII]
    out = [f"{name} at 1" for name in plain]
    out += [f"{name} at {side}" for side in sides for name in plain]
    out += [f"{name} at {sides[a]} less at {sides[b]}" for a, b in _CONTRASTS for name in plain]
    out += [f"{name} change at {[1, *sides][i]}" for i in _CHANGES for name in INDICES]
    for i in _PATTERNS:
        out += [
            f"{what} at {sides[i]}"
            for what in (
                "texture before",
                "texture after",
                "texture change",
                "correlation",
                "surprise and pattern",
                "rarity and pattern",
            )
        ]
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


def evidence(whole: Whole, sums: Totals, rows: Places, cols: Places, scales: Float) -> Float:
    """Evidence (n, column) at n observed pixels; nothing outside the images or unobserved counts.

    `scales`: as in `Scene`; without any, what is told by rarity in the scene is left open.
    """
    out = np.empty((len(rows), len(names())), np.float32)
    _gather(
        whole,
        sums,
        rows,
        cols,
        np.array(RADII),
        _PLAIN,
        np.array(_CONTRASTS),
        np.array(_CHANGES),
        np.array(_PATTERNS),
        out,
    )
    _scale(scales, scaled(), len(names()) - len(SCALED), out)
    return out


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
    plain: Places,
    contrasts: Places,
    changes: Places,
    patterns: Places,
    out: Float,
) -> None:  # pragma: no cover
    height, width, maps = whole.shape
    count = maps - 1
    scale = np.float32(1.0 / 1024.0)
    mean = np.empty((len(radii) + 1, count), np.float32)
    for n in range(len(rows)):
        y, x = rows[n], cols[n]
        for k in range(count):
            mean[0, k] = scale * np.float32(whole[y, x, k])
        for r in range(len(radii)):
            top, bottom = max(y - radii[r], 0), min(y + radii[r] + 1, height)
            left, right = max(x - radii[r], 0), min(x + radii[r] + 1, width)
            inside = np.float32(
                sums[bottom, right, count]
                - sums[top, right, count]
                - sums[bottom, left, count]
                + sums[top, left, count]
            )
            share = scale / inside
            for k in range(count):
                total = np.int32(
                    sums[bottom, right, k] - sums[top, right, k] - sums[bottom, left, k] + sums[top, left, k]
                )
                mean[r + 1, k] = np.float32(total) * share
        at = 0
        for r in range(len(radii) + 1):
            for k in plain:
                out[n, at] = mean[r, k]
                at += 1
        for c in range(len(contrasts)):
            for k in plain:
                out[n, at] = mean[contrasts[c, 0], k] - mean[contrasts[c, 1] + 1, k]
                at += 1
        for r in changes:
            for k in range(15, 23, 2):
                out[n, at] = mean[r, k + 1] - mean[r, k]
                at += 1
        for r in patterns:
            before, after = mean[r + 1, 23], mean[r + 1, 24]
            one = max(np.float32(4) * mean[r + 1, 25] - before * before, np.float32(0)) + np.float32(0.01)
            two = max(np.float32(4) * mean[r + 1, 26] - after * after, np.float32(0)) + np.float32(0.01)
            both = np.float32(4) * mean[r + 1, 27] - before * after
            out[n, at] = np.sqrt(one)
            out[n, at + 1] = np.sqrt(two)
            out[n, at + 2] = np.log(two / one)
            out[n, at + 3] = both / np.sqrt(one * two)
            pattern = np.sqrt(max(np.float32(1) - out[n, at + 3], np.float32(0)))
            out[n, at + 4] = mean[r + 1, 14] * pattern
            out[n, at + 5] = mean[r + 1, 31] * pattern
            at += 6


@njit(nogil=True, cache=True)
def _scale(scales: Float, columns: Places, first: int, out: Float) -> None:  # pragma: no cover
    for k in range(len(scales)):
        out[:, first + k] = np.float32(scales.shape[1] - 1) * ranks_in(out[:, columns[k]].copy(), scales[k])
