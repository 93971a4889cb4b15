"""The centre line of a thing that is much longer than wide, and its width along it.

The line is the longest way through the skeleton (Zhang and Suen 1984), smoothed and carried on to both ends
of the thing; ways that leave it by more than the thing's width are lines of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
import skimage
from numba import njit
from numpy.typing import NDArray

from pipeline.pair import Mask

Points = NDArray[np.float64]

_ASIDE = 0.75  # widths from a line, from which on a skeleton is of another one
_MOST_LINES = 40
_DIAGONAL = 2**0.5
_AROUND = np.array([(0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1)])
_STEP_PX = 0.25  # by which an end is carried on


@dataclass(frozen=True, eq=False)
class CentreLine:
    """`lines`: (n, 2) each, row and column of points in pixels, pixel centres at whole numbers, the longest
    first. `length`, `width`: pixels; all lines together, and the median along them.
    """

    lines: tuple[Points, ...]
    length: float
    width: float


def centre_line(inside: Mask) -> CentreLine | None:
    """The centre line of the pixels `inside` (y, x); None where the skeleton is but a point."""
    solid = np.pad(inside, 2)
    depth = scipy.ndimage.distance_transform_edt(solid)
    nodes = np.argwhere(skimage.morphology.skeletonize(solid)).astype(np.float64)
    if len(nodes) < 2:
        return None
    width = max(float(np.median(_widths(depth, nodes.astype(int)))), 1.0)
    lines = [_finished(*way, solid, width) for way in _ways(nodes, width)]
    lines = [line for line in lines if len(line) > 1]
    if not lines:
        return None
    length = sum(_length(line) for line in lines)
    return CentreLine(tuple(line - 2 for line in lines), length, width)


def _widths(depth: Points, nodes: NDArray[np.intp]) -> Points:
    """Of the thing at each pixel of its skeleton, to a fraction of a pixel.

    Depth, the distance to the nearest pixel outside (y, x), falls evenly from the middle to both sides, so
    two pixels across from each other tell how deep the middle is, wherever between pixels it lies.
    """
    across = np.array([(0, 1), (1, 0), (1, 1), (1, -1)])
    sides = [depth[tuple((nodes[:, None] + way * across).transpose(2, 0, 1))] for way in (-1, 1)]
    middle = (sides[0] + sides[1]) / 2 + np.hypot(*across.T)
    return np.asarray(2 * middle.min(axis=1) - 1)


def _ways(nodes: Points, width: float) -> list[tuple[Points, tuple[bool, bool]]]:
    """The longest way through the skeleton's pixels, then the longest of those aside of it, and so on; and
    of each end whether the skeleton ends there.
    """
    beside = _neighbours(nodes.astype(np.int64))
    ends = (beside >= 0).sum(axis=1) < 2
    found: list[tuple[Points, tuple[bool, bool]]] = []
    left = np.ones(len(nodes), np.bool_)
    while left.sum() >= 2 and len(found) < _MOST_LINES:
        way = _longest(beside, left)
        line, free = nodes[way], [bool(ends[way[0]]), bool(ends[way[-1]])]
        aside = _ASIDE * width
        if found and _length(line) < aside:
            aside = 0
        else:
            line, free = _joined(line, free, [way for way, _ in found], width)
            found.append((line, (free[0], free[1])))
        left &= ~_near(nodes, line, aside)
    return found


@njit(nogil=True, cache=True)
def _near(nodes: Points, line: Points, within: float) -> Mask:  # pragma: no cover
    """Which nodes lie no further than that from a point of the line."""
    out = np.zeros(len(nodes), np.bool_)
    for n in range(len(nodes)):
        for p in range(len(line)):
            down, right = nodes[n, 0] - line[p, 0], nodes[n, 1] - line[p, 1]
            if down * down + right * right <= within * within:
                out[n] = True
                break
    return out


def _neighbours(nodes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Which nodes lie around each, (node, 8) in the order of `_AROUND`; -1 where there is none."""
    place = np.full(nodes.max(axis=0) + 3, -1)
    place[tuple((nodes + 1).T)] = np.arange(len(nodes))
    return np.stack([place[tuple((nodes + 1 + way).T)] for way in _AROUND], axis=1)


