"""What stands on a site by date, as areas on a time axis: geometry only, the template draws it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date as day

import numpy as np
import pandas as pd

from pipeline.outputs import style

WIDTH, HEIGHT = 860, 250
LEFT, RIGHT, TOP, BOTTOM = 64, 14, 12, 34
_LABEL = 88  # pixels that a date's label takes
_TICKS = 4


@dataclass(frozen=True)
class TimeAxis:
    """Days as places along an axis: the first at `start`, the last at `end`, in pixels."""

    dates: tuple[str, ...]
    start: float = LEFT
    end: float = WIDTH - RIGHT

    def __call__(self, date: str) -> float:
        """Pixels from the left edge."""
        first, last = (day.fromisoformat(self.dates[i]) for i in (0, -1))
        share = (day.fromisoformat(date) - first).days / max((last - first).days, 1)
        return round(self.start + share * (self.end - self.start), 1)

    @property
    def labelled(self) -> list[str]:
        """The dates whose labels do not run into each other; the last always."""
        chosen = [self.dates[-1]]
        for date in reversed(self.dates[:-1]):
            if self(chosen[-1]) - self(date) >= _LABEL:
                chosen.append(date)
        return chosen[::-1]


@dataclass(frozen=True)
class Tick:
    """A round value of the upright axis, and where it is."""

    value: float
    y: float


@dataclass(frozen=True)
class Chart:
    """Areas by kind, each on top of the one before: `areas` is kind to the `d` of an SVG path."""

    axis: TimeAxis
    areas: dict[str, str]
    ticks: tuple[Tick, ...]
    totals: dict[str, float]  # by date, m2


def stacked(standing: pd.DataFrame, dates: Sequence[str]) -> Chart | None:
    """Steps: what a date shows stands until the next. `standing`: `date`, `kind`, `area_m2`; None where
    nothing ever stood.
    """
    table = standing.pivot_table(
        index="date", columns="kind", values="area_m2", aggfunc="sum", fill_value=0.0
    )
    table = table.reindex(index=list(dates), columns=[k for k in style.KINDS if k in table], fill_value=0.0)
    table = table.loc[:, table.sum() > 0]
    if table.empty or len(dates) < 2:
        return None
    axis = TimeAxis(tuple(dates))
    tops = table.cumsum(axis=1)
    ticks = _ticks(float(tops.to_numpy().max()))
    scale = (HEIGHT - TOP - BOTTOM) / ticks[-1]
    upright = {value: round(HEIGHT - BOTTOM - value * scale, 1) for value in ticks}

    def steps(heights: pd.Series[float]) -> list[tuple[float, float]]:
        y = (HEIGHT - BOTTOM - heights.to_numpy() * scale).round(1)
        x = [axis(date) for date in dates]
        corners = [(x[0], y[0])]
        for i in range(1, len(x)):
            corners += [(x[i], y[i - 1]), (x[i], y[i])]
        return corners

    areas, below = {}, steps(tops.iloc[:, 0] * 0)
    for kind in table:
        above = steps(tops[kind])
        areas[str(kind)] = f"M{'L'.join(f'{x:g} {y:g}' for x, y in above + below[::-1])}Z"
        below = above
    return Chart(
        axis,
        areas,
        tuple(Tick(v, y) for v, y in upright.items()),
        dict(zip(dates, tops.iloc[:, -1], strict=True)),
    )


def _ticks(most: float) -> list[float]:
    """Round values from 0 to one that is no less than `most`."""
    rough = most / _TICKS
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(size * power for size in (1, 2, 2.5, 5, 10) if size * power >= rough * (1 - 1e-9))
    return [step * i for i in range(int(np.ceil(most / step - 1e-9)) + 1)]
