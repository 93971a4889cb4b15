"""What all looks at a thing come to: since when it is there, until when, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pipeline.stages.track.sequential import SequentialTest, Status
from pipeline.stages.track.things import Thing


class Look(NamedTuple):
    """What one date shows of an outline: the share of it, 0..1, that could be seen; the mean probability,
    0..1, that it is construction since the reference (`built`), and since the date before (`again`), NaN
    where that cannot be said.
    """

    share: float
    built: float
    again: float

    @property
    def renewal(self) -> float:
        """Share of what is built that is so since the date before only; NaN where that cannot be said."""
        return self.again / self.built if self.built > 0 else np.nan


@dataclass(frozen=True)
class Followed:
    """What all looks at a thing come to. `present` by date: None where it was not seen."""

    status: Status
    confidence: float
    not_before: str | None
    first_seen: str
    last_seen: str
    present: dict[str, bool | None]


@dataclass(frozen=True)
class Judge:
    """Puts a thing to the test; parameters as those of `Track`."""

    test: SequentialTest
    min_observed: float
    present: float
    absent: float

    def __call__(self, thing: Thing, looks: Mapping[str, Look]) -> Followed:
        """`looks`: by date, what it shows of the thing's outline."""
        clear = {date: bool(look.share >= self.min_observed) for date, look in looks.items()}
        clear |= {one.date: True for one in thing.sightings}
        level = _level(thing, looks)
        there = {
            date: self._there(thing, date, looks[date].built / level) if clear[date] else None
            for date in sorted(looks)
        }
        first = thing.born if thing.gone else self._start(thing, there)
        counting = {
            date: seen
            for date, seen in there.items()
            if self._counts(thing, date, first) and seen is not None
        }
        since = self._renewed(counting, looks)
        tested = [
            seen
            for date, seen in counting.items()
            if date > since and not (seen and looks[date].renewal > self.absent)
        ]
        status, confidence = self.test(thing.confidence(since or thing.born), tested)
        if thing.gone:
            return _gone(thing, status, confidence, there)
        if thing.ended:
            status = "removed" if status in {"confirmed", "removed"} else "refuted"
        last = max([first, *(d for d, seen in there.items() if seen and d < (thing.ended or "9999"))])
        before = [d for d, seen in there.items() if seen is False and d < first]
        # what one look missed and a later one saw was there
        present = {d: first <= d <= last if clear[d] else None for d in there}
        return Followed(status, confidence, max(before, default=None), first, last, present)

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

    def _renewed(self, seen: Mapping[str, bool], looks: Mapping[str, Look]) -> str:
        """The last date on which all that was seen is new since the date before, as are other cars in a car
        park; what was seen earlier is no evidence for it. Once is nothing ("", before all dates): walls get
        their roof.
        """
        renewals = [date for date in seen if seen[date] and looks[date].renewal >= self.present]
        return renewals[-1] if len(renewals) > 1 else ""

    def _start(self, thing: Thing, there: Mapping[str, bool | None]) -> str:
        """The clear date from which on what was seen until the first finding speaks most for it: the change
        point of greatest likelihood (Page 1954), so that no single look, missed in haze, makes it younger.
        """
        first, best, evidence = thing.born, 0.0, 0.0
        for date in sorted((d for d in there if d < thing.born), reverse=True):
            seen = there[date]
            evidence += 0.0 if seen is None else self.test.evidence(seen)
            if evidence > best:
                first, best = date, evidence
        return first

    def _counts(self, thing: Thing, date: str, first: str) -> bool:
        """Later looks count, until it is gone; and where the first finding is against the date before, so
        does that date's look against the reference.
        """
        if date == thing.born:
            return not thing.found(date)
        return first < date <= (thing.ended or "9999")


def _level(thing: Thing, looks: Mapping[str, Look]) -> float:
    """The probability inside its outline where it was found, which is lower where pixels are coarse. Full
    certainty is asked of what only showed against the date before.
    """
    found = [looks[date].built for date in looks if thing.found(date) and looks[date].built > 0]
    return float(np.median(found)) if found else 1.0


_OF_THE_GONE: dict[Status, Status] = {
    "candidate": "candidate", "confirmed": "removed", "refuted": "refuted", "removed": "refuted",
}  # fmt: skip
"""From what became of a removal to what became of the thing."""


def _gone(thing: Thing, status: Status, confidence: float, there: dict[str, bool | None]) -> Followed:
    """Of what stood on the reference and was taken away: `there` says when it was seen to be gone."""
    status = _OF_THE_GONE[status]
    until = "9999" if status == "refuted" else thing.born
    standing = [date for date, seen in there.items() if seen is not None and date < until]
    first = min(standing, default=min(there))
    return Followed(
        status,
        confidence,
        None,
        first,
        max(standing, default=first),
        {date: None if seen is None else date < until for date, seen in there.items()},
    )
