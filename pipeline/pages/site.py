"""A site's page: its dates as pictures, what stands and since when, and the way to every report."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import geopandas as gpd
import shapely
from shapely.geometry.base import BaseGeometry

from pipeline.outputs import words
from pipeline.outputs.embed import Frame
from pipeline.outputs.labels import place
from pipeline.pages import chart, locator
from pipeline.pages.frames import FOLDER, Frames
from pipeline.pages.history import STATUSES, History, Thing, found_by
from pipeline.pages.html import render
from pipeline.pages.svg import svg_path
from pipeline.results import PairResult

LIFE = 240  # pixels of the line that shows from when to when a thing is seen
_MAP = 300, 200
_NUMBERED = 60  # things that get a number on the picture
FILES = {
    "timeline.geojson": "Findings followed over dates, longitude and latitude",
    "timeline.csv": "A row a finding and date",
    "phases.csv": "The site's phase by date",
    "zones.csv": "Totals by zone, kind and date",
    "zones.parquet": "The same as Parquet",
    "timelapse.gif": "All dates as a moving picture",
    "timelapse.webp": "All dates as a moving picture",
    "timelapse.mp4": "All dates as a film",
    "catalog.json": "STAC catalogue of the comparisons",
    "site.json": "This page in a few values",
}


@dataclass(frozen=True)
class Row:
    """One thing as the page shows it; `path` and `label` are in pixels of the pictures."""

    number: int
    thing: Thing
    path: str
    label: tuple[float, float] | None
    life: tuple[float, float, float]  # pixels along LIFE: last seen without it, first seen, last seen
    happened: str | None
    report: str | None


@dataclass(frozen=True)
class Date:
    """One date as the page shows it: what it shows first, and where its reports are."""

    iso: str
    picture: str
    phase: str | None
    seen: float | None
    news: dict[str, int]
    gone: int
    total_m2: float | None
    x: float | None
    pairs: tuple[PairResult, ...]


def render_site(history: History, frames: Frames) -> str:
    """The page. Every text from outside is escaped."""
    graph = chart.stacked(history.standing, history.dates) if history.followed else None
    cols, rows = frames.size
    west, _, east, _ = frames.bounds
    middle = history.footprint.centroid.x, history.footprint.centroid.y
    return render(
        "site",
        history=history,
        dates=[_date(history, day, graph) for day in history.dates],
        rows=_rows(history, frames),
        chart=graph,
        sizes=chart,
        statuses=STATUSES,
        width=cols,
        height=rows,
        metres=(east - west) / cols,
        life=LIFE,
        map=locator.locate([middle], *_MAP),
        map_size=_MAP,
        place=words.position(*middle),
        found_by=found_by,
        files={
            name: title
            for name, title in FILES.items()
            if name == "site.json" or (history.folder / name).is_file()
        },
    )


def _date(history: History, day: str, graph: chart.Chart | None) -> Date:
    shares = [
        pair.told.get("observed", {}).get("after" if pair.after == day else "before")
        for pair in history.pairs
        if day in {pair.before, pair.after}
    ]
    happened = [thing for thing in history.things if history.happened(thing) == day]
    return Date(
        iso=day,
        picture=f"{FOLDER}/{day}.jpg",
        phase=history.phases.get(day),
        seen=max((float(share) for share in shares if words.known(share)), default=None),
        news=dict(Counter(thing.kind for thing in happened if thing.status != "removed")),
        gone=sum(thing.status == "removed" for thing in happened),
        total_m2=graph.totals.get(day) if graph else None,
        x=graph.axis(day) if graph else None,
        pairs=tuple(sorted((p for p in history.pairs if p.after == day), key=lambda p: p.before)),
    )


def _rows(history: History, frames: Frames) -> list[Row]:
    """What is sure first, then by the date that shows it first."""
    order = {status: place for place, status in enumerate(STATUSES)}
    things = sorted(history.things, key=lambda t: (order[t.status] > 1, t.first_seen, order[t.status], t.id))
    shapes = _in_pixels([thing.outline for thing in things], frames)
    labels = _labels(shapes, frames)
    axis = chart.TimeAxis(history.dates, 0, LIFE)
    return [
        Row(
            number=number,
            thing=thing,
            path=svg_path(shape),
            label=label,
            life=(
                axis(thing.not_before or history.dates[0]),
                axis(thing.first_seen),
                axis(thing.last_seen),
            ),
            happened=history.happened(thing),
            report=f"{shown.folder.name}/report.html" if (shown := history.shown_by(thing)) else None,
        )
        for number, (thing, shape, label) in enumerate(zip(things, shapes, labels, strict=True), start=1)
    ]  # fmt: skip


def _in_pixels(outlines: list[BaseGeometry], frames: Frames) -> list[BaseGeometry]:
    west, south, east, north = frames.bounds
    cols, rows = frames.size
    frame = Frame(west, north, (east - west) / cols, (north - south) / rows)
    return [frame.pixels(shape) for shape in gpd.GeoSeries(outlines, crs="OGC:CRS84").to_crs(frames.crs)]


def _labels(shapes: list[BaseGeometry], frames: Frames) -> list[tuple[float, float] | None]:
    """Where a number can stand: beside its shape, and on no other number."""
    cols, rows = frames.size
    best = shapes[:_NUMBERED]
    sizes = [(10.0 + 9.0 * len(str(i)), 20.0) for i in range(1, len(best) + 1)]
    boxes = place(best, sizes, shapely.box(0, 0, cols, rows))
    middles = [None if box is None else (round(box.centroid.x, 1), round(box.centroid.y, 1)) for box in boxes]
    return [*middles, *[None] * (len(shapes) - len(best))]