def _longest(beside: NDArray[np.int64], left: Mask) -> NDArray[np.int64]:
    """The longest of the shortest ways between any two pixels of a piece of what is left (exact for a tree),
    as nodes.
    """
    distance, _ = _distances(beside, left, int(np.argmax(left)))
    distance, before = _distances(beside, left, int(np.argmax(distance)))
    way = [int(np.argmax(distance))]
    while before[way[-1]] >= 0:
        way.append(int(before[way[-1]]))
    return np.array(way)


@njit(nogil=True, cache=True)
def _distances(
    beside: NDArray[np.int64], left: Mask, start: int
) -> tuple[Points, NDArray[np.int64]]:  # pragma: no cover
    """From `start` to every node, -1 where no way leads, and the node before it on the shortest way there."""
    distance = np.full(len(beside), -1.0)
    before = np.full(len(beside), -1)
    waiting = np.zeros(len(beside), np.bool_)
    queue = [start]
    distance[start] = 0.0
    at = 0
    while at < len(queue):  # a skeleton has few loops: hardly any node is reached twice
        node = queue[at]
        waiting[node] = False
        at += 1
        for k in range(8):
            other = beside[node, k]
            if other < 0 or not left[other]:
                continue
            far = distance[node] + (1.0 if k < 4 else _DIAGONAL)
            if distance[other] < 0 or far < distance[other]:
                distance[other] = far
                before[other] = node
                if not waiting[other]:
                    waiting[other] = True
                    queue.append(other)
    return distance, before


def _joined(line: Points, free: list[bool], others: list[Points], width: float) -> tuple[Points, list[bool]]:
    """A branch with the point of another line at which it leaves that one."""
    if not others:
        return line, free
    known = scipy.spatial.cKDTree(np.concatenate(others))
    gaps, at = known.query(line[[0, -1]])
    near = [gap <= 2 * _ASIDE * width for gap in gaps]
    parts = [known.data[at[:1]]] * int(near[0]) + [line] + [known.data[at[1:]]] * int(near[1])
    return np.concatenate(parts), [own and not met for own, met in zip(free, near, strict=True)]


def _finished(line: Points, free: tuple[bool, bool], solid: Mask, width: float) -> Points:
    """Without the skeleton's stairs and the forks at its free ends, and on to where the thing ends."""
    smooth = scipy.ndimage.gaussian_filter1d(_evenly(line), max(1.5, 0.4 * width), axis=0, mode="nearest")
    cut = round(min(0.75 * width, len(smooth) / 4))
    first, last = cut * free[0], len(smooth) - cut * free[1]
    smooth = smooth[first:last]
    if len(smooth) < 2:
        return np.asarray(smooth)
    back = min(max(round(width), 2), len(smooth) - 1)
    ends = smooth[[0, -1]], smooth[[back, -1 - back]]
    on = [_carried_on(end, inner, solid, width) for end, inner in zip(*ends, strict=True)]
    parts = [point[None] for point in on[:1] if free[0]] + [smooth]
    return np.concatenate(parts + [point[None] for point in on[1:] if free[1]])


def _evenly(line: Points) -> Points:
    """Points a pixel apart."""
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    at = np.linspace(0, along[-1], max(int(np.ceil(along[-1])), 1) + 1)
    return np.stack([np.interp(at, along, line[:, axis]) for axis in (0, 1)], axis=1)


def _carried_on(end: Points, inner: Points, solid: Mask, width: float) -> Points:
    """The last point of the thing straight ahead of `end`, coming from `inner`."""
    ahead = (end - inner) / max(float(np.hypot(*(end - inner))), 1e-9)
    steps = end + np.arange(0, 2 * width, _STEP_PX)[:, None] * ahead
    cells = np.clip(np.rint(steps).astype(int), 0, np.array(solid.shape) - 1)
    within = np.logical_and.accumulate(solid[tuple(cells.T)])
    return np.asarray(steps[max(int(within.sum()) - 1, 0)])


def _length(line: Points) -> float:
    return float(np.hypot(*np.diff(line, axis=0).T).sum())
