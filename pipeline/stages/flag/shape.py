"""How large a thing is, and how much like a rectangle or a line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
import shapely
from numpy.typing import NDArray

from pipeline.pair import Mask
from pipeline.stages.flag.centreline import centre_line

Coordinates = NDArray[np.float64]

_LONG = 4.0  # times as much area as the largest square in it: measured along its centre line
_LINE_PX = 16.0  # of area; fewer pixels have no centre line worth the name
_SIDES = np.array([[0.5, 0], [-0.5, 0], [0, 0.5], [0, -0.5]])


@dataclass(frozen=True)
class Shape:
    """An object's outline, in metres."""

    area_m2: float
    length_m: float
    width_m: float
    rectangularity: float  # area over that of the smallest rectangle around it
    solidity: float  # area over that of its convex hull


def measure_shape(inside: Mask, pixel_m: float) -> Shape:
    """Shape of one object in a window (y, x), pixels of `pixel_m` metres.

    A thing much longer than wide is measured along its centre line, bends and all; any other by the axes of
    the ellipse with the same second moments.
    """
    rows, cols = np.nonzero(inside)
    area = float(len(rows))
    box = inside[rows.min() : rows.max() + 1, cols.min() : cols.max() + 1]
    line = centre_line(box) if area > _LINE_PX and area > _LONG * _thickness(box) ** 2 else None
    length, width = _axes(rows, cols) if line is None else (line.length, line.width)
    edge_rows, edge_cols = np.nonzero(box & ~scipy.ndimage.binary_erosion(box))
    height, breadth = _smallest_rectangle(edge_rows, edge_cols)
    return Shape(
        area_m2=area * pixel_m**2,
        length_m=length * pixel_m,
        width_m=width * pixel_m,
        rectangularity=min(area / (height * breadth), 1.0),
        solidity=min(area / _hull_area(box), 1.0) if area > 3 else 1.0,
    )


def _thickness(box: Mask) -> float:
    """Side of the largest square in it, about."""
    return 2 * float(scipy.ndimage.distance_transform_edt(np.pad(box, 1)).max()) - 1


def _axes(rows: NDArray[np.intp], cols: NDArray[np.intp]) -> tuple[float, float]:
    """Sides of the rectangle with the same second moments, pixels counted as squares."""
    spread = np.cov(np.stack([rows, cols]), bias=True) + np.eye(2) / 12
    small, large = np.sqrt(12 * np.linalg.eigvalsh(spread))
    return max(float(large), 1.0), max(float(small), 1.0)


def _smallest_rectangle(rows: NDArray[np.intp], cols: NDArray[np.intp]) -> tuple[float, float]:
    """Sides in pixels of the smallest rectangle, at any angle, around the pixels' centres, and half a pixel
    more.
    """
    angles = np.deg2rad(np.arange(0, 90, 3.0))[:, None]
    u = np.cos(angles) * cols + np.sin(angles) * rows
    v = np.cos(angles) * rows - np.sin(angles) * cols
    sides = np.ptp(u, axis=1) + 1, np.ptp(v, axis=1) + 1
    best = int(np.argmin(sides[0] * sides[1]))
    return float(sides[0][best]), float(sides[1][best])


def _hull_area(box: Mask) -> float:
    """Of the convex hull around the middles of the pixels' sides."""
    rows = np.flatnonzero(box.any(axis=1))
    ends = box.argmax(axis=1)[rows], box.shape[1] - 1 - box[:, ::-1].argmax(axis=1)[rows]
    points = np.concatenate([np.stack([rows, cols], axis=1) for cols in ends])
    return float(shapely.MultiPoint((points[:, None] + _SIDES).reshape(-1, 2)).convex_hull.area)
