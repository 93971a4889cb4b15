"""The outline of an object, on the ground."""

from __future__ import annotations

from odc.geo.geobox import GeoBox
from rasterio.features import shapes
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from pipeline.pair import Mask

_CRUMB = 0.05  # of the largest piece: smaller ones are not drawn
_SMOOTHING_PX = 0.75  # an outline may leave the pixels' stairs by this much


def outline(inside: Mask, window: GeoBox) -> BaseGeometry:
    """Polygon or MultiPolygon around the pixels `inside` (y, x), in the CRS of `window`, stairs smoothed
    away.
    """
    found = shapes(inside.astype("uint8"), mask=inside, connectivity=8, transform=window.transform)
    pieces = [shape(geometry) for geometry, _ in found]
    least = _CRUMB * max(piece.area for piece in pieces)
    whole = unary_union([piece for piece in pieces if piece.area >= least]).buffer(0)
    tolerance = _SMOOTHING_PX * abs(window.transform.a)
    smooth = whole.simplify(tolerance)
    return smooth if smooth.is_valid and abs(smooth.area - whole.area) <= 0.1 * whole.area else whole
