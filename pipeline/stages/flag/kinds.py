"""Where a patch of new pixels is one kind of thing, and where another: a building beside its new road.

Each pixel goes to its most probable kind, smoothed a little. Regions that are crumbs, rims of another one or
hardly more of their own kind than of their neighbour's are given up to what lies nearest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from pipeline.pair import Float, Mask
from pipeline.stages.flag.segment import NEIGHBOURS, Bytes, Labels

_SMOOTHING = 0.2  # of half the patch's thickness: a hall is not to fall apart by what its roof looks like
_SMOOTHING_PX = (1.0, 5.0)
_SMALLEST_PX = 12  # of a region; fewer are a crumb
_RIM_PX = 2.5  # of another region; what lies within, nearly all of it, is its rim
_RIM_SHARE = 0.7
_OWN = 10.0  # percent by which a region is more of its kind than of its neighbour's
_PLAIN = 0.02  # of the patch: so little of any other kind is not looked into
_SQUARE = np.ones((2, 2), bool)


@dataclass(frozen=True, eq=False)
class Region:
    """Pixels (y, x) of one kind, which `kind` counts among the layers given."""

    kind: int
    inside: Mask


def regions(kinds: Bytes, inside: Mask) -> list[Region]:
    """The patch `inside` (y, x) as regions of one kind each, which together are the patch.

    kinds: percent (kind, y, x).
    """
    counts = np.bincount(kinds[:, inside].argmax(axis=0), minlength=len(kinds))
    if counts.sum() - counts.max() < max(_SMALLEST_PX, _PLAIN * counts.sum()):
        return [Region(int(counts.argmax()), inside)]
    thick = float(scipy.ndimage.distance_transform_edt(np.pad(inside, 1)).max())
    sigma = float(np.clip(_SMOOTHING * thick, *_SMOOTHING_PX))
    likely = scipy.ndimage.gaussian_filter(kinds.astype(np.float32), (0, sigma, sigma))
    best = np.where(inside, likely.argmax(axis=0), -1)
    labels, of_kind = _connected(best, len(kinds))
    labels = _settled(labels, of_kind, likely)
    numbers = np.unique(labels[labels > 0])
    if len(numbers) < 2:
        total = [float(layer[inside].sum(dtype=np.float64)) for layer in kinds]
        return [Region(int(np.argmax(total)), inside)]
    nearest = scipy.ndimage.distance_transform_edt(labels == 0, return_distances=False, return_indices=True)
    labels = np.where(inside, labels[tuple(nearest)], 0)
    return [Region(of_kind[number], labels == number) for number in numbers.tolist()]


def _connected(best: NDArray[np.intp], count: int) -> tuple[Labels, dict[int, int]]:
    """Connected regions of one kind, numbered from 1, and the kind of each."""
    labels = np.zeros(best.shape, np.int32)
    of_kind: dict[int, int] = {}
    for kind in range(count):
        pieces, found = scipy.ndimage.label(best == kind, NEIGHBOURS)
        labels[pieces > 0] = pieces[pieces > 0] + len(of_kind)
        of_kind |= {len(of_kind) + i: kind for i in range(1, found + 1)}
    return labels, of_kind


def _settled(labels: Labels, of_kind: dict[int, int], likely: Float) -> Labels:
    """The labels without regions that are nothing by themselves, the smallest first."""
    sizes = np.bincount(labels.ravel(), minlength=len(of_kind) + 1)
    thick = np.zeros(len(sizes), bool)
    for number, box in enumerate(scipy.ndimage.find_objects(labels), start=1):
        thick[number] = scipy.ndimage.binary_erosion(labels[box] == number, _SQUARE, border_value=0).any()
    solid = thick & (sizes >= _SMALLEST_PX)
    labels = np.where(solid[labels], labels, 0)
    for number in np.argsort(sizes, kind="stable").tolist():
        if number and solid[number] and _belongs_to_another(labels, number, of_kind, likely):
            labels[labels == number] = 0
    return labels


def _belongs_to_another(labels: Labels, number: int, of_kind: dict[int, int], likely: Float) -> bool:
    mine, others = labels == number, (labels > 0) & (labels != number)
    if not others.any():
        return False
    away, nearest = scipy.ndimage.distance_transform_edt(~others, return_indices=True)
    near = mine & (away <= _RIM_PX)
    if not near.any():
        return False
    if near.sum() >= _RIM_SHARE * mine.sum():
        return True
    neighbours = labels[tuple(at[near] for at in nearest)]
    neighbour = int(np.bincount(neighbours).argmax())
    own, other = of_kind[number], of_kind[neighbour]
    return own != other and float((likely[own] - likely[other])[mine].mean()) < _OWN
