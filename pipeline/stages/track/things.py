"""What is followed: the findings of many comparisons that lie on one place and are one thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from pipeline.stages.track.phases import GROUNDWORK

_HALF = 0.5  # of an outline


@dataclass(frozen=True)
class Comparison:
    """Two dates (YYYY-MM-DD) that were compared, and the findings of `changes.parquet` in the site's CRS."""

    before: str
    after: str
    findings: gpd.GeoDataFrame

    @cached_property
    def rows(self) -> list[Any]:
        """Findings as named tuples, by id: the order they happen to be stored in must not matter."""
        if self.findings.empty:
            return []
        columns = ["id", "kind", "direction", "confidence", "zone", "geometry"]
        return list(self.findings[columns].sort_values("id").itertuples(index=False, name="Finding"))


@dataclass(frozen=True)
class Sighting:
    """A finding on a date; `lasting`: against the reference, so that all of the thing shows, else against the
    date before, which shows what was added. `alters`: it makes something else of what was there, as it covers
    half of it or adds half as much; slivers along a rim are what a shift leaves.
    """

    date: str
    lasting: bool
    row: Any
    alters: bool


@dataclass(eq=False)
class Thing:
    """One thing while it is being followed. `gone`: it stood on the reference and was taken away. `outline`:
    as it was last seen; `former`: as it was on the date before that; `ground`: all that was ever seen of it.
    """

    id: str
    gone: bool
    sightings: list[Sighting] = field(default_factory=list)
    outline: BaseGeometry = field(default_factory=shapely.Polygon)
    former: BaseGeometry = field(default_factory=shapely.Polygon)
    ground: BaseGeometry = field(default_factory=shapely.Polygon)
    areas: dict[str, float] = field(default_factory=dict)  # m2 by date of sighting
    ended: str | None = None  # the date by which a comparison found it taken away

    @property
    def born(self) -> str:
        """The date of the first finding."""
        return self.sightings[0].date

    def join(self, date: str, lasting: bool, rows: Sequence[Any]) -> None:
        """Take in the findings of one comparison. An outline against the reference replaces what was known,
        unless it shows less than half of it (clouds); what was added since the date before is added.
        """
        if not rows:
            return
        if all(one.date != date for one in self.sightings):
            self.former = self.outline
        seen_lasting = any(one.date == date and one.lasting for one in self.sightings)
        self.sightings += [Sighting(date, lasting, row, self._alters(date, lasting, row)) for row in rows]
        shape = shapely.union_all([row.geometry for row in rows])
        self.ground = shapely.union_all([self.ground, shape])
        if lasting and shape.area >= _HALF * self.outline.area:
            self.outline = shape
        elif not seen_lasting:
            self.outline = shapely.union_all([self.outline, shape])
        self.areas[date] = float(self.outline.area)

    def absorb(self, other: Thing) -> None:
        """Take in a thing that turned out to be a part of this one."""
        self.sightings = sorted([*self.sightings, *other.sightings], key=lambda one: one.date)
        self.outline = shapely.union_all([self.outline, other.outline])
        self.ground = shapely.union_all([self.ground, other.ground])
        self.areas = {
            date: sum(thing.area(date) for thing in (self, other) if thing.born <= date)
            for date in sorted({*self.areas, *other.areas})
        }

    def found(self, date: str) -> bool:
        """Whether a comparison against the reference found it on a date."""
        return any(one.lasting and one.date == date for one in self.sightings)

    def confidence(self, date: str) -> float:
        """Of the surest finding of a date, or of the first date where that has none."""
        found = [one for one in self.sightings if one.date == date] or [
            one for one in self.sightings if one.date == self.born
        ]
        return max(float(one.row.confidence) for one in found)

    def area(self, date: str) -> float:
        """Square metres as last seen up to a date; before the first finding, as then."""
        known = [day for day in self.areas if day <= date]
        return self.areas[max(known)] if known else self.areas[self.born]

    def kind(self) -> str:
        """The kind with most confidence behind it."""
        votes: dict[str, float] = {}
        for one in self.sightings:
            votes[one.row.kind] = votes.get(one.row.kind, 0.0) + float(one.row.confidence)
        return max(sorted(votes), key=votes.__getitem__)

    def zone(self) -> str | None:
        """Of the surest finding."""
        zone = max((one.row for one in self.sightings), key=lambda row: float(row.confidence)).zone
        return zone if isinstance(zone, str) else None

    def altered(self) -> list[str]:
        """Dates on which it was found altered, or found new though it had been found before."""
        return sorted({one.date for one in self.sightings if one.alters})

    def _alters(self, date: str, lasting: bool, row: Any) -> bool:
        if row.direction == "altered":
            return True
        if lasting or not self.sightings or date == self.born:
            return False
        common = row.geometry.intersection(self.former).area
        return bool(max(common, row.geometry.area - common) >= _HALF * self.former.area)

    def state(self) -> str | None:
        """For buildings: `started`, and `completed` once altered, as walls are by their roof."""
        if self.gone or self.kind() != "building":
            return None
        return "completed" if self.altered() else "started"


