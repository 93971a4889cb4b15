"""Where a thing ends, finer than its pixels: the line along which its probability falls below a level."""

from __future__ import annotations

import numpy as np
import scipy
import shapely
import skimage
from shapely.geometry.base import BaseGeometry

from pipeline.pair import Float, Mask
from pipeline.stages.flag.segment import Bytes

_STEEP = 15.0  # percent from the level; further off says nothing about where the edge lies within a pixel
_LEAST = 1.0  # a pixel inside is above the level by as much, one outside below it
_CRUMB = 0.05  # of the largest piece: smaller ones are not drawn
_HOLE_PX = 9.0  # and neither are holes of fewer pixels


def contour(inside: Mask, percent: Bytes, level: float, smoothing: float) -> BaseGeometry:
    """Polygon or MultiPolygon around the pixels `inside` (y, x), x and y in columns and rows, the first
    pixel's corner at (0, 0). smoothing: pixels, 0 for none, that take the
    noise of single ones away.
    """
    field = np.pad(_field(inside, percent, level), 2, constant_values=-_STEEP)
    rings = _rings(scipy.ndimage.gaussian_filter(field, smoothing)) if smoothing else []
    return _even_odd(rings or _rings(field))


def _rings(field: Float) -> list[BaseGeometry]:
    """Where the padded field (y, x) crosses zero."""
    found = skimage.measure.find_contours(field, 0.0, fully_connected="high")
    rings = [shapely.Polygon(ring[:, ::-1] - 1.5).buffer(0) for ring in found if len(ring) > 3]
    return [ring for ring in rings if not ring.is_empty]


def simpler(shape: BaseGeometry, tolerance: float) -> BaseGeometry:
    """The shape with fewer corners, off by up to `tolerance`, its area kept; itself where that fails."""
    simple = with_area(shape.simplify(tolerance), shape.area, tolerance)
    return simple if simple.is_valid and not simple.is_empty else shape


def with_area(shape: BaseGeometry, area: float, most: float) -> BaseGeometry:
    """The shape grown or shrunk evenly on all sides, by at most `most`, to about this area."""
    if shape.is_empty:
        return shape
    by = float(np.clip((area - shape.area) / shape.length, -most, most))
    return shape.buffer(by, join_style="mitre")


def _field(inside: Mask, percent: Bytes, level: float) -> Float:
    """How far above the level (y, x): positive inside, negative outside, at most `_STEEP`."""
    above = np.clip(percent.astype(np.float32) - np.float32(level), -_STEEP, _STEEP)
    signed = np.where(inside, np.maximum(above, _LEAST), np.minimum(above, -_LEAST))
    return np.asarray(signed, np.float32)


def _even_odd(rings: list[BaseGeometry]) -> BaseGeometry:
    """Rings within rings are holes; without crumbs and small holes."""
    rings = sorted(rings, key=lambda ring: -ring.area)
    whole = rings[0]
    for ring in rings[1:]:
        hole = whole.contains(ring.representative_point())
        if hole and ring.area >= _HOLE_PX:
            whole = whole.difference(ring)
        elif not hole and ring.area >= _CRUMB * rings[0].area:
            whole = whole.union(ring)
    return whole
