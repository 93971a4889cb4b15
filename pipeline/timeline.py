"""From the comparisons of a site to its `timeline.geojson`, `timeline.csv` and `phases.csv`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from pipeline.outputs.files import write_text
from pipeline.outputs.sheets import csv_text
from pipeline.outputs.vectors import to_lonlat
from pipeline.places import Places, on_the_image, on_the_reference
from pipeline.stages.track import COLUMNS, Comparison, Seen, Timeline, Track

GEOJSON, CSV, PHASES_CSV = "timeline.geojson", "timeline.csv", "phases.csv"


def follow(comparisons: Mapping[Path, Comparison], track: Track) -> Timeline:
    """Track the findings of a site's comparisons, each given by the folder of its result.

    The earliest date is the reference: every other date must have been compared with it. All is brought into
    the reference's CRS and onto its ground, by the `shift.tif` that the date before was found to have.
    """
    if not comparisons:
        return track([], "", _nothing)
    reference = min(pair.before for pair in comparisons.values())
    since = {pair.after: folder for folder, pair in comparisons.items() if pair.before == reference}
    later = {pair.after: (pair.before, f) for f, pair in comparisons.items() if pair.before != reference}
    crs = next(pair.findings.crs for pair in comparisons.values() if pair.before == reference)

    def moved(pair: Comparison) -> Comparison:
        if pair.before == reference:
            return pair
        shift = since[pair.before] / "shift.tif"
        return Comparison(pair.before, pair.after, on_the_reference(pair.findings.to_crs(crs), shift))

    @cache
    def on_the_ground(outlines: tuple[BaseGeometry, ...]) -> Places:
        return Places(gpd.GeoSeries(list(outlines), crs=crs))

    def looks(date: str, outlines: tuple[BaseGeometry, ...]) -> Seen:
        places, unknown = on_the_ground(outlines), np.full(len(outlines), np.nan)
        if date == reference:
            seen = places.observed_share(since[min(since)] / "before.tif")
            return Seen(seen, np.zeros(len(outlines)), unknown)
        again = unknown
        if date in later:
            before, folder = later[date]
            there = Places(on_the_image(places.outlines, since[before] / "shift.tif"))
            again = there.mean_inside(folder / "change.tif", track.min_observed) / 100
        built = places.mean_inside(since[date] / "change.tif", track.min_observed) / 100
        return Seen(places.observed_share(since[date] / "after.tif"), built, again)

    return track([moved(pair) for pair in comparisons.values()], reference, looks)


def _nothing(_: str, outlines: tuple[BaseGeometry, ...]) -> Seen:
    return Seen(*(np.zeros(len(outlines)) for _ in range(3)))


def write_timeline(folder: Path, timeline: Timeline) -> None:
    """Write `timeline.geojson` (RFC 7946, lon/lat), `timeline.csv` and `phases.csv` into a site's folder.

    The GeoJSON has the site's latest phase as a foreign member `phase`.
    """
    table = timeline.findings[list(COLUMNS)].astype(object)
    properties = table.where(table.notna(), None).to_dict("records")
    shapes: Sequence[BaseGeometry] = list(to_lonlat(timeline.findings)) if len(table) else []
    features: list[dict[str, Any]] = [
        {"type": "Feature", "properties": row, "geometry": mapping(shape)}
        for row, shape in zip(properties, shapes, strict=True)
    ]
    phase = None if timeline.phases.empty else timeline.phases["phase"].iloc[-1]
    collection = {"type": "FeatureCollection", "phase": phase, "features": features}
    write_text(folder / GEOJSON, json.dumps(collection, ensure_ascii=False, allow_nan=False) + "\n")
    words = {True: "true", False: "false", None: ""}
    history = timeline.history.assign(
        **{name: timeline.history[name].map(words) for name in ("observed", "present")}
    )
    write_text(folder / CSV, csv_text(history))
    write_text(folder / PHASES_CSV, csv_text(timeline.phases))
