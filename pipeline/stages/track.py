"""Findings followed over dates: those of successive pairs of one site, joined into things with a history.

A thing enters with the first pair that reports it `new` or `altered`; later findings on the same ground join
it, a later `removed` finding over it ends it, and every later pair that saw the place and did not undo it
confirms it. The timeline is a pure function of the set of pairs: in whatever order they came, it is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

Observed = Callable[[str, Sequence[BaseGeometry]], NDArray[np.float64]]
"""(date, outlines in the pairs' CRS) -> share of each outline, 0..1, that could be seen on that date."""

COLUMNS = (
    "id", "kind", "status", "state", "not_before", "first_seen", "last_seen", "confidence", "area_m2", "zone",
)  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """Two dates (YYYY-MM-DD) that were compared, and the findings of `changes.parquet` in the site's CRS."""

    before: str
    after: str
    findings: gpd.GeoDataFrame


@dataclass(frozen=True)
class Timeline:
    """The things followed.

    `findings`: a row a thing, columns `COLUMNS` and `geometry` (all ground it ever took), in the pairs' CRS.
    `status` is one of
        candidate   seen once, and no later pair saw the place
        confirmed   a later pair saw the place and did not undo it, or found it again
        refuted     undone by the very next pair that saw it, and of kind `other` or low confidence
        removed     undone later, or there before the first date and taken away since
    `state` is for buildings: `started` once new, `completed` once altered (walls that got their roof).
    `not_before` is the last date without it (null: there from the start).
    `history`: a row a thing and date: id, date, observed, present and area_m2 (null where not observed).
    """

    findings: gpd.GeoDataFrame
    history: pd.DataFrame


@dataclass
class _Thing:
    """A thing while it is being followed; `rows` are its findings, each with the pair they are from."""

    rows: list[tuple[Comparison, Any]]
    undone: Comparison | None = None
    geometry: BaseGeometry = field(default_factory=shapely.Polygon)

    @property
    def born(self) -> Comparison:
        return self.rows[0][0]

    @property
    def from_the_start(self) -> bool:
        return bool(self.rows[0][1].direction == "removed")

    def join(self, pair: Comparison, row: Any) -> None:
        self.rows.append((pair, row))
        self.geometry = shapely.union_all([self.geometry, row.geometry])

    def area(self, date: str) -> float:
        """Square metres taken up to `date`."""
        taken = [row.geometry for pair, row in self.rows if pair.after <= date or self.from_the_start]
        return float(shapely.union_all(taken).area)

    def kind(self) -> str:
        """The kind with most confidence behind it."""
        votes: dict[str, float] = {}
        for _, row in self.rows:
            votes[row.kind] = votes.get(row.kind, 0.0) + float(row.confidence)
        return max(sorted(votes), key=votes.__getitem__)

    def best(self) -> Any:
        return max((row for _, row in self.rows), key=lambda row: float(row.confidence))

    def state(self) -> str | None:
        if self.kind() != "building" or self.from_the_start:
            return None
        return "completed" if any(row.direction == "altered" for _, row in self.rows) else "started"


@dataclass(frozen=True)
class Track:
    """Join the findings of successive pairs; say of each thing since when it is there and how sure that is.

    Findings join the standing thing that they overlap best (greedy by intersection over union):
    a thing may gather several fragments. They must be of one site and in one CRS in metres.
    """

    min_iou: float = 0.2  # intersection over union from which two findings are one thing
    min_share: float = (
        0.5  # or: of the smaller one's area, where the kinds agree; also what a removal must cover
    )
    min_observed: float = 0.5  # share of an outline that must be clear for a date to count as having seen it
    doubt: float = 0.6  # confidence below which a thing that is gone at once was never there

    def __call__(self, pairs: Sequence[Comparison], observed: Observed) -> Timeline:
        """Pairs in any order, each before/after once; `observed` is asked once a date."""
        ordered = sorted(pairs, key=lambda pair: (pair.after, pair.before))
        things: list[_Thing] = []
        for pair in ordered:
            self._undo(things, pair)
            self._join(things, pair)
        dates = sorted({date for pair in ordered for date in (pair.before, pair.after)})
        outlines = [thing.geometry for thing in things]
        seen = pd.DataFrame({date: observed(date, outlines) >= self.min_observed for date in dates})
        rows = [self._row(i, thing, seen.iloc[i], ordered) for i, thing in enumerate(things)]
        crs = ordered[0].findings.crs if ordered else None
        findings = gpd.GeoDataFrame(rows, columns=[*COLUMNS, "geometry"], geometry="geometry", crs=crs)
        history = [line for i, thing in enumerate(things) for line in _history(rows[i], thing, seen.iloc[i])]
        return Timeline(
            findings, pd.DataFrame(history, columns=["id", "date", "observed", "present", "area_m2"])
        )

    def _undo(self, things: list[_Thing], pair: Comparison) -> None:
        """End the standing things that removals cover; what else was removed was there from the start."""
        removals = [row for row in _rows(pair) if row.direction == "removed"]
        standing = [thing for thing in things if thing.undone is None]
        ground = shapely.union_all([thing.geometry for thing in standing])
        gone = shapely.union_all([row.geometry for row in removals])
        for thing in standing:
            if thing.geometry.intersection(gone).area >= self.min_share * thing.geometry.area:
                thing.undone = pair
        for row in removals:
            if row.geometry.intersection(ground).area < self.min_share * row.geometry.area:
                things.append(_Thing([(pair, row)], undone=pair, geometry=row.geometry))

    def _join(self, things: list[_Thing], pair: Comparison) -> None:
        """Give each construction finding to the standing thing it overlaps best, or make it a new thing."""
        rows = [row for row in _rows(pair) if row.direction != "removed"]
        standing = [thing for thing in things if thing.undone is None]
        tree = shapely.STRtree([thing.geometry for thing in standing])
        hits = tree.query([row.geometry for row in rows], predicate="intersects").T if rows else []
        matches = [
            (iou, int(r), int(t)) for r, t in hits if (iou := self._match(rows[r], standing[t])) is not None
        ]
        owner: dict[int, _Thing] = {}
        for _, r, t in sorted(matches, key=lambda match: (-match[0], match[1], match[2])):
            owner.setdefault(r, standing[t])
        for r, row in enumerate(rows):
            if r in owner:
                owner[r].join(pair, row)
            else:
                things.append(_Thing([(pair, row)], geometry=row.geometry))

    def _match(self, row: Any, thing: _Thing) -> float | None:
        """Intersection over union where finding and thing are the same, None where they are not."""
        common = row.geometry.intersection(thing.geometry).area
        iou = common / (row.geometry.area + thing.geometry.area - common)
        smaller = min(row.geometry.area, thing.geometry.area)
        same = iou >= self.min_iou or (row.kind == thing.kind() and common >= self.min_share * smaller)
        return float(iou) if same else None

    def _row(
        self, index: int, thing: _Thing, seen: pd.Series[bool], pairs: Sequence[Comparison]
    ) -> dict[str, Any]:
        clear = [str(date) for date in seen.index[seen]]
        end = thing.undone.before if thing.undone else "9999"
        first = min(clear, default=thing.born.before) if thing.from_the_start else thing.born.after
        last = max([first, *(date for date in clear if first <= date <= end)])
        return {
            "id": index + 1,
            "kind": thing.kind(),
            "status": self._status(thing, seen, pairs),
            "state": thing.state(),
            "not_before": None if thing.from_the_start else thing.born.before,
            "first_seen": first,
            "last_seen": last,
            "confidence": float(thing.best().confidence),
            "area_m2": round(thing.area(last), 1),
            "zone": thing.best().zone,
            "geometry": thing.geometry,
        }

    def _status(self, thing: _Thing, seen: pd.Series[bool], pairs: Sequence[Comparison]) -> str:
        later = [
            pair
            for pair in pairs
            if pair.before >= thing.born.after
            and (thing.undone is None or pair.after <= thing.undone.before)
            and seen[pair.before]
            and seen[pair.after]
        ]
        confirmed = bool(later) or len({pair.after for pair, _ in thing.rows}) > 1
        if thing.undone is None:
            return "confirmed" if confirmed else "candidate"
        doubtful = thing.kind() == "other" or float(thing.best().confidence) < self.doubt
        return "refuted" if doubtful and not confirmed and not thing.from_the_start else "removed"


def _rows(pair: Comparison) -> list[Any]:
    """A pair's findings as named tuples, by id: the order they happen to be stored in must not matter."""
    columns = ["id", "kind", "direction", "confidence", "zone", "geometry"]
    return list(pair.findings[columns].sort_values("id").itertuples(index=False, name="Finding"))


def _history(row: dict[str, Any], thing: _Thing, seen: pd.Series[bool]) -> Iterator[dict[str, Any]]:
    for date, clear in seen.items():
        present = bool(
            row["first_seen"] <= str(date) and (thing.undone is None or str(date) <= thing.undone.before)
        )
        area = round(thing.area(str(date)), 1) if present else 0.0
        yield {
            "id": row["id"],
            "date": date,
            "observed": bool(clear),
            "present": present if clear else None,
            "area_m2": area if clear else None,
        }
