"""Outlines as SVG."""

from __future__ import annotations

import shapely


def svg_path(shape: shapely.Geometry) -> str:
    """All rings of a polygon or multipolygon in pixels, as the `d` of an SVG path."""
    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    rings = [ring for part in parts for ring in (part.exterior, *part.interiors)]
    return "".join(f"M{'L'.join(f'{x:.1f} {y:.1f}' for x, y in ring.coords[:-1])}Z" for ring in rings)
