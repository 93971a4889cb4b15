"""A site's timeline as the region and site models of the IARPA SMART heavy-construction data set.

Files lie as its scoring tools look for them; `models` has what is in them.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import rasterio
import shapely
from odc.geo import Geometry
from odc.geo.geobox import GeoBox

from pipeline.config.schema import Smart
from pipeline.grid import to_lonlat as area_to_lonlat
from pipeline.outputs.files import write_text
from pipeline.outputs.vectors import DECIMALS, to_lonlat
from pipeline.results import PairResult
from pipeline.smart.models import Feature, Image, Region, observation, one_polygon
from pipeline.smart.phases import Seen, activity_phases
from pipeline.stages.track import Timeline

FOLDER = "smart"
_SENSORS = {
    "landsat-8": "Landsat 8",
    "sentinel-2": "Sentinel-2",
    "worldview": "WorldView",
    "planet": "Planet",
}
_MOST_SITES = 10_000  # their numbers have four digits


def write_smart(
    folder: Path, named: Smart, aoi: Geometry | None, timeline: Timeline, results: Sequence[PairResult]
) -> None:
    """Write `smart/region_models/<region>.geojson`, and a model of each confirmed finding in
    `smart/site_models/<region>_<number>.geojson`; models of what is no longer confirmed go.

    aoi: the region's ground; None for the ground of the results. Raises OutputError.
    """
    images = _images(results)
    region = Region(named.region_id, named.originator, _ground(aoi, results), min(images), max(images))
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
        ground = one_polygon(outline)
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
        cache = {"kind": finding.kind, "area_m2": each.area_m2 if each.observed else None}
        yield observation(
            each.date, image, phase, not each.observed, float(finding.confidence), ground, cache
        )


def _numbers(ids: Iterable[str]) -> list[int]:
    """A number of four digits for each id, by its checksum; where that is taken, the next one."""
    numbers: dict[int, None] = {}
    for each in ids:
        number = zlib.crc32(each.encode()) % _MOST_SITES
        while number in numbers:
            number = (number + 1) % _MOST_SITES
        numbers[number] = None
    return list(numbers)


def _ground(aoi: Geometry | None, results: Sequence[PairResult]) -> shapely.Polygon:
    """The area of interest in lon/lat, or what the images cover."""
    if aoi is None:
        with rasterio.open(results[0].folder / "after.tif") as image:
            aoi = GeoBox.from_rio(image).extent
    return one_polygon(shapely.transform(area_to_lonlat(aoi).geom, lambda xy: xy.round(DECIMALS)))


def _text(features: Sequence[Feature]) -> str:
    collection = {"type": "FeatureCollection", "features": list(features)}
    return json.dumps(collection, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
