"""Which of a site's named zones a finding lies in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from odc.geo import Geometry
from odc.geo.geobox import GeoBox
from shapely.geometry.base import BaseGeometry


def zone_of(
    outlines: Sequence[BaseGeometry], zones: Mapping[str, Geometry], grid: GeoBox
) -> list[str | None]:
    """The zone that holds most of each outline, None outside all; the first by name among equals."""
    assert grid.crs is not None
    areas = {name: zones[name].to_crs(grid.crs).geom for name in sorted(zones)}
    return [_largest_share(outline, areas) for outline in outlines]


def _largest_share(outline: BaseGeometry, areas: Mapping[str, BaseGeometry]) -> str | None:
    shares = {name: area.intersection(outline).area for name, area in areas.items()}
    best = max(shares, key=shares.__getitem__, default=None)
    return best if best is not None and shares[best] > 0 else None
