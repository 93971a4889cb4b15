"""The phase of a site as a whole, date by date, after the phases of the SMART heavy-construction data set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date as day
from typing import Final, Literal

import pandas as pd

Phase = Literal["no activity", "site preparation", "active", "finished"]
PHASES: Final[tuple[Phase, ...]] = ("no activity", "site preparation", "active", "finished")
GROUNDWORK: Final = ("clearing", "earthwork", "road")
"""Kinds that move ground and raise nothing on it."""


def phases(events: Iterable[tuple[str, str]], dates: Sequence[str], settled_days: int) -> pd.DataFrame:
    """A row a date: `date`, `phase`. `events`: (date, kind) of everything that was begun, altered or taken
    away.

    `no activity` before the first event; `site preparation` while only ground was moved (clearings,
    earthworks, roads); `active` from the first building or machine on; `finished` once nothing more has
    happened for `settled_days`.
    """
    ordered = sorted(events)
    rows = [
        (date, _phase([e for e in ordered if e[0] <= date], date, settled_days)) for date in sorted(dates)
    ]
    return pd.DataFrame(rows, columns=["date", "phase"])


def _phase(so_far: Sequence[tuple[str, str]], date: str, settled_days: int) -> Phase:
    if not so_far:
        return "no activity"
    if (day.fromisoformat(date) - day.fromisoformat(so_far[-1][0])).days >= settled_days:
        return "finished"
    return "site preparation" if all(kind in GROUNDWORK for _, kind in so_far) else "active"
