"""Where numbers go so that they cover neither each other nor, where it can be helped, other findings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely

_STEPS = (3.0, 12.0, 24.0, 40.0, 60.0, 90.0)  # how far a label may keep away from its shape
_SPACING = 7.0  # between places that are tried
_NEAR = 160.0  # shapes farther than this cannot be covered by a label
_COVERING = 40.0  # covering another shape altogether costs as much as moving this far away


def place(
    shapes: Sequence[shapely.Geometry], sizes: Sequence[tuple[float, float]], frame: shapely.Geometry
) -> list[shapely.Geometry | None]:
    """A label (box) of each size (width, height) beside its shape, first come first; None where none fits.

    All in one unit, that of the screen; y may point either way. Labels never overlap each other and stay in
    `frame`; of the free places wins the one that covers least and is nearest, then the rightmost.
    Greedy point-feature placement (Christensen, Marks & Shieber 1995), with places along the shape's outline.
    """
    tree = shapely.STRtree(list(shapes))
    placed: list[shapely.Geometry | None] = []
    for shape, size in zip(shapes, sizes, strict=True):
        near = shapely.union_all(tree.geometries[tree.query(shape, predicate="dwithin", distance=_NEAR)])
        taken = shapely.union_all([label for label in placed if label is not None])
        placed.append(_best(shape, size, near, taken, frame))
    return placed


def _best(
    shape: shapely.Geometry, size: tuple[float, float], near: Any, taken: Any, frame: Any
) -> shapely.Geometry | None:
    for step in _STEPS:
        boxes = _around(shape, size, step)
        boxes = boxes[shapely.covers(frame, boxes) & ~shapely.intersects(taken, boxes)]
        if not len(boxes):
            continue
        covered = shapely.area(shapely.intersection(boxes, near)) / (size[0] * size[1])
        if covered.min() * _COVERING > 2 * step and step != _STEPS[-1]:
            continue  # farther out may be clearer
        right = shapely.get_x(shapely.centroid(boxes))
        return boxes[np.lexsort((-right, covered.round(3)))[0]]
    return None


def _around(shape: shapely.Geometry, size: tuple[float, float], step: float) -> Any:
    """Boxes of `size` whose middles lie along the shape's outline, clear of it by about `step`."""
    line = shape.convex_hull.buffer(max(size) / 2 + step, quad_segs=4).exterior
    middles = shapely.line_interpolate_point(line, np.arange(0, line.length, _SPACING))
    x, y = shapely.get_x(middles), shapely.get_y(middles)
    return shapely.box(x - size[0] / 2, y - size[1] / 2, x + size[0] / 2, y + size[1] / 2)
