"""A site's timeline as the region and site models of the IARPA SMART heavy-construction data set.

The formats are `region_model_spec` and `site_model_spec` of https://github.com/pubgeo/IARPA-SMART, and files
lie as its scoring tools look for them. A region is what we call a site; one of its sites is a finding.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import rasterio
import shapely
from mgrs import MGRS
from odc.geo import Geometry
from odc.geo.geobox import GeoBox
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from pipeline import __version__
from pipeline.config.schema import Smart
from pipeline.grid import to_lonlat as area_to_lonlat
from pipeline.outputs.files import write_text
from pipeline.outputs.vectors import DECIMALS, to_lonlat
from pipeline.phases import Seen, activity_phases
from pipeline.results import PairResult
from pipeline.stages.track import Timeline

FOLDER = "smart"
_VERSION = "2.0.0"  # the major number is that of the specification
_SENSORS = {"landsat": "Landsat 8", "sentinel-2": "Sentinel-2", "worldview": "WorldView", "planet": "Planet"}
_MOST_SITES = 10_000  # their numbers have four digits

Feature = dict[str, Any]


def write_smart(
    folder: Path, named: Smart, aoi: Geometry | None, timeline: Timeline, results: Sequence[PairResult]
) -> None:
    """Write `smart/region_models/<region>.geojson`, and a model of each confirmed finding in
    `smart/site_models/<region>_<number>.geojson`; models of what is no longer confirmed go.

    aoi: the region's ground; None for the ground of the results. Raises OutputError.
    """
    images = _images(results)
    region = Region(named, _ground(aoi, results), min(images), max(images))
    models = {
        str(model[0]["properties"]["site_id"]): model for model in _site_models(timeline, region, images)
    }
    summaries = [region.summary(model[0]) for model in models.values()]
    write_text(
        folder / FOLDER / "region_models" / f"{named.region_id}.geojson",
        _text([region.feature(), *summaries]),
    )
    sites = folder / FOLDER / "site_models"
    for name, model in models.items():
        write_text(sites / f"{name}.geojson", _text(model))
    for old in sites.glob("*.geojson") if sites.exists() else ():
        if old.stem not in models:
            old.unlink()


@dataclass(frozen=True)
class Region:
    """A site as a region: its ground (lon/lat polygon) and its first and last date."""

    named: Smart
    ground: shapely.Polygon
    start: str
    end: str

    def feature(self) -> Feature:
        """The region itself."""
        about = {
            "type": "region",
            "region_id": self.named.region_id,
            "start_date": self.start,
            "end_date": self.end,
            "comments": None,
        }
        return _feature({**about, **self._made_by(self.ground)}, self.ground)

    def site(self, number: int, confidence: float, ground: shapely.Polygon) -> Feature:
        """A finding that was confirmed, as one of the region's sites."""
        about = {
            "type": "site",
            "site_id": f"{self.named.region_id}_{number:04d}",
            "region_id": self.named.region_id,
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
            "originator": self.named.originator,
            "cache": {"groundbreak": __version__},
        }


@dataclass(frozen=True)
class Image:
    """What a date was seen on: the first file's name without its ending, and the sensor in SMART's words."""

    source: str | None
    sensor: str | None


def _images(results: Iterable[PairResult]) -> dict[str, Image]:
    """By date."""
    images: dict[str, Image] = {}
    for pair in results:
        for date, side in ((pair.before, "before"), (pair.after, "after")):
            told = pair.told.get(side, {})
            names = [Path(str(each["href"])).stem for each in told.get("inputs", [])]
            images[date] = Image(names[0] if names else None, _sensor(told.get("sensor")))
    return images


def _sensor(platform: str | None) -> str | None:
    known = (platform or "").lower()
    return next((name for start, name in _SENSORS.items() if known.startswith(start)), None)


def _site_models(timeline: Timeline, region: Region, images: Mapping[str, Image]) -> Iterator[list[Feature]]:
    """The features of each model, the site first, then an observation a date."""
    confirmed = timeline.findings[timeline.findings["status"] == "confirmed"]
    surest = confirmed.sort_values(["confidence", "id"], ascending=[False, True]).head(_MOST_SITES)
    confirmed = surest.sort_values("id")
    if not len(confirmed):
        return
    histories = dict(list(timeline.history.sort_values("date").groupby("id")))
    outlines = to_lonlat(confirmed)
    for row, number, outline in zip(confirmed.itertuples(), _numbers(confirmed["id"]), outlines, strict=True):
        ground = _one_polygon(outline)
        yield [
            region.site(number, float(row.confidence), ground),
            *_observations(row, histories[row.id], ground, images),
        ]


def _observations(
    finding: Any, history: pd.DataFrame, ground: shapely.Polygon, images: Mapping[str, Image]
) -> Iterator[Feature]:
    """The finding on each date; hidden ones are said to be occluded, and their phase is not known."""
    seen = [
        Seen(str(line["date"]), bool(line["observed"]), float(line["area_m2"]) if line["present"] else 0.0)
        for line in history.to_dict("records")
    ]
    state = finding.state if pd.notna(finding.state) else None
    for each, phase in zip(seen, activity_phases(finding.kind, state, seen), strict=True):
        image = images.get(each.date, Image(None, None))
        about = {
            "type": "observation",
            "observation_date": each.date,
            "source": image.source,
            "sensor_name": image.sensor,
            "current_phase": phase,
            "is_occluded": str(not each.observed),
            "is_site_boundary": "True",
            "score": round(float(finding.confidence), 4),
            "cache": {"kind": finding.kind, "area_m2": each.area_m2 if each.observed else None},
        }
        yield _feature(about, shapely.MultiPolygon([ground]))


def _numbers(ids: Iterable[object]) -> list[int]:
    """A number of four digits for each id: itself where it is one, else by a checksum, the next free one."""
    numbers: list[int] = []
    taken: set[int] = set()
    for each in ids:
        text = str(each)
        number = int(text) if text.isdigit() and len(text) <= 4 else zlib.crc32(text.encode()) % _MOST_SITES
        while number in taken:
            number = (number + 1) % _MOST_SITES
        taken.add(number)
        numbers.append(number)
    return numbers


def _ground(aoi: Geometry | None, results: Sequence[PairResult]) -> shapely.Polygon:
    """The area of interest in lon/lat, or what the images cover."""
    if aoi is None:
        with rasterio.open(results[0].folder / "after.tif") as image:
            aoi = GeoBox.from_rio(image).extent
    return _one_polygon(shapely.transform(area_to_lonlat(aoi).geom, lambda xy: xy.round(DECIMALS)))


def _one_polygon(ground: BaseGeometry) -> shapely.Polygon:
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


def _text(features: Sequence[Feature]) -> str:
    collection = {"type": "FeatureCollection", "features": list(features)}
    return json.dumps(collection, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
