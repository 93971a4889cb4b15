"""Random places: roads, buildings, fields, traffic, and random construction between two dates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import cos, radians, sin
from typing import Final

import numpy as np
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from pipeline.simulate.groups import grove, lorry, machines, parked, traffic
from pipeline.simulate.shapes import Box, Path, Shape, curve, ring
from pipeline.simulate.things import Kind, Thing

BEFORE: Final = "2021-03-01"
AFTER: Final = "2021-03-15"
_DATES: Final = (BEFORE, AFTER)
_ROOFS: Final = ("concrete", "old concrete", "white roof", "metal roof", "blue roof", "rust roof", "mud roof")
_CROPS: Final = ("crop", "young crop", "stubble", "fallow")


@dataclass
class Place:
    """A square of ground being filled: what is taken already, and how large things are drawn.

    Things keep their real size as far as the pixel resolves them; coarser pixels get larger works.
    """

    rng: np.random.Generator
    half: float  # metres from the centre to the edge
    resolution: float
    taken: list[BaseGeometry] = field(default_factory=list)

    @property
    def scale(self) -> float:
        """How much larger than life things are drawn; 1 up to 1 m pixels."""
        return float(max(1.0, self.resolution**0.7))

    @property
    def small_things(self) -> bool:
        """Whether vehicles and machines can be made out at all."""
        return self.resolution <= 2.0

    def metres(self, low: float, high: float) -> float:
        """A random length, scaled."""
        return float(self.rng.uniform(low, high)) * self.scale

    def fit(self, make: Callable[[float, float], Shape], gap: float = 2.0) -> Shape | None:
        """Somewhere free for a shape, or None after 40 tries."""
        inner = box(-self.half, -self.half, self.half, self.half).buffer(-4 * self.resolution)
        for _ in range(40):
            x, y = self.rng.uniform(-self.half, self.half, 2)
            shape = make(float(x), float(y))
            ground = shape.polygon().buffer(gap * self.scale)
            if inner.contains(ground) and not any(ground.intersects(other) for other in self.taken):
                self.taken.append(ground)
                return shape
        return None

    def box(self, length: tuple[float, float], width: tuple[float, float], gap: float = 2.0) -> Box | None:
        """A free box of random size and bearing."""
        long, wide = self.metres(*length), self.metres(*width)
        turn = float(self.rng.choice([12.0, 102.0]) + self.rng.normal(0, 5))
        shape = self.fit(lambda x, y: Box(x, y, max(long, wide), min(long, wide), turn), gap)
        assert shape is None or isinstance(shape, Box)
        return shape


def roads(place: Place) -> list[Thing]:
    """One or two roads through the square, with other traffic on each date, and some tracks."""
    things: list[Thing] = []
    for _ in range(int(place.rng.integers(1, 3))):
        road = _through_road(place)
        things.append(Thing(road, "surface", str(place.rng.choice(["asphalt", "old asphalt", "packed"]))))
        if place.small_things:
            things += traffic(place.rng, road, _DATES, 3)
    for _ in range(3):
        things.append(Thing(replace(_through_road(place, keep=False), width=2.6), "track", "silt"))
    return things


def surroundings(place: Place) -> list[Thing]:
    """What stands on both dates, and crops and parked cars that differ without being construction."""
    rng, area = place.rng, (2 * place.half) ** 2 / 1e4 / place.scale**2  # in hectares as drawn
    things: list[Thing] = []
    for _ in range(int(rng.poisson(min(1.2 * area, 40)))):
        plot = place.box((7, 26), (6, 14))
        if plot:
            things.append(Thing(plot, "roof", str(rng.choice(_ROOFS)), rng.uniform(3, 7)))
    things += _fields(place, int(rng.poisson(min(0.5 * area, 20))))
    for _ in range(int(rng.poisson(min(0.3 * area, 10)))):
        bank = _bank(place)
        if bank:
            things.append(Thing(bank, "berm", "old fill", rng.uniform(1.2, 2.2)))
    lot = place.box((24, 40), (8, 12)) if place.small_things else None
    if lot:
        things.append(Thing(lot, "surface", "packed"))
        things += parked(rng, lot, _DATES, int(lot.length / 3), 0.4)
    yard = place.box((24, 44), (16, 20)) if place.small_things and rng.random() < 0.5 else None
    if yard:
        things.append(Thing(yard, "surface", "packed"))
        things += parked(rng, yard, _DATES, int(yard.length / 3.6), 0.4, lorry)
    return things


def _through_road(place: Place, keep: bool = True) -> Path:
    """A winding road from one side of the square to the other."""
    bearing, far = place.rng.uniform(0, np.pi), 1.6 * place.half
    east, north = np.cos(bearing), np.sin(bearing)
    aside = place.rng.uniform(-0.7, 0.7) * place.half + place.rng.normal(0, 0.08 * place.half, 5)
    along = np.linspace(-far, far, 5)
    points = tuple(
        (float(u * east - v * north), float(u * north + v * east)) for u, v in zip(along, aside, strict=True)
    )
    road = curve(points, place.metres(5, 9))
    if keep:
        place.taken.append(road.polygon().buffer(1.0))
    return road


def _fields(place: Place, count: int) -> list[Thing]:
    things: list[Thing] = []
    for _ in range(count):
        plot = place.box((30, 60), (20, 40))
        if plot:
            then, now = (str(c) for c in place.rng.choice(_CROPS, 2))
            things.append(Thing(plot, "field", then, 0.2, until=AFTER))
            things.append(Thing(plot, "field", now, 0.2, since=AFTER))
            if place.small_things and place.rng.random() < 0.5:
                edge = Path((plot.point(-0.5, 0.55), plot.point(0.5, 0.55)), 1)
                things += grove(place.rng, edge, 7)
    return things


def random_works(place: Place) -> tuple[Kind, ...]:
    """One to seven works to build, of the kinds that the pixel resolves."""
    kinds: list[Kind] = ["building", "building", "road", "earthwork", "clearing"]
    if place.small_things:
        kinds.append("equipment")
    return tuple(kinds[int(n)] for n in place.rng.integers(len(kinds), size=place.rng.integers(1, 8)))


def construction(place: Place, works: tuple[Kind, ...]) -> list[Thing]:
    """The works for which there is room: mostly new, some removed, some buildings altered."""
    return [thing for n, kind in enumerate(works) for thing in _WORKS[kind](place, f"{kind} {n + 1}")]


def _building(place: Place, name: str) -> list[Thing]:
    plot = place.box((7, 26), (6, 14))
    if plot is None:
        return []
    rng, roof = place.rng, str(place.rng.choice(_ROOFS))
    made = Thing(plot, "roof", roof, rng.uniform(3, 7), "building", name)
    chance = rng.random()
    if chance < 0.12:
        ruin = Thing(plot, "rubble", "rubble", 0.6, since=AFTER)
        return [replace(made, until=AFTER), ruin]
    if chance < 0.25 and place.resolution <= 1:
        shell = Thing(plot, "bare walls", "blockwork", made.height, "building", name, until=AFTER)
        return [shell, replace(made, since=AFTER)]
    return [replace(made, since=AFTER)]


def _road(place: Place, name: str) -> list[Thing]:
    long, wide = place.metres(40, 110), place.metres(4, 6)
    bearing, bend = place.rng.uniform(0, 360), place.rng.normal(0, 0.12, 2) * long

    def make(x: float, y: float) -> Path:
        c, s = cos(radians(bearing)), sin(radians(bearing))
        line = ((0.0, 0.0), (long / 3, float(bend[0])), (2 * long / 3, float(bend[1])), (long, 0.0))
        return curve(tuple((x + u * c - v * s, y + u * s + v * c) for u, v in line), wide)

    shape = place.fit(make)
    return [Thing(shape, "surface", "graded", 0, "road", name, AFTER)] if shape else []


def _earthwork(place: Place, name: str) -> list[Thing]:
    bank = _bank(place)
    if bank is None:
        return []
    made = Thing(bank, "berm", "fill", place.rng.uniform(1.8, 3.2), "earthwork", name)
    return [replace(made, until=AFTER) if place.rng.random() < 0.1 else replace(made, since=AFTER)]


def _bank(place: Place) -> Shape | None:
    """A straight, L-shaped or ring-shaped bank."""
    thick, turn = place.metres(3, 5), float(place.rng.uniform(0, 360))
    long, wide = place.metres(20, 40), place.metres(14, 26)
    corners = {"line": 2, "angle": 3, "ring": 0}[str(place.rng.choice(["line", "angle", "ring"]))]

    def make(x: float, y: float) -> Path:
        plot = Box(x, y, long, wide, turn)
        if not corners:
            return ring(plot, thick, gap=6 * place.scale)
        ends = (plot.point(-0.5, -0.5), plot.point(0.5, -0.5), plot.point(0.5, 0.5))
        return Path(ends[:corners], thick)

    return place.fit(make)


def _clearing(place: Place, name: str) -> list[Thing]:
    plot = place.box((22, 42), (18, 32))
    return [Thing(plot, "surface", "graded", 0, "clearing", name, AFTER)] if plot else []


def _equipment(place: Place, name: str) -> list[Thing]:
    """Machines in one or two rows, life-sized: nothing where the pixel is too coarse to show them."""
    if not place.small_things:
        return []
    rows, cols = int(place.rng.integers(1, 3)), int(place.rng.integers(4, 6))
    wide, turn = cols * float(place.rng.uniform(3.6, 4.4)), float(place.rng.uniform(0, 180))
    plot = place.fit(lambda x, y: Box(x, y, wide, rows * 9.5, turn))
    assert plot is None or isinstance(plot, Box)
    return machines(place.rng, name, plot, (rows, cols), AFTER) if plot else []


_WORKS: Final[dict[Kind, Callable[[Place, str], list[Thing]]]] = {
    "building": _building,
    "road": _road,
    "earthwork": _earthwork,
    "clearing": _clearing,
    "equipment": _equipment,
}
