"""From a probability at each pixel to separate objects."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pipeline.pair import Mask

Labels = NDArray[np.int32]

_NEIGHBOURS = np.ones((3, 3), bool)  # pixels that touch at a corner are one object
_CORE_PERCENT = 50  # an object holds at least one pixel as probable as this
_EDGE_PERCENT = 20  # and reaches as far as pixels are this probable
_NOT_OBSERVED = 255


def segment_changes(percent: NDArray[np.uint8], smallest_px: float) -> tuple[Labels, int]:
    """Label connected changed pixels (y, x) from 1; objects under `smallest_px` pixels are left out.

    Hysteresis: pixels count from `_EDGE_PERCENT` on where they are connected to one of `_CORE_PERCENT`.
    Pixels that were not observed (255) never count.
    """
    seen = percent != _NOT_OBSERVED
    changed = seen & (percent >= _EDGE_PERCENT)
    candidate = seen & (changed | ndimage.binary_closing(changed, _NEIGHBOURS))
    labels, count = ndimage.label(candidate, _NEIGHBOURS)
    index = np.arange(1, count + 1)
    size = ndimage.sum_labels(candidate, labels, index)
    peak = ndimage.maximum(np.where(seen, percent, 0), labels, index) if count else np.zeros(0)
    return relabel(labels, (size >= smallest_px) & (peak >= _CORE_PERCENT))


def relabel(labels: NDArray[np.integer], keep: Mask) -> tuple[Labels, int]:
    """Keep the labels i with `keep[i - 1]`, numbered again from 1 in the same order."""
    number = np.zeros(len(keep) + 1, np.int32)
    number[1:][keep] = np.arange(1, keep.sum() + 1)
    return number[labels], int(keep.sum())
