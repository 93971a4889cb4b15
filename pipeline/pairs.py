"""Which pairs of a site's dates are compared.

Each date is compared with one reference, the first clear date, whose grid all are aligned to: that shows all
that was built so far. And with the last clear date before it: that shows what was altered or taken away. So a
new date costs two comparisons, however many there are, and one that comes late those it is part of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol, TypeVar

TRIES = 3
"""So many later dates are tried with a date before it is given up as the reference."""

Pair = tuple[str, str]


class Tried(Protocol):
    """What became of a pair."""

    @property
    def usable(self) -> bool:
        """Whether there are findings to follow."""

    @property
    def before_seen(self) -> float:
        """Share of the site, 0..1, that the earlier date shows."""

    @property
    def after_seen(self) -> float:
        """Likewise of the later date."""


Outcome = TypeVar("Outcome", bound=Tried)


def compare_all(
    dates: Sequence[str], compare: Callable[[str, str], Outcome], min_clear: float
) -> Iterator[tuple[Pair, Outcome]]:
    """Each pair that has to be compared with what became of it, as it is known. `dates`: YYYY-MM-DD, in
    order. A date that shows less than `min_clear` of the site is no reference, and no date to compare with.
    """
    tried: dict[Pair, Outcome] = {}
    for pair in _pairs(dates, tried, min_clear):
        tried[pair] = compare(*pair)
        yield pair, tried[pair]


def reference(tried: Mapping[Pair, Tried], min_clear: float) -> str | None:
    """The first date that shows enough of the site, and that a later one could be compared with."""
    clear = (
        before
        for (before, _), outcome in sorted(tried.items(), key=lambda entry: entry[0])
        if outcome.usable and outcome.before_seen >= min_clear
    )
    return next(clear, None)


def _pairs(dates: Sequence[str], tried: Mapping[Pair, Tried], min_clear: float) -> Iterator[Pair]:
    """Which pairs to compare, as far as can be known from those that were `tried`; a function of the set of
    dates alone, so that it does not matter in which order they came.
    """
    for i, before in enumerate(dates):
        for date in dates[i + 1 : i + 1 + TRIES]:
            if reference(tried, min_clear) is None:
                yield before, date
    first = reference(tried, min_clear)
    if first is None:
        return
    last = first
    for date in dates[dates.index(first) + 1 :]:
        if (first, date) not in tried:
            yield first, date
        if not tried[first, date].usable:
            continue
        if last != first:
            yield last, date
        if tried[first, date].after_seen >= min_clear:
            last = date
