"""Tell apart things that touch: a bank and the road to it, a roof and its shadow, a pad and a lorry beside
it.

The pixels of one object are grouped in two by how the ground changed and how rough it is now. The grouping
is kept only where the groups are far apart, large and whole; each part is then judged for itself, and parts
that turn out to be one thing are joined again.
"""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from pipeline.pair import Mask, Pair

_SMALLEST_PX = 40  # objects of fewer pixels are left whole
_SMOOTHING_M = 1.25  # enough to even out a roof, not to mix it with its shadow
_SMOOTHING_LONG_M = 3.5  # evens out both slopes of a bank
LONG = 4.0  # times as long as wide
_LEAST_SHARE = 0.12  # of the object, in either part
_LEAST_WHOLE = 0.7  # of a part, in its largest piece
_EXPLAINED = 0.6  # of the variance, by the grouping
_APART = 0.3  # between the groups, in logarithms of brightness or of roughness
_ROUNDS = 20
_MOST_PIXELS = 1500  # to find the groups by
_CORNERS = np.ones((3, 3), bool)


def split(pair: Pair, inside: Mask, pixel_m: float, long: bool) -> list[Mask]:
    """The parts (y, x) of the object `inside` a window of the pair; the object itself where it is one thing.

    `long`: it is more than `LONG` times as long as wide.
    """
    if int(inside.sum()) < _SMALLEST_PX:
        return [inside]
    smoothing = _SMOOTHING_LONG_M if long else _SMOOTHING_M
    first = _two_groups(_appearance(pair, inside, smoothing / pixel_m))
    if first is None:
        return [inside]
    part = np.zeros_like(inside)
    part[inside] = first
    part = scipy.ndimage.median_filter(part.astype(np.uint8), 5).astype(bool) & inside
    parts = [_largest(part), _largest(inside & ~part)]
    total = float(inside.sum())
    for whole, mine in zip((part, inside & ~part), parts, strict=True):
        if mine.sum() < _LEAST_SHARE * total or mine.sum() < _LEAST_WHOLE * whole.sum():
            return [inside]
    rest = inside & ~parts[0] & ~parts[1]
    return [parts[0], parts[1] | rest] if rest.any() else parts


def _appearance(pair: Pair, inside: Mask, sigma: float) -> NDArray[np.float64]:
    """(pixels, 3): logarithms of brightness before and after, and roughness after, smoothed within the
    object.
    """
    sigma = float(np.clip(sigma, 0.7, 8.0))
    before, after = (
        np.maximum(np.where(inside, image.mean(axis=0), 0), 1e-4) for image in (pair.before, pair.after)
    )
    share = np.maximum(scipy.ndimage.gaussian_filter(inside.astype(np.float32), sigma), 1e-6)
    mean_before, mean, square = (
        scipy.ndimage.gaussian_filter(np.where(inside, image, 0), sigma) / share
        for image in (before, after, after * after)
    )
    level = float(np.median(after[inside]))
    roughness = np.sqrt(np.maximum(square - mean * mean, 0)) / level
    features = np.log(np.maximum(mean_before, 1e-4)), np.log(np.maximum(mean, 1e-4)), 2.0 * roughness
    return np.stack([feature[inside] for feature in features], axis=1).astype(np.float64)


def _two_groups(values: NDArray[np.float64]) -> Mask | None:
    """Two-means from both ends of the main axis; None where the groups are not clearly two."""
    every, values = values, values[:: max(1, len(values) // _MOST_PIXELS)]
    centred = values - values.mean(axis=0)
    axis = np.linalg.eigh(centred.T @ centred)[1][:, -1]
    first = centred @ axis > 0
    for _ in range(_ROUNDS):
        if first.all() or not first.any():
            return None
        means = [values[first].mean(axis=0), values[~first].mean(axis=0)]
        nearer = ((values - means[0]) ** 2).sum(axis=1) < ((values - means[1]) ** 2).sum(axis=1)
        if (nearer == first).all():
            break
        first = nearer
    else:
        means = [values[first].mean(axis=0), values[~first].mean(axis=0)]
    between = first.mean() * (~first).mean() * ((means[0] - means[1]) ** 2).sum()
    explained = between / max(float((centred**2).sum(axis=1).mean()), 1e-12)
    clear = explained >= _EXPLAINED and np.abs(means[0] - means[1]).max() >= _APART
    if not clear:
        return None
    nearer = ((every - means[0]) ** 2).sum(axis=1) < ((every - means[1]) ** 2).sum(axis=1)
    return np.asarray(nearer)


def _largest(mask: Mask) -> Mask:
    labels, count = scipy.ndimage.label(mask, _CORNERS)
    if count <= 1:
        return mask
    return np.asarray(labels == 1 + int(np.bincount(labels.ravel())[1:].argmax()))
