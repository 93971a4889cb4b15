"""What the sample sites share: where they are, when they were seen, and things that come in groups."""

from __future__ import annotations

from typing import Final

import numpy as np
from affine import Affine
from odc.geo.geobox import GeoBox
from pyproj import Transformer

from pipeline.simulate.geometry import Shift, Wave
from pipeline.simulate.light import Sun
from pipeline.simulate.scene import View
from pipeline.simulate.sensor import Sensor
from pipeline.simulate.shapes import Box, Path
from pipeline.simulate.things import NEVER, Kind, Thing

DATES: Final = ("2019-08-20", "2019-09-09", "2019-09-21")
CRS: Final = "EPSG:32637"  # UTM 37N
RESOLUTION: Final = 0.5  # metres
SIZE: Final = 640  # pixels a side
CARS: Final = ("white paint", "white paint", "dark paint", "red paint", "blue paint", "old concrete")
LORRIES: Final = ("white paint", "blue paint", "rust roof", "old concrete", "green paint")
MACHINES: Final = ("yellow paint", "yellow paint", "green paint", "white paint")


def grid_at(lon: float, lat: float) -> GeoBox:
    """The sample grid about a place: north up, corners on whole metres."""
    x, y = Transformer.from_crs("EPSG:4326", CRS, always_xy=True).transform(lon, lat)
    half = SIZE * RESOLUTION / 2
    corner = Affine(RESOLUTION, 0, round(x) - half, 0, -RESOLUTION, round(y) + half)
    return GeoBox((SIZE, SIZE), corner, CRS)


def views(mirror: float = 1.0) -> dict[str, View]:
    """How the three dates were seen: a sinking sun, other haze and gain, and images that are some pixels off.

    The middle date lies true; `mirror` -1 turns the shifts of the others the other way.
    """
    wide = SIZE * RESOLUTION
    last = (Wave(0.30, wide * 1.05, 20, 75, 40), Wave(0.16, wide * 0.8, 110, 160, 200))
    first = (Wave(0.18, wide * 1.2, 65, 10, 120),)
    return {
        DATES[0]: View(Sun(57, 139), Sensor(haze=0.12), Shift(-0.8 * mirror, 0.6, first)),
        DATES[1]: View(Sun(52, 147), Sensor(haze=0.08), Shift()),
        DATES[2]: View(
            Sun(44, 131),
            Sensor(haze=0.30, gain=(0.95, 0.93, 0.94, 0.91), offset=(0.004, 0.003, 0.002, 0.004), blur=0.56),
            Shift(1.6 * mirror, -1.05, last),
        ),
    }


def until_next(date: str) -> str:
    """The sample date after `date`: until when something seen only then stands."""
    later = [d for d in DATES if d > date]
    return later[0] if later else NEVER


def car(
    rng: np.random.Generator, x: float, y: float, turn: float, since: str = "", until: str = NEVER
) -> Thing:
    """A car at a place."""
    paint = str(rng.choice(CARS))
    return Thing(Box(x, y, 4.6, 1.9, turn), "vehicle", paint, 1.6, since=since, until=until)


def lorry(
    rng: np.random.Generator, x: float, y: float, turn: float, since: str = "", until: str = NEVER
) -> Thing:
    """A lorry with its trailer."""
    paint = str(rng.choice(LORRIES))
    return Thing(Box(x, y, rng.uniform(10, 15), 2.6, turn), "vehicle", paint, 3.4, since=since, until=until)


def traffic(rng: np.random.Generator, road: Path, each_date: int, lorries: float = 0.3) -> list[Thing]:
    """Vehicles along a road, other ones on each date."""
    things = []
    for date in DATES:
        for _ in range(int(rng.poisson(each_date))):
            x, y, turn = road.at(rng.uniform(0, road.length()))
            side = road.width / 4 * rng.choice([-1, 1])
            x, y = x - side * np.sin(np.radians(turn)), y + side * np.cos(np.radians(turn))
            make = lorry if rng.random() < lorries else car
            things.append(make(rng, float(x), float(y), turn, date, until_next(date)))
    return things


def parked(rng: np.random.Generator, area: Box, places: int, taken: float) -> list[Thing]:
    """A row of parking places along a box, a share of them taken, by other cars on each date."""
    things = []
    c, s = np.cos(np.radians(area.turn)), np.sin(np.radians(area.turn))
    for date in DATES:
        for place in range(places):
            if rng.random() < taken:
                u = (place + 0.5) / places * area.length - area.length / 2
                x, y = area.x + u * c, area.y + u * s
                turn = area.turn + 90 + rng.normal(0, 4)
                things.append(car(rng, float(x), float(y), float(turn), date, until_next(date)))
    return things


def machine_group(
    rng: np.random.Generator, name: str, area: Box, rows: int, cols: int, since: str
) -> list[Thing]:
    """Construction machines drawn up side by side."""
    kind: Kind = "equipment"
    c, s = np.cos(np.radians(area.turn)), np.sin(np.radians(area.turn))
    things = []
    for row in range(rows):
        for col in range(cols):
            u = (col + 0.5) / cols * area.length - area.length / 2 + rng.normal(0, 0.2)
            v = (row + 0.5) / rows * area.width - area.width / 2 + rng.normal(0, 0.2)
            turn = area.turn + 90 + rng.normal(0, 3)
            box = Box(area.x + u * c - v * s, area.y + u * s + v * c, rng.uniform(6.2, 7.6), 3.0, turn)
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