def covered(shapes: Sequence[BaseGeometry], by: Sequence[BaseGeometry]) -> list[float]:
    """Area of each shape that lies under any of `by`."""
    tree = shapely.STRtree(by)
    near = ([by[i] for i in np.sort(tree.query(shape))] for shape in shapes)
    return [
        shape.intersection(shapely.union_all(some)).area for shape, some in zip(shapes, near, strict=True)
    ]


@dataclass(frozen=True)
class Match:
    """When two outlines are one thing: by intersection over union, or where the kinds agree by the share of
    the smaller one that is common.
    """

    min_iou: float
    min_share: float

    def pairs(self, rows: Sequence[Any], things: Sequence[Thing]) -> dict[int, int]:
        """{row: thing} by position, each row to the thing it overlaps best; a thing may gather several."""
        if not rows or not things:
            return {}
        tree = shapely.STRtree([thing.outline for thing in things])
        hits = tree.query([row.geometry for row in rows], predicate="intersects").T
        matches = [
            (iou, int(r), int(t)) for r, t in hits if (iou := self._iou(rows[r], things[t])) is not None
        ]
        owner: dict[int, int] = {}
        for _, r, t in sorted(matches, key=lambda match: (-match[0], match[1], match[2])):
            owner.setdefault(r, t)
        return owner

    def pieces(
        self, rows: Sequence[Any], things: Sequence[Thing], fresh: Sequence[BaseGeometry]
    ) -> dict[int, int]:
        """{row: thing} by position, of groundwork on ground that was found before and is not `fresh`, which
        is what differs from the date before: the end of a road that goes by another name today.
        """
        tree = shapely.STRtree([thing.ground for thing in things])
        pieces: dict[int, int] = {}
        for r, new in enumerate(covered([row.geometry for row in rows], fresh)):
            least = self.min_share * rows[r].geometry.area
            if rows[r].kind not in GROUNDWORK or new >= least:
                continue
            near = np.sort(tree.query(rows[r].geometry))
            common = [rows[r].geometry.intersection(things[t].ground).area for t in near]
            if common and max(common) >= least:
                pieces[r] = int(near[common.index(max(common))])
        return pieces

    def merge(self, rows: Sequence[Any], things: Sequence[Thing]) -> list[Thing]:
        """Where a finding shows several things of its kind to be one, as most of each lies in it, the first
        absorbs the others. Returns those: they are things no longer.
        """
        tree = shapely.STRtree([thing.outline for thing in things])
        whole, absorbed = np.arange(len(things)), list[Thing]()
        for row in rows:
            near = np.unique(whole[tree.query(row.geometry)])
            parts = [part for part in near if self._within(things[part], row)]
            for part in parts[1:]:
                things[parts[0]].absorb(things[part])
                absorbed.append(things[part])
                whole[whole == part] = parts[0]
        return absorbed

    def _within(self, thing: Thing, row: Any) -> bool:
        common = thing.outline.intersection(row.geometry).area
        return bool(common >= self.min_share * thing.outline.area and thing.kind() == row.kind)

    def _iou(self, row: Any, thing: Thing) -> float | None:
        """Intersection over union where finding and thing are the same, None where they are not."""
        common = row.geometry.intersection(thing.outline).area
        iou = common / (row.geometry.area + thing.outline.area - common)
        smaller = min(row.geometry.area, thing.outline.area)
        same = iou >= self.min_iou or (row.kind == thing.kind() and common >= self.min_share * smaller)
        return float(iou) if same else None
