"""Touching buildings told apart; one roof, whatever its form, left whole.

A watershed (Beucher and Meyer 1993) on how deep inside a pixel lies, times how probable it is. Two summits
are two roofs where the way from one to the other leads down far enough: a neck, or a gap between walls.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import scipy
import skimage
from numpy.typing import NDArray

from pipeline.pair import Float, Mask
from pipeline.stages.flag.segment import NEIGHBOURS, Bytes, Labels

_SMALLEST_PX = 12  # of a roof
_LEAST_DROP_PX = 0.9  # from the lower summit to the pass
_LEAST_DROP = 0.3  # as a share of the lower summit: the arms of an L drop by a sixth, noise by as much again
_SMOOTHING_PX = 0.8
_TYPICAL = 0.9  # quantile of the probabilities that counts as sure

Number = TypeVar("Number", bound=np.generic)
Passes = dict[tuple[int, int], float]


def separate(inside: Mask, percent: Bytes) -> list[Mask]:
    """The roofs (y, x) that the pixels `inside` are. `percent`: how probable a building is there."""
    (box,) = scipy.ndimage.find_objects(inside.astype(np.int8))
    parts = _separate(inside[box], percent[box]) if int(inside[box].sum()) >= 2 * _SMALLEST_PX else []
    if len(parts) < 2:
        return [inside]
    whole = [np.zeros_like(inside) for _ in parts]
    for mask, part in zip(whole, parts, strict=True):
        mask[box] = part
    return whole


def _separate(inside: Mask, percent: Bytes) -> list[Mask]:
    depth = _depth(inside, percent)
    highest = depth == scipy.ndimage.maximum_filter(depth, 3, mode="constant")
    summits, count = scipy.ndimage.label(highest & (depth > 0), NEIGHBOURS)
    if count < 2:
        return [inside]
    roofs = _joined(
        skimage.segmentation.watershed(-depth, summits, mask=inside, connectivity=2), depth, count
    )
    return [roofs == number for number in np.unique(roofs[roofs > 0]).tolist()]


def _depth(inside: Mask, percent: Bytes) -> Float:
    likely = scipy.ndimage.gaussian_filter(np.where(inside, percent, 0).astype(np.float32), _SMOOTHING_PX)
    share = np.maximum(scipy.ndimage.gaussian_filter(inside.astype(np.float32), _SMOOTHING_PX), 1e-6)
    likely = np.where(inside, likely / share, 0)
    likely = np.minimum(likely / max(float(np.quantile(likely[inside], _TYPICAL)), 1.0), 1)
    deep = scipy.ndimage.distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]
    return np.asarray(scipy.ndimage.gaussian_filter(deep, _SMOOTHING_PX) * likely * inside, np.float32)


def _joined(basins: Labels, depth: Float, count: int) -> Labels:
    """Basins with no clear pass between them as one; each is called after its highest summit."""
    summit = np.concatenate([[0], scipy.ndimage.maximum(depth, basins, np.arange(1, count + 1))])
    size = np.bincount(basins.ravel(), minlength=count + 1)
    parent = np.arange(count + 1)

    def top(basin: int) -> int:
        while parent[basin] != basin:
            basin = int(parent[basin])
        return basin

    def join(a: int, b: int) -> None:
        low, high = (a, b) if summit[a] < summit[b] else (b, a)
        parent[low] = high
        size[high] += size[low]

    passes = sorted(_passes(basins, depth).items(), key=lambda item: (-item[1], item[0]))
    for small in (False, True):  # first those hardly parted, then those too small to be a roof
        for (first, second), height in passes:
            a, b = top(first), top(second)
            if a == b:
                continue
            drop = min(summit[a], summit[b]) - height
            little = drop < max(_LEAST_DROP_PX, _LEAST_DROP * min(summit[a], summit[b]))
            if (small and min(size[a], size[b]) < _SMALLEST_PX) or (not small and little):
                join(a, b)
    return np.array([top(basin) for basin in range(count + 1)], np.int32)[basins]


def _passes(basins: Labels, depth: Float) -> Passes:
    """The highest way from one basin to the next: (lower number, higher number) -> its lowest point."""
    found: Passes = {}
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        one, other = _beside(basins, down, right)
        height = np.minimum(*_beside(depth, down, right))
        for a, b, h in zip(*_differing(one, other, height), strict=True):
            found[a, b] = max(found.get((a, b), 0.0), h)
    return found


def _differing(one: Labels, other: Labels, height: Float) -> tuple[list[int], list[int], list[float]]:
    at = (one != other) & (one > 0) & (other > 0)
    low, high = np.minimum(one[at], other[at]), np.maximum(one[at], other[at])
    return low.tolist(), high.tolist(), height[at].tolist()


def _beside(image: NDArray[Number], down: int, right: int) -> tuple[NDArray[Number], NDArray[Number]]:
    """Each pixel, and its neighbour `down` rows and `right` columns on."""
    rows, cols = image.shape
    left = max(-right, 0)
    return (
        image[: rows - down, left : cols - max(right, 0)],
        image[down:, left + right : cols - max(right, 0) + right],
    )
