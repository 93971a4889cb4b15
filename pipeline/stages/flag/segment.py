"""From a probability at each pixel to separate objects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pipeline.pair import Mask

Bytes = NDArray[np.uint8]
Labels = NDArray[np.int32]
Window = tuple[slice, slice]

NEIGHBOURS = np.ones((3, 3), bool)  # pixels that touch at a corner are one object
_NOT_OBSERVED = 255


@dataclass(frozen=True)
class Levels:
    """Percentages: an object holds a pixel of `core`, and reaches as far as pixels are `edge`."""

    core: int
    edge: int


@dataclass(frozen=True, eq=False)
class Segments:
    """Objects of a scene: `labels` (y, x) counts them from 1, 0 is none. In the same order, `windows` are
    the boxes around them, `sizes` their pixels, `centres` (n, 2) the means of their rows and columns.
    """

    labels: Labels
    windows: list[Window]
    sizes: NDArray[np.intp]
    centres: NDArray[np.float64]


def segment_changes(percent: Bytes, smallest_px: float, levels: Levels) -> Segments:
    """Find connected changed pixels (y, x); objects under `smallest_px` pixels are left out.

    Hysteresis (Canny 1986): pixels count from `levels.edge` on where they are connected to one of
    `levels.core`. Pixels that were not observed (255) never count.
    """
    seen = percent != _NOT_OBSERVED
    changed = seen & (percent >= levels.edge)
    labels, count = ndimage.label(seen & closed(changed), NEIGHBOURS)
    at = np.flatnonzero(labels)
    number = labels.ravel()[at]
    core = number[percent.ravel()[at] >= levels.core]
    sizes = np.bincount(number, minlength=count + 1)[1:]
    keep = (sizes >= smallest_px) & (np.bincount(core, minlength=count + 1)[1:] > 0)
    sums = [np.bincount(number, part, count + 1)[1:][keep] for part in np.divmod(at, labels.shape[1])]
    labels = relabel(labels, keep)
    centres = np.stack(sums, axis=1) / sizes[keep][:, None]
    return Segments(labels, ndimage.find_objects(labels), sizes[keep], centres)


def closed(mask: Mask) -> Mask:
    """The mask (y, x) with gaps of up to two pixels filled: closing by a square of 3 x 3, which never takes
    away.
    """
    padded = np.pad(mask, 2)
    grown = padded[:-2] | padded[1:-1] | padded[2:]
    grown = grown[:, :-2] | grown[:, 1:-1] | grown[:, 2:]
    shrunk = grown[:-2] & grown[1:-1] & grown[2:]
    shrunk = shrunk[:, :-2] & shrunk[:, 1:-1] & shrunk[:, 2:]
    return np.asarray(mask | shrunk)


def relabel(labels: Labels, keep: Mask) -> Labels:
    """Keep the labels i with `keep[i - 1]`, numbered again from 1 in the same order."""
    if keep.all():
        return labels
    number = np.zeros(len(keep) + 1, np.int32)
    number[1:][keep] = np.arange(1, keep.sum() + 1)
    return number[labels]
