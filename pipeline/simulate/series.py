"""Made series: one place over years, with seasons and clouds, on which something is built or nothing is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Final

import numpy as np
from affine import Affine
from odc.geo.geobox import GeoBox

from pipeline.simulate.geometry import Shift, Wave
from pipeline.simulate.layout import AFTER, Place, construction, roads, surroundings
from pipeline.simulate.light import Sun
from pipeline.simulate.scene import SceneSpec, View
from pipeline.simulate.season import Season
from pipeline.simulate.sensor import Sensor
from pipeline.simulate.things import ALWAYS, NEVER, Kind, Thing

_CENTRE: Final = (680_000.0, 3_811_000.0)  # UTM 37N
_YEAR: Final = ("fallow", "young crop", "crop", "crop", "stubble", "stubble", "stubble", "fallow", "fallow")
"""A field, forty days each: it is sown, grows, is cut and ploughed."""


def monthly(count: int, first: str = "2021-01-12") -> tuple[str, ...]:
    """So many dates, a month apart."""
    start = date.fromisoformat(first)
    months = (start.month - 1 + n for n in range(count))
    return tuple(start.replace(year=start.year + m // 12, month=m % 12 + 1).isoformat() for m in months)


def series_spec(
    seed: int, dates: tuple[str, ...], works: tuple[Kind, ...] = (), size: int = 96, resolution: float = 10.0
) -> SceneSpec:
    """A place seen on `dates`, on which `works` are begun in turn from some date on; none: nothing is built.

    The first date is clear; two fifths of the others are, too, two fifths lose up to half to clouds, and one
    fifth more. Fields follow the year, plants dry in summer, the sun sinks in winter.
    """
    half = size * resolution / 2
    place = Place(np.random.default_rng([seed, 20]), half, resolution)
    rng = np.random.default_rng([seed, 24])
    things = roads(place)
    things += _begun(construction(place, works), works, dates, rng)
    for thing in surroundings(place):
        if thing.form != "field":
            things.append(thing)
        elif thing.until == AFTER:
            things += _farmed(thing, dates, int(rng.integers(-30, 60)))
    corner = Affine(resolution, 0, _CENTRE[0] - half, 0, -resolution, _CENTRE[1] + half)
    views = {day: _view(day, n == 0, 2 * half, resolution, rng) for n, day in enumerate(dates)}
    return SceneSpec(GeoBox((size, size), corner, "EPSG:32637"), tuple(things), views, seed)


def _begun(
    things: list[Thing], works: tuple[Kind, ...], dates: tuple[str, ...], rng: np.random.Generator
) -> list[Thing]:
    """The works, new, one after the other, with none to two dates between them; what would be taken away or
    altered is new, too.
    """
    start, when = int(rng.integers(len(dates) // 6, len(dates) * 2 // 3)), {}
    for n, kind in enumerate(works):
        when[f"{kind} {n + 1}"] = dates[min(start, len(dates) - 2)]
        start += int(rng.integers(0, 3))
    made = {thing.shape: thing for thing in things if thing.name}
    return [replace(thing, since=when[thing.name], until=NEVER) for thing in made.values()]


def _farmed(field: Thing, dates: tuple[str, ...], late_days: int) -> list[Thing]:
    """A field's crops as the year goes; `late_days`: how far it is behind others."""

    def crop(day: str) -> str:
        of_year = (date.fromisoformat(day).timetuple().tm_yday - late_days) % 365
        return _YEAR[of_year * len(_YEAR) // 365]

    spans = pairwise((*dates, NEVER))
    return [
        replace(field, material=crop(day), since=day if n else ALWAYS, until=until)
        for n, (day, until) in enumerate(spans)
    ]


def _view(day: str, clear: bool, width: float, resolution: float, rng: np.random.Generator) -> View:
    summer = float(0.5 - 0.5 * np.cos(2 * np.pi * (date.fromisoformat(day).timetuple().tm_yday - 10) / 365))
    gain = tuple(float(g) for g in rng.normal(1.0, 0.02, 4))
    cloud = float(rng.choice([0.0, rng.uniform(0.05, 0.5), rng.uniform(0.5, 0.95)], p=[0.4, 0.4, 0.2]))
    east, north = rng.normal(0, 0.3 * resolution, 2)
    wave = Wave(0.1 * resolution, width, *(float(angle) for angle in rng.uniform(0, 360, 3)))
    return View(
        Sun(32 + 38 * summer, 160 - 35 * summer),
        Sensor(haze=float(rng.uniform(0.05, 0.25)), gain=(gain[0], gain[1], gain[2], gain[3])),
        Shift() if clear else Shift(float(east), float(north), (wave,)),
        Season(dryness=0.8 * summer, wetness=0.08 * (1 - summer)),
        cloud=0.0 if clear else cloud,
    )
