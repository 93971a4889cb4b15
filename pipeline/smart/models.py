"""The features of IARPA SMART's region and site models.

After `region_model_spec` and `site_model_spec` of https://github.com/pubgeo/IARPA-SMART. A region is what we
call a site; one of its sites is a finding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import shapely
from mgrs import MGRS
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from pipeline import __version__
from pipeline.smart.phases import Phase

_VERSION = "2.0.0"  # the major number is that of the specification

Feature = dict[str, Any]


@dataclass(frozen=True)
class Region:
    """A site as a region: its name (SY_R001), who made the models, its ground in lon/lat, and its period."""

    name: str
    originator: str
    ground: shapely.Polygon
    start: str
    end: str

    def feature(self) -> Feature:
        """The region itself."""
        about = {
            "type": "region",
            "region_id": self.name,
            "start_date": self.start,
            "end_date": self.end,
            "comments": None,
        }
        return _feature({**about, **self._made_by(self.ground)}, self.ground)

    def site(self, number: int, confidence: float, ground: shapely.Polygon) -> Feature:
        """A finding that was confirmed, as one of the region's sites."""
        about = {
            "type": "site",
            "site_id": f"{self.name}_{number:04d}",
            "region_id": self.name,
            "status": "system_confirmed",
            "score": round(confidence, 4),
            "start_date": self.start,
            "end_date": self.end,
        }
        return _feature({**about, **self._made_by(ground)}, ground)

    def summary(self, site: Feature) -> Feature:
        """A site as the region's model lists it."""
        about = {key: value for key, value in site["properties"].items() if key != "region_id"}
        return {**site, "properties": {**about, "type": "site_summary"}}

    def _made_by(self, ground: shapely.Polygon) -> dict[str, Any]:
        return {
            "version": _VERSION,
            "mgrs": _mgrs(ground),
            "model_content": "proposed",
            "originator": self.originator,
            "cache": {"groundbreak": __version__},
        }


@dataclass(frozen=True)
class Image:
    """What a date was seen on: the first file's name without its ending, and the sensor in SMART's words."""

    source: str | None
    sensor: str | None


def observation(
    date: str, image: Image, phase: Phase, hidden: bool, confidence: float, ground: shapely.Polygon,
    cache: Mapping[str, Any],
) -> Feature:  # fmt: skip
    """A site on one date; where it was hidden, it is said to be occluded."""
    about = {
        "type": "observation",
        "observation_date": date,
        "source": image.source,
        "sensor_name": image.sensor,
        "current_phase": phase,
        "is_occluded": str(hidden),
        "is_site_boundary": "True",
        "score": round(confidence, 4),
        "cache": dict(cache),
    }
    return _feature(about, shapely.MultiPolygon([ground]))


def one_polygon(ground: BaseGeometry) -> shapely.Polygon:
    """The models know of no site or region in parts: such a one becomes the hull around all of them."""
    whole = ground if ground.geom_type == "Polygon" else ground.convex_hull
    polygon: shapely.Polygon = shapely.orient_polygons(whole)
    return polygon


def _mgrs(ground: shapely.Polygon) -> str:
    """The square of 100 km that the middle lies in, with a zone of two digits."""
    middle = ground.centroid
    square = str(MGRS().toMGRS(middle.y, middle.x, MGRSPrecision=0))
    return square.zfill(5) if square[0].isdigit() else square


def _feature(properties: dict[str, Any], ground: BaseGeometry) -> Feature:
    return {"type": "Feature", "properties": properties, "geometry": mapping(ground)}
