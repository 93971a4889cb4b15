"""Which dates are meant, where what was named holds images of several."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date as _day
from itertools import combinations

import pystac
import shapely

from pipeline.errors import SourceNotFoundError
from pipeline.scenes.item import acquired, set_date

_SAME_GROUND = 0.5  # of the smaller of two dates' ground: strips of one mosaic overlap by less
Items = Sequence[pystac.Item]


def of_one_date(source: str, items: Items, date: str | None, mend: str) -> Items:
    """The images of `date`, where `items` hold several dates of one ground; else all of them, and the date
    (YYYY-MM-DD) is set, where one is given.

    `mend` says how to choose one. Raises SourceNotFoundError where it is left open which date is meant.
    """
    days = days_of(items)
    if not _is_series(items, days):
        for item in items:
            if date is not None:
                set_date(item, date)
        return items
    if date is None:
        raise SourceNotFoundError(f"{source}: images of {len(days)} dates ({_listed(days)}); {mend}")
    return _on(source, items, date)


def last_two_dates(source: str, items: Items, before: str | None, after: str | None) -> tuple[Items, Items]:
    """The images of two dates: as given, else of the last two there are. Raises SourceNotFoundError."""
    days = days_of(items)
    after = after or max((day for day in days if before is None or day > before), default=None)
    before = before or max((day for day in days if after is not None and day < after), default=None)
    if before is None or after is None or before >= after:
        told = f"images of {_listed(days)} only" if days else "no dates in the images' names or metadata"
        raise SourceNotFoundError(f"{source}: {told}; name two sets of images, BEFORE and AFTER")
    return _on(source, items, before), _on(source, items, after)


def days_of(items: Items) -> tuple[str, ...]:
    """The days (YYYY-MM-DD) on which images were taken, in order."""
    return tuple(sorted({day for day in map(acquired, items) if day}))


def none_of(date: str, days: Sequence[str]) -> str:
    """That there are no images of a date, and of which there are."""
    if not days:
        return f"no images of {date}, nor of any other date; check source in the site file"
    nearest = min(days, key=lambda day: abs((_day.fromisoformat(day) - _day.fromisoformat(date)).days))
    return f"no images of {date}; dates with images: {_listed(days)} (nearest: {nearest})"


def _on(source: str, items: Items, date: str) -> Items:
    chosen = [item for item in items if acquired(item) == date]
    if not chosen:
        raise SourceNotFoundError(f"{source}: {none_of(date, days_of(items))}")
    return chosen


def _is_series(items: Items, days: Sequence[str]) -> bool:
    """Whether two of the dates show the same ground: parts of one mosaic may be of neighbouring days."""
    grounds = [
        shapely.union_all(
            [
                shapely.make_valid(shapely.geometry.shape(item.geometry))
                for item in items
                if item.geometry and acquired(item) == day
            ]
        )
        for day in days
    ]
    return any(
        one.intersection(other).area > _SAME_GROUND * min(one.area, other.area)
        for one, other in combinations(grounds, 2)
    )


def _listed(days: Sequence[str]) -> str:
    return ", ".join(days) if len(days) <= 6 else f"{', '.join(days[:5])}, ..., {days[-1]}"
