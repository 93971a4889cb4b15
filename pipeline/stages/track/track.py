"""Findings followed over dates: every date against one reference, and against the date before it.

The comparison with the reference shows all that was built so far, so that each date is a look at every place:
is it still different from what it was? The one with the date before shows what was altered or taken away. The
timeline is a pure function of the set of comparisons: in whatever order they came, it is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from pipeline.stages.track.judge import Followed, Judge, Look
from pipeline.stages.track.phases import phases
from pipeline.stages.track.sequential import SequentialTest
from pipeline.stages.track.things import Comparison, Match, Thing, covered


class Seen(NamedTuple):
    """What one date shows of some outlines: an array for each value of a `Look`."""

    share: NDArray[np.float64]
    built: NDArray[np.float64]
    again: NDArray[np.float64]


Looks = Callable[[str, tuple[BaseGeometry, ...]], Seen]
"""(date, outlines in the site's CRS) -> what the date shows of them."""

COLUMNS = (
    "id", "kind", "status", "state", "not_before", "first_seen", "last_seen", "confidence", "area_m2", "zone",
)  # fmt: skip


@dataclass(frozen=True)
class Timeline:
    """The things followed.

    `findings`: a row a thing, columns `COLUMNS` and `geometry` (its outline as last seen), in the site's CRS.
    `id` is the date of the first finding and a number, and stays when dates are added later. `status` is
        candidate   seen once, or not often enough to be sure
        confirmed   seen again on later clear dates, until the test was sure
        refuted     not seen again on later clear dates, until the test was sure
        removed     confirmed, and gone since; or there on the reference, and surely taken away
    `state` is for buildings: `started` once new, `completed` once altered (walls that got their roof).
    `not_before` is the last clear date without it (null: none). `confidence`: after all looks.
    `history`: a row a thing and date: id, date, observed, present and area_m2 (null where not observed).
    `phases`: a row a date: date, and the site's `phase` by what is confirmed.
    """

    findings: gpd.GeoDataFrame
    history: pd.DataFrame
    phases: pd.DataFrame


@dataclass(frozen=True)
class Track:
    """Join findings on one place into things, and test each with every later clear look at it."""

    min_clear: float = 0.5
    """a date that shows less of the site is compared, but nothing is compared with it"""
    min_iou: float = 0.2
    """intersection over union from which two findings are one thing"""
    min_share: float = 0.5
    """or: of the smaller one's area, where the kinds agree; also what a removal must cover"""
    min_observed: float = 0.5
    """share of an outline that must be clear for a date to count as a look at it"""
    present: float = 0.35
    """share of the probability where it was found, from which a look has seen it"""
    absent: float = 0.15
    """and up to which it has not; between the two it says nothing"""
    false_alarm: float = 0.02
    """alpha: chance that a thing that is confirmed was never built"""
    miss: float = 0.05
    """beta: chance that a thing that was built is refuted"""
    seen_if_built: float = 0.95
    """chance that a clear look shows a thing that stands"""
    seen_if_not: float = 0.2
    """chance that it shows one that does not"""
    settled_days: int = 45
    """a site where nothing more happened for so long is finished"""

    def __post_init__(self) -> None:
        for name in ("false_alarm", "miss", "seen_if_built", "seen_if_not"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must lie between 0 and 1")
        if self.seen_if_not >= self.seen_if_built:
            raise ValueError("seen_if_not must be less than seen_if_built")
        if self.absent >= self.present:
            raise ValueError("absent must be less than present")

    @property
    def judge(self) -> Judge:
        """What every thing is put to."""
        test = SequentialTest(self.false_alarm, self.miss, self.seen_if_built, self.seen_if_not)
        return Judge(test, self.min_observed, self.present, self.absent)

    def __call__(self, comparisons: Sequence[Comparison], reference: str, looks: Looks) -> Timeline:
        """Comparisons in any order, those with the reference, and one with the date before for each date.

        All in one CRS in metres, on the reference's ground. `looks` is asked once a date.
        """
        things = self._things(comparisons, reference)
        dates = [reference, *sorted({pair.after for pair in comparisons})]
        outlines = tuple(thing.outline for thing in things)
        seen = {date: looks(date, outlines) for date in dates} if things else {}
        followed = [
            (thing, self.judge(thing, {date: Look(*(part[i] for part in one)) for date, one in seen.items()}))
            for i, thing in enumerate(things)
        ]
        crs = comparisons[0].findings.crs if comparisons else None
        rows = [_row(*one) for one in followed]
        history = [line for one in followed for line in _history(*one)]
        events = [event for one in followed for event in _events(*one)]
        return Timeline(
            gpd.GeoDataFrame(rows, columns=[*COLUMNS, "geometry"], geometry="geometry", crs=crs),
            pd.DataFrame(history, columns=["id", "date", "observed", "present", "area_m2"]),
            phases(events, dates, self.settled_days),
        )

    def _things(self, comparisons: Sequence[Comparison], reference: str) -> list[Thing]:
        """Date by date: first what differs from the reference, then what differs from the date before."""
        ordered = sorted(comparisons, key=lambda pair: (pair.after, pair.before != reference, pair.before))
        things: list[Thing] = []
        for date, pairs in groupby(ordered, key=lambda pair: pair.after):
            compared = list(pairs)
            fresh = [row.geometry for pair in compared if pair.before != reference for row in _built(pair)]
            day = _Day(date, fresh)
            for pair in compared:
                self._join(things, day, pair.before == reference, _built(pair), gone=False)
                self._take_away(things, day, pair, reference)
        return things

    def _join(self, things: list[Thing], day: _Day, lasting: bool, rows: list[Any], gone: bool) -> None:
        """Give each finding to the thing it belongs to, or make it a new thing."""
        match = Match(self.min_iou, self.min_share)
        there = [thing for thing in things if thing.gone == gone and thing.ended is None]
        for part in match.merge(rows, there) if lasting else []:
            things.remove(part)
            there.remove(part)
        owner = match.pairs(rows, there)
        if lasting and not gone:
            owner = match.pieces(rows, there, day.fresh) | owner
        gathered: dict[int, list[Any]] = {}
        for r in sorted(owner):
            gathered.setdefault(owner[r], []).append(rows[r])
        for t, some in gathered.items():
            there[t].join(day.date, lasting, some)
        for r, row in enumerate(rows):
            if r not in owner:
                thing = Thing(f"{day.date}-{len(day.born) + 1:02d}", gone)
                thing.join(day.date, lasting, [row])
                day.born.append(thing)
                things.append(thing)

    def _take_away(self, things: list[Thing], day: _Day, pair: Comparison, reference: str) -> None:
        """End the things that removals cover, unless the reference shows them still; what else was removed
        stood there from the start.
        """
        removals = [row for row in pair.rows if row.direction == "removed"]
        standing = [thing for thing in things if not thing.gone and thing.ended is None]
        outlines, gone = [thing.outline for thing in standing], [row.geometry for row in removals]
        for thing, area in zip(standing, covered(outlines, gone), strict=True):
            taken = area >= self.min_share * thing.outline.area
            if taken and thing.born < day.date and not thing.found(day.date):
                thing.ended = day.date
        others = [
            row
            for row, area in zip(removals, covered(gone, outlines), strict=True)
            if area < self.min_share * row.geometry.area
        ]
        self._join(things, day, pair.before == reference, others, gone=True)


@dataclass
class _Day:
    """A date while its findings are joined. `fresh`: outlines of what differs from the date before; `born`:
    what was first found on it.
    """

    date: str
    fresh: list[BaseGeometry]
    born: list[Thing] = field(default_factory=list)


def _built(pair: Comparison) -> list[Any]:
    return [row for row in pair.rows if row.direction != "removed"]


def _row(thing: Thing, told: Followed) -> dict[str, Any]:
    return {
        "id": thing.id,
        "kind": thing.kind(),
        "status": told.status,
        "state": thing.state(),
        "not_before": told.not_before,
        "first_seen": told.first_seen,
        "last_seen": told.last_seen,
        "confidence": round(told.confidence, 4),
        "area_m2": round(thing.area(told.last_seen), 1),
        "zone": thing.zone(),
        "geometry": thing.outline,
    }


def _history(thing: Thing, told: Followed) -> list[dict[str, Any]]:
    return [
        {
            "id": thing.id,
            "date": date,
            "observed": present is not None,
            "present": present,
            "area_m2": None if present is None else round(thing.area(date), 1) if present else 0.0,
        }
        for date, present in told.present.items()
    ]


def _events(thing: Thing, told: Followed) -> list[tuple[str, str]]:
    """(date, kind) of what is sure to have happened."""
    if told.status not in {"confirmed", "removed"}:
        return []
    if thing.gone:
        return [(thing.born, "clearing")]
    return [(date, thing.kind()) for date in (told.first_seen, *thing.altered())]
