"""Things that come in numbers: traffic, parked cars, machines drawn up side by side, trees along a line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from pipeline.simulate.shapes import Box, Path
from pipeline.simulate.things import NEVER, Kind, Thing

CARS: Final = ("white paint", "white paint", "dark paint", "red paint", "blue paint", "old concrete")
LORRIES: Final = ("white paint", "blue paint", "rust roof", "old concrete", "green paint")
MACHINES: Final = ("yellow paint", "yellow paint", "green paint", "white paint")
Spot = tuple[float, float, float]  # x, y in local metres, heading in degrees from east


def until_next(date: str, dates: tuple[str, ...]) -> str:
    """The date after `date`: until when something seen only then stands."""
    return min((d for d in dates if d > date), default=NEVER)


def car(rng: np.random.Generator, spot: Spot, since: str, until: str) -> Thing:
    """A car at a place."""
    x, y, turn = spot
    return Thing(Box(x, y, 4.6, 1.9, turn), "vehicle", str(rng.choice(CARS)), 1.6, since=since, until=until)


def lorry(rng: np.random.Generator, spot: Spot, since: str, until: str) -> Thing:
    """A lorry with its trailer."""
    x, y, turn = spot
    box = Box(x, y, rng.uniform(10, 15), 2.6, turn)
    return Thing(box, "vehicle", str(rng.choice(LORRIES)), 3.4, since=since, until=until)


def traffic(
    rng: np.random.Generator, road: Path, dates: tuple[str, ...], each_date: float, lorries: float = 0.3
) -> list[Thing]:
    """Vehicles along a road, other ones on each date; `lorries` is their share."""
    things = []
    for date in dates:
        for _ in range(int(rng.poisson(each_date))):
            x, y, turn = road.at(rng.uniform(0, road.length()))
            side, lane = road.width / 4 * rng.choice([-1, 1]), np.radians(turn)
            spot = (float(x - side * np.sin(lane)), float(y + side * np.cos(lane)), turn)
            make = lorry if rng.random() < lorries else car
            things.append(make(rng, spot, date, until_next(date, dates)))
    return things


def parked(
    rng: np.random.Generator,
    area: Box,
    dates: tuple[str, ...],
    places: int,
    taken: float,
    make: Callable[[np.random.Generator, Spot, str, str], Thing] = car,
) -> list[Thing]:
    """A row of parking places along a box, a share of them taken, by other vehicles on each date."""
    things = []
    for date in dates:
        for place in range(places):
            if rng.random() < taken:
                x, y = area.point((place + 0.5) / places - 0.5, 0)
                spot = (x, y, area.turn + 90 + rng.normal(0, 4))
                things.append(make(rng, spot, date, until_next(date, dates)))
    return things


def machines(
    rng: np.random.Generator, name: str, area: Box, rows_cols: tuple[int, int], since: str
) -> list[Thing]:
    """Construction machines drawn up side by side: one finding of kind equipment."""
    kind: Kind = "equipment"
    things = []
    rows, cols = rows_cols
    for row in range(rows):
        for col in range(cols):
            x, y = area.point((col + 0.5) / cols - 0.5, (row + 0.5) / rows - 0.5)
            x, y = x + rng.normal(0, 0.2), y + rng.normal(0, 0.2)
            box = Box(x, y, rng.uniform(6.2, 7.6), 3.0, area.turn + 90 + rng.normal(0, 3))
            things.append(Thing(box, "vehicle", str(rng.choice(MACHINES)), 3.0, kind, name, since))
    return things


def grove(rng: np.random.Generator, line: Path, spacing: float) -> list[Thing]:
    """Trees along a line."""
    things = []
    for metres in np.arange(0, line.length(), spacing):
        x, y, _ = line.at(float(metres) + rng.normal(0, 0.8))
        size = rng.uniform(2.6, 5.0)
        box = Box(x + rng.normal(0, 0.6), y + rng.normal(0, 0.6), size, size)
        things.append(Thing(box, "tree", "tree", size * 0.9))
    return things
