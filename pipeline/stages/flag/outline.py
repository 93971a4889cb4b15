"""The outline of an object, on the ground."""

from __future__ import annotations

from odc.geo.geobox import GeoBox
from rasterio.features import shapes
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from pipeline.pair import Mask

_SMOOTHING_PX = 0.75  # an outline may leave the pixels' stairs by this much


def outline(inside: Mask, window: GeoBox) -> BaseGeometry:
    """Polygon or MultiPolygon around the pixels `inside` (y, x), in the CRS of `window`, stairs smoothed
    away.
    """
    parts = shapes(inside.astype("uint8"), mask=inside, connectivity=8, transform=window.transform)
    whole = unary_union([shape(geometry) for geometry, _ in parts]).buffer(0)
    tolerance = _SMOOTHING_PX * abs(window.transform.a)
    smooth = whole.simplify(tolerance)
    return smooth if smooth.is_valid and abs(smooth.area - whole.area) <= 0.1 * whole.area else whole
