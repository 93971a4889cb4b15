"""Outlines with right angles, where the evidence has them.

The orientation is that of the edges' gradients; edges are then set on one of its two directions, short steps
dropped, neighbours cut with each other. Kept only where the result covers the same pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import scipy
from numpy.typing import NDArray
from shapely import affinity
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from pipeline.pair import Mask
from pipeline.stages.flag.contour import with_area

Points = NDArray[np.float64]

LEAST_IOU = 0.85  # of the squared outline and the one that follows the pixels
_SIMPLER = 0.04  # IoU that a plain rectangle may lose against more corners
_TOLERANCE_PX = 1.2
_EDGE_PX = 1.5  # of smoothing, in which pixel stairs become an edge
_CORNERED_PX = 60.0  # of area; smaller ones show no more than a rectangle
_SHORTEST_PX = 2.5  # of an edge
_SHORTEST = 0.14  # as a share of the side of a square of the same area


@dataclass
class _Edge:
    """Along the first axis at `at` on the second (`flat`), or the other way round."""

    flat: bool
    at: float
    weight: float


def squared(inside: Mask, loose: BaseGeometry) -> Polygon | None:
    """A rectangle or another right-angled polygon, None where neither fits.

    inside: (y, x); loose: the outline that follows these pixels, x and y in columns and rows.
    """
    if not isinstance(loose, Polygon) or loose.interiors:
        return None
    angle = _orientation(inside)
    turned = affinity.rotate(loose, -angle, origin=(0, 0), use_radians=True)
    found = [_rectangle(inside, angle), _right_angled(turned, float(inside.sum()))]
    fits = [0.0 if shape is None else _iou(shape, turned) for shape in found]
    best = 0 if fits[0] >= max(fits[1] - _SIMPLER, LEAST_IOU) else 1
    if found[best] is None or fits[best] < LEAST_IOU:
        return None
    return affinity.rotate(found[best], angle, origin=(0, 0), use_radians=True)


def _orientation(inside: Mask) -> float:
    """Radians, within half a right angle: the edges' bearings, a quarter turn counting as none."""
    soft = np.pad(inside, 3).astype(np.float64)
    down, right = (scipy.ndimage.gaussian_filter(soft, _EDGE_PX, order) for order in ((1, 0), (0, 1)))
    return float(np.angle(((right + 1j * down) ** 4 / np.maximum(right**2 + down**2, 1e-12)).sum()) / 4)


def _rectangle(inside: Mask, angle: float) -> Polygon:
    """The rectangle at this angle with the pixels' centre and second moments, in turned coordinates."""
    rows, cols = np.nonzero(inside)
    x, y = cols + 0.5, rows + 0.5
    u = np.cos(angle) * x + np.sin(angle) * y
    v = np.cos(angle) * y - np.sin(angle) * x
    (left, right), (low, high) = (_span(axis) for axis in (u, v))
    return Polygon([(left, low), (right, low), (right, high), (left, high)])


def _span(values: Points) -> tuple[float, float]:
    half = np.sqrt(3 * (values.var() + 1 / 12))
    return float(values.mean() - half), float(values.mean() + half)


def _right_angled(turned: Polygon, area: float) -> Polygon | None:
    corners = np.asarray(turned.simplify(_TOLERANCE_PX).exterior.coords)
    edges = _merged([_edge(a, b) for a, b in pairwise(corners)])
    shortest = max(_SHORTEST_PX, _SHORTEST * float(np.sqrt(turned.area)))
    while len(edges) >= 4 and area >= _CORNERED_PX:
        points = _corners(edges)
        lengths = np.hypot(*(np.roll(points, -1, axis=0) - points).T)
        at = int(np.argmin(lengths))
        if lengths[at] >= shortest:
            polygon = Polygon(points)
            return with_area(polygon, area, _TOLERANCE_PX) if polygon.is_valid else None
        edges = _merged(edges[at + 1 :] + edges[:at])  # its neighbours become one edge
    return None


def _edge(a: Points, b: Points) -> _Edge:
    """Of two axes, the one that the way from a to b is nearer to; the nearer, the more it counts."""
    along = np.abs(b - a)
    flat = bool(along[0] >= along[1])
    length = float(np.hypot(*along))
    straight = float(abs(along[0] - along[1])) / max(length, 1e-9)
    return _Edge(flat, float((a + b)[1 if flat else 0] / 2), length * straight**2 + 1e-6)


def _merged(edges: list[_Edge]) -> list[_Edge]:
    """Neighbours of one direction as one edge, round the ring."""
    start = next((i for i, edge in enumerate(edges) if edge.flat != edges[i - 1].flat), 0)
    merged: list[_Edge] = []
    for edge in edges[start:] + edges[:start]:
        if merged and merged[-1].flat == edge.flat:
            last = merged[-1]
            weight = last.weight + edge.weight
            at = (last.at * last.weight + edge.at * edge.weight) / weight
            merged[-1] = _Edge(edge.flat, at, weight)
        else:
            merged.append(edge)
    return merged


def _corners(edges: list[_Edge]) -> Points:
    """Where each edge begins: at its crossing with the one before."""
    points = [
        (edges[i - 1].at, edge.at) if edge.flat else (edge.at, edges[i - 1].at)
        for i, edge in enumerate(edges)
    ]
    return np.array(points)


def _iou(one: BaseGeometry, other: BaseGeometry) -> float:
    common = one.intersection(other).area
    return float(common / max(one.area + other.area - common, 1e-9))
