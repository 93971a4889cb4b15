"""Which days of a site are compared with which, and what becomes of each pair.

Each date is compared with one reference, the first clear date, whose grid all are aligned to: that shows all
that was built so far. And with the last clear date before it: that shows what was altered or taken away. So a
new date costs two comparisons, however many there are, and one that comes late those it is part of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.config import Site
from pipeline.config.looks import LeftOut
from pipeline.errors import SourceNotFoundError
from pipeline.outputs.files import write_text

TRIES = 3
"""So many later dates are tried with a date before it is given up as the reference."""
SEEN = "seen.json"

Status = Literal["done", "skipped", "planned", "refused", "failed"]


@dataclass(frozen=True)
class Outcome:
    """What became of one pair of dates; of a date that was left out (`after`, without `before`); or of a site
    that did not get as far (without dates).

    `skipped`: it was done before, and nothing it follows from has changed since. `planned`: it was not done,
    as a plan was all that was asked for. `before_seen`, `after_seen`: the share of the site that each date
    shows, 0..1.
    """

    site: str
    status: Status
    before: str | None = None
    after: str | None = None
    reason: str | None = None
    findings: int | None = None
    folder: Path | None = None
    before_seen: float = 1.0
    after_seen: float = 1.0

    @property
    def usable(self) -> bool:
        """Whether there are findings to follow, of this time or of one before."""
        return self.folder is not None


def comparisons(
    dates: Sequence[str], compare: Callable[[str, str], Outcome], min_clear: float
) -> Iterator[Outcome]:
    """What becomes of each pair that a timeline follows from: every date with the reference, and with the
    last clear date before it.

    The reference is the first date that shows `min_clear` of the site, 0..1, and that one of the next few can
    be compared with. All follows from the set of dates, so that it does not matter in which order they came.
    """
    tried: dict[str, Outcome] = {}
    reference = None
    for i, first in enumerate(dates):
        tried = {}
        for date in dates[i + 1 : i + 1 + TRIES]:
            yield (outcome := compare(first, date))
            tried[date] = outcome
            if outcome.usable:
                break
        reference = reference_of(tried.values(), min_clear)
        if reference is not None:
            break
    last = reference
    for date in dates[dates.index(reference) + 1 :] if reference else ():
        if (outcome := tried.get(date) or compare(reference or "", date)) is not tried.get(date):
            yield outcome
        if not outcome.usable:
            continue
        if last != reference:
            yield compare(last or "", date)
        if outcome.after_seen >= min_clear:
            last = date


def reference_of(outcomes: Iterable[Outcome], min_clear: float) -> str | None:
    """The date that all others are compared with; None where there is none yet."""
    clear = (one.before for one in outcomes if one.usable and one.before_seen >= min_clear)
    return next(clear, None)


def recall_seen(site: Site, folder: Path) -> None:
    """What earlier rounds measured of each date, from the site's folder, where it is there."""
    with suppress(OSError, UnicodeDecodeError):
        site.looks.seen.recall((folder / SEEN).read_text(encoding="utf-8"))


def note_seen(site: Site, folder: Path) -> None:
    """For the rounds to come."""
    write_text(folder / SEEN, site.looks.seen.noted())


def left_out(site: Site) -> list[Outcome]:
    """The days that show too little, and what could not be read of catalogues; a day that cannot be read is
    told with its pairs.
    """
    return [
        Outcome(site.id, "failed" if day.failed else "refused", None, day.date, day.reason)
        for day in site.left_out()
        if not _unread(day)
    ]


def _unread(day: LeftOut) -> bool:
    return day.failed and day.date is not None


def dates_of(site: Site) -> list[str]:
    """The days to compare, in order; also those that cannot be read just now, whose results of before stay.

    Raises SourceNotFoundError where there are no two.
    """
    unread = (str(day.date) for day in site.left_out() if _unread(day))
    dates = sorted({*site.available_dates(), *unread})
    if len(dates) < 2:
        have = f"only {dates[0]}" if dates else "none"
        raise SourceNotFoundError(f"{site.id}: two dates with images are needed, there is {have}")
    return dates
