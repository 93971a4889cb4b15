"""From a probability at each pixel to separate objects: strips of rows, joined where they touch.

Only changed pixels are kept, so that memory follows what has changed rather than the size of the image.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

from pipeline.pair import Mask

Bytes = NDArray[np.uint8]
Labels = NDArray[np.int32]
Places = NDArray[np.int64]
Window = tuple[slice, slice]
Strip = Callable[[slice], Bytes]
"""Some rows of a layer, as wide as the grid."""

NEIGHBOURS = np.ones((3, 3), bool)  # pixels that touch at a corner are one object
STRIP_ROWS = 1024
_NOT_OBSERVED = 255
_HALO = 2  # rows that `closed` looks at


@dataclass(frozen=True)
class Levels:
    """Percentages: an object holds a pixel of `core`, and reaches as far as pixels are `edge`."""

    core: int
    edge: int


@dataclass(frozen=True, eq=False)
class Segments:
    """Objects of a scene of `shape`, counted from 1 in the order of their first pixels, row by row.

    In this order, `windows` are the boxes around them, `sizes` their pixels, `centres` (n, 2) the means of
    their rows and columns. `places` (m,) are the pixels of all of them, counted row by row, ascending, and
    `numbers` (m,) the objects that they belong to.
    """

    shape: tuple[int, int]
    places: Places
    numbers: Labels
    windows: list[Window]
    sizes: NDArray[np.intp]
    centres: NDArray[np.float64]

    def labels(self, rows: slice, cols: slice) -> Labels:
        """The number of the object at each pixel of a window (y, x), 0 for none."""
        width = self.shape[1]
        some = slice(*np.searchsorted(self.places, (rows.start * width, rows.stop * width)))
        row, col = np.divmod(self.places[some], width)
        inside = (col >= cols.start) & (col < cols.stop)
        out = np.zeros((rows.stop - rows.start, cols.stop - cols.start), np.int32)
        out[row[inside] - rows.start, col[inside] - cols.start] = self.numbers[some][inside]
        return out


def segment_changes(layer: Strip, shape: tuple[int, int], smallest_px: float, levels: Levels) -> Segments:
    """Find connected changed pixels of a layer in percent; objects under `smallest_px` pixels are left out.

    Hysteresis (Canny 1986): pixels count from `levels.edge` on where they are connected to one of
    `levels.core`. Pixels that were not observed (255) never count.
    """
    parts, pairs = [], [np.zeros((0, 2), np.int64)]
    count, above = 0, np.zeros(shape[1], np.int64)
    for rows in strips(shape[0]):
        part, bottom, top = _labelled(layer, rows, shape, levels, count)
        parts.append(part)
        pairs.append(_touching(above, top))
        count, above = count + part.objects, bottom
    places, local, sure = (np.concatenate(each) for each in zip(*(part[:3] for part in parts), strict=True))
    whole = _joined(count, np.concatenate(pairs))[local]
    first = np.sort(np.unique(whole, return_index=True)[1])
    number = np.empty(count + 1, np.int64)
    number[whole[first]] = np.arange(len(first))
    return _kept(shape, places, number[whole], sure, smallest_px)


def strips(height: int) -> Iterator[slice]:
    """Rows of a grid, some at a time."""
    for start in range(0, height, STRIP_ROWS):
        yield slice(start, min(start + STRIP_ROWS, height))


class _Part(NamedTuple):
    """The changed pixels of a strip: place on the grid, object of the strip, whether it is of the core."""

    places: Places
    numbers: Places
    sure: Mask
    objects: int


def _labelled(
    layer: Strip, rows: slice, shape: tuple[int, int], levels: Levels, before: int
) -> tuple[_Part, Places, Places]:
    """A strip's pixels, numbered on from `before`; the objects along its last and its first row, else 0."""
    height, width = shape
    wide = slice(max(rows.start - _HALO, 0), min(rows.stop + _HALO, height))
    percent = layer(wide)
    seen = percent != _NOT_OBSERVED
    changed = seen & closed(seen & (percent >= levels.edge))
    own = slice(rows.start - wide.start, rows.stop - wide.start)
    labels, count = scipy.ndimage.label(changed[own], NEIGHBOURS)
    at = np.flatnonzero(labels)
    numbers = labels.ravel()[at].astype(np.int64) + before
    part = _Part(at + rows.start * width, numbers, percent[own].ravel()[at] >= levels.core, count)
    bottom, top = (np.where(row > 0, row + before, 0).astype(np.int64) for row in (labels[-1], labels[0]))
    return part, bottom, top


def _touching(above: Places, below: Places) -> Places:
    """Pairs (n, 2) of objects in two rows that touch, at corners too."""
    width, pairs = len(above), []
    for step in (-1, 0, 1):
        upper = above[max(-step, 0) : width - max(step, 0)]
        lower = below[max(step, 0) : width - max(-step, 0)]
        both = (upper > 0) & (lower > 0)
        pairs.append(np.stack([upper[both], lower[both]], axis=1))
    return np.concatenate(pairs)


def _joined(count: int, pairs: Places) -> Places:
    """The group (count + 1,) that each number is in, where those in `pairs` are in one."""
    graph = scipy.sparse.coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), (count + 1, count + 1))
    return np.asarray(scipy.sparse.csgraph.connected_components(graph, directed=False)[1], np.int64)


def _kept(
    shape: tuple[int, int], places: Places, numbers: Places, sure: Mask, smallest_px: float
) -> Segments:
    """The objects, numbered from 0, that are large enough and sure somewhere, numbered anew from 1."""
    count = int(numbers.max()) + 1 if len(numbers) else 0
    sizes = np.bincount(numbers, minlength=count)
    keep = (sizes >= smallest_px) & (np.bincount(numbers[sure], minlength=count) > 0)
    kept = keep[numbers] if count else np.zeros(0, bool)
    places, numbers = places[kept], (np.cumsum(keep) - 1)[numbers[kept]]
    sizes = sizes[keep]
    order = np.argsort(numbers, kind="stable")
    row, col = np.divmod(places[order], shape[1])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.intp)[: len(sizes)]
    if not len(sizes):
        return Segments(shape, places, numbers.astype(np.int32), [], sizes, np.zeros((0, 2)))
    low, high = (
        [extreme.reduceat(axis, starts) for axis in (row, col)] for extreme in (np.minimum, np.maximum)
    )
    windows = [
        (slice(top, bottom + 1), slice(left, right + 1))
        for top, left, bottom, right in np.stack([*low, *high], axis=1).tolist()
    ]
    centres = np.stack([np.add.reduceat(axis, starts) for axis in (row, col)], axis=1) / sizes[:, None]
    return Segments(shape, places, (numbers + 1).astype(np.int32), windows, sizes, centres)


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
