"""Findings followed over dates: every date against one reference, and against the date before it.

The comparison with the reference shows all that was built so far, so that each date is a look at every place:
is it still different from what it was? The one with the date before shows what was altered or taken away. The
timeline is a pure function of the set of comparisons: in whatever order they came, it is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from pipeline.stages.track.phases import phases
from pipeline.stages.track.sequential import SequentialTest, Status
from pipeline.stages.track.things import Comparison, Match, Thing


class Seen(NamedTuple):
    """What one date shows of some outlines, an array each: the share of it, 0..1, that could be seen; the
    mean probability, 0..1, that it is construction since the reference (`built`), and since the date before
    (`again`); NaN where that cannot be said.
    """

    share: NDArray[np.float64]
    built: NDArray[np.float64]
    again: NDArray[np.float64]


Looks = Callable[[str, Sequence[BaseGeometry]], Seen]
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


class _Look(NamedTuple):
    """What one date shows of one outline; as `Seen`."""

    share: float
    built: float
    again: float


@dataclass(frozen=True)
class _Followed:
    """What all looks at a thing come to. `present` by date: None where it was not seen."""

    status: Status
    confidence: float
    not_before: str | None
    first_seen: str
    last_seen: str
    present: dict[str, bool | None]


@dataclass(frozen=True)
class Track:
    """Join findings on one place into things, and test each with every later clear look at it."""

    min_clear: float = 0.5  # a date that shows less of the site is compared, but nothing is compared with it
    min_iou: float = 0.2  # intersection over union from which two findings are one thing
    min_share: float = (
        0.5  # or: of the smaller one's area, where the kinds agree; also what a removal must cover
    )
    min_observed: float = 0.5  # share of an outline that must be clear for a date to count as a look at it
    present: float = 0.35  # share of the probability where it was found, from which a look has seen it
    absent: float = 0.15  # and up to which it has not; between the two it says nothing
    still: float = 0.05  # probability since the date before, above which it is not what was seen then
    false_alarm: float = 0.02  # alpha: chance that a thing that is confirmed was never built
    miss: float = 0.05  # beta: chance that a thing that was built is refuted
    seen_if_built: float = 0.95  # chance that a clear look shows a thing that stands
    seen_if_not: float = 0.2  # chance that it shows one that does not
    settled_days: int = 45  # a site where nothing more happened for so long is finished

    def __post_init__(self) -> None:
        for name in ("false_alarm", "miss", "seen_if_built", "seen_if_not"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must lie between 0 and 1")
        if self.seen_if_not >= self.seen_if_built:
            raise ValueError("seen_if_not must be less than seen_if_built")
        if self.absent >= self.present:
            raise ValueError("absent must be less than present")

    @property
    def test(self) -> SequentialTest:
        """The test that every thing is put to."""
        return SequentialTest(self.false_alarm, self.miss, self.seen_if_built, self.seen_if_not)

    def __call__(self, comparisons: Sequence[Comparison], reference: str, looks: Looks) -> Timeline:
        """Comparisons in any order, those with the reference, and one with the date before for each date.

        All in one CRS in metres, on the reference's ground. `looks` is asked once a date.
        """
        things = self._things(comparisons, reference)
        dates = [reference, *sorted({pair.after for pair in comparisons})]
        outlines = [thing.outline for thing in things]
        seen = {date: looks(date, outlines) for date in dates} if things else {}
        followed = [
            self._follow(thing, {date: _Look(*(part[i] for part in one)) for date, one in seen.items()})
            for i, thing in enumerate(things)
        ]
        rows = [_row(thing, told) for thing, told in zip(things, followed, strict=True)]
        crs = comparisons[0].findings.crs if comparisons else None
        history = [
            line for thing, told in zip(things, followed, strict=True) for line in _history(thing, told)
        ]
        events = [
            event for thing, told in zip(things, followed, strict=True) for event in _events(thing, told)
        ]
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
            born: list[Thing] = []
            for pair in pairs:
                built = [row for row in pair.rows() if row.direction != "removed"]
                self._join(things, born, date, pair.before == reference, built, gone=False)
                self._take_away(things, born, date, pair, reference)
        return things

    def _join(
        self, things: list[Thing], born: list[Thing], date: str, lasting: bool, rows: list[Any], gone: bool
    ) -> None:
        """Give each finding to the thing it belongs to, or make it a new thing."""
        match = Match(self.min_iou, self.min_share)
        there = [thing for thing in things if thing.gone == gone and thing.ended is None]
        for row in rows if lasting else []:
            parts = match.parts(row, there)
            for part in parts[1:]:
                parts[0].absorb(part)
                things.remove(part)
                there.remove(part)
        owner = match.pairs(rows, there)
        for t, thing in enumerate(there):
            thing.join(date, lasting, [row for r, row in enumerate(rows) if owner.get(r) == t])
        for r, row in enumerate(rows):
            if r not in owner:
                thing = Thing(f"{date}-{len(born) + 1:02d}", gone)
                thing.join(date, lasting, [row])
                born.append(thing)
                things.append(thing)

    def _take_away(
        self, things: list[Thing], born: list[Thing], date: str, pair: Comparison, reference: str
    ) -> None:
        """End the things that removals cover, unless the reference shows them still; what else was removed
        stood there from the start.
        """
        removals = [row for row in pair.rows() if row.direction == "removed"]
        standing = [thing for thing in things if not thing.gone and thing.ended is None]
        ground = shapely.union_all([thing.outline for thing in standing])
        gone = shapely.union_all([row.geometry for row in removals])
        for thing in standing:
            covered = thing.outline.intersection(gone).area >= self.min_share * thing.outline.area
            if covered and thing.born < date and not thing.found(date):
                thing.ended = date
        others = [
            row
            for row in removals
            if row.geometry.intersection(ground).area < self.min_share * row.geometry.area
        ]
        self._join(things, born, date, pair.before == reference, others, gone=True)

    def _follow(self, thing: Thing, looks: dict[str, _Look]) -> _Followed:
        clear = {date: bool(look.share >= self.min_observed) for date, look in looks.items()}
        clear |= {one.date: True for one in thing.sightings}
        level = _level(thing, looks)
        there = {
            date: self._there(thing, date, looks[date].built / level) if clear[date] else None
            for date in sorted(looks)
        }
        first = thing.born if thing.gone else _start(thing, there)
        tested = [
            bool(seen)
            for date, seen in there.items()
            if self._counts(thing, date, first) and seen is not None and not (seen and self._new(looks[date]))
        ]
        status, confidence = self.test(thing.first_confidence(), tested)
        if thing.gone:
            return _gone(thing, status, confidence, there)
        if thing.ended:
            status = "removed" if status in {"confirmed", "removed"} else "refuted"
        last = max([first, *(d for d, seen in there.items() if seen and d < (thing.ended or "9999"))])
        before = [d for d, seen in there.items() if seen is False and d < first]
        # what one look missed and a later one saw was there
        present = {d: first <= d <= last if clear[d] else None for d in there}
        return _Followed(status, confidence, max(before, default=None), first, last, present)

    def _there(self, thing: Thing, date: str, share: float) -> bool | None:
        """What a clear look at a thing shows: of what was built that it is there, of what is gone that it is
        gone; None where the reference was not clear, or the look is no clear one. `share`: of the probability
        that it has where it was found.
        """
        if thing.found(date):
            return True
        if thing.gone:
            return False
        if np.isnan(share) or self.absent < share < self.present:
            return None
        return bool(share >= self.present)

    def _new(self, look: _Look) -> bool:
        """Whether it is not what was seen there on the date before, as cars in a car park are not. That says
        nothing for what lasts, nor against: walls get their roof.
        """
        return bool(look.again > self.still)

    def _counts(self, thing: Thing, date: str, first: str) -> bool:
        """Later looks count, until it is gone; and where the first finding is against the date before, so
        does that date's look against the reference.
        """
        if date == thing.born:
            return not thing.found(date)
        return first < date <= (thing.ended or "9999")


def _level(thing: Thing, looks: dict[str, _Look]) -> float:
    """The probability inside its outline where it was found, which is lower where pixels are coarse. Full
    certainty is asked of what only showed against the date before.
    """
    found = [looks[date].built for date in looks if thing.found(date) and looks[date].built > 0]
    return float(np.median(found)) if found else 1.0


def _start(thing: Thing, there: dict[str, bool | None]) -> str:
    """The first of the unbroken run of clear dates with the thing that leads to its first finding."""
    first = thing.born
    for date in sorted((d for d in there if d < thing.born), reverse=True):
        if there[date] is False:
            break
        first = date if there[date] else first
    return first


_OF_THE_GONE: dict[Status, Status] = {
    "candidate": "candidate", "confirmed": "removed", "refuted": "refuted", "removed": "refuted",
}  # fmt: skip
"""From what became of a removal to what became of the thing."""


def _gone(thing: Thing, status: Status, confidence: float, there: dict[str, bool | None]) -> _Followed:
    """Of what stood on the reference and was taken away: `there` says when it was seen to be gone."""
    status = _OF_THE_GONE[status]
    until = "9999" if status == "refuted" else thing.born
    standing = [date for date, seen in there.items() if seen is not None and date < until]
    first = min(standing, default=min(there))
    return _Followed(
        status,
        confidence,
        None,
        first,
        max(standing, default=first),
        {date: None if seen is None else date < until for date, seen in there.items()},
    )


def _row(thing: Thing, told: _Followed) -> dict[str, Any]:
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


def _history(thing: Thing, told: _Followed) -> list[dict[str, Any]]:
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


def _events(thing: Thing, told: _Followed) -> list[tuple[str, str]]:
    """(date, kind) of what is sure to have happened."""
    if told.status not in {"confirmed", "removed"}:
        return []
    if thing.gone:
        return [(thing.born, "clearing")]
    return [(date, thing.kind()) for date in (told.first_seen, *thing.altered())]
