"""Random towns: streets lined with houses, blocks, sheds, car parks, gardens, woods; built up by and by.

What becomes of a lot differs: some houses stand on both dates, some are built between them, some are torn
down, some lots stay bare. Lawns, driveways and trees come with the house, and are no findings of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry
from shapely.prepared import prep

from pipeline.simulate.groups import car, lorry, machines, parked, traffic
from pipeline.simulate.layout import AFTER, BEFORE
from pipeline.simulate.shapes import Box, Path, curve
from pipeline.simulate.terrain import GroundStyle
from pipeline.simulate.things import ALWAYS, NEVER, Form, Kind, Thing

_DATES: Final = (BEFORE, AFTER)
_SHINGLES: Final = ("grey shingle", "brown shingle", "dark shingle", "tan shingle", "slate", "red tile")
_FLAT: Final = ("white roof", "gravel roof", "tar roof", "concrete", "old concrete", "metal roof")
_STREETS: Final = ("asphalt", "old asphalt", "old concrete", "concrete", "packed")
_YARDS: Final = ("lawn", "grass", "dry grass", "meadow", "topsoil")
_BARE: Final = ("soil", "topsoil", "red soil", "graded", "fill", "dry grass")
_GROUNDS: Final = (
    ("grass", "meadow", "topsoil"),
    ("dry grass", "topsoil", "grass"),
    ("meadow", "wood", "grass"),
    ("soil", "dry grass", "silt"),
    ("red soil", "dry grass", "topsoil"),
    ("topsoil", "grass", "soil"),
    ("lawn", "dry grass", "meadow"),
    ("soil", "gravel", "silt"),
)


@dataclass(frozen=True)
class Growth:
    """Chances of a lot: built before, between the dates, torn down, altered; the rest stays bare."""

    old: float
    new: float
    gone: float = 0.0
    altered: float = 0.0


GROWTH: Final = {
    "quiet": Growth(0.9, 0.0),
    "infill": Growth(0.75, 0.15, 0.03, 0.02),
    "growing": Growth(0.35, 0.45, 0.02, 0.02),
    "new estate": Growth(0.0, 0.85),
    "clearance": Growth(0.5, 0.05, 0.35),
}


@dataclass
class Town:
    """A square of ground, `half` metres from its centre to its edge, being filled."""

    rng: np.random.Generator
    half: float
    resolution: float
    growth: Growth
    streets: list[Path]
    resurfaced: float = 0.0
    count: int = 0

    def name(self, kind: str) -> str:
        """A name of its own for the next thing."""
        self.count += 1
        return f"{kind} {self.count}"

    def pick(self, names: tuple[str, ...]) -> str:
        """One of them."""
        return names[int(self.rng.integers(len(names)))]

    def fate(self) -> tuple[str, str] | None:
        """From when until when a lot's house stands; None where it stays bare."""
        chance, growth = self.rng.random(), self.growth
        if chance < growth.old:
            return ALWAYS, NEVER
        if chance < growth.old + growth.new:
            return AFTER, NEVER
        if chance < growth.old + growth.new + growth.gone:
            return ALWAYS, AFTER
        return None


def ground_style(rng: np.random.Generator) -> GroundStyle:
    """Grass, meadow, soil or forest floor, gently rolling."""
    soils = _GROUNDS[int(rng.integers(len(_GROUNDS)))]
    return GroundStyle(
        relief=float(rng.uniform(0, 0.006)),
        tilt=float(rng.uniform(0, 0.02)),
        downhill=float(rng.uniform(0, 360)),
        channels=float(rng.choice([0.0, 0.0, 0.5])),
        gravel=float(rng.uniform(0.2, 0.7)),
        scrub=float(rng.choice([0.0, 0.002, 0.01, 0.03])),
        soils=soils,
        cells=48,
    )


def suburb(
    rng: np.random.Generator, half: float, resolution: float, growth: str, resurfaced: float = 0.0
) -> list[Thing]:
    """Everything on the ground of a town that changes by `growth` (a key of GROWTH); a share of streets is
    `resurfaced`, which is no construction.
    """
    town = Town(rng, half, resolution, GROWTH[growth], [], resurfaced)
    things = _woods(town) + _fields(town) + _street_net(town)
    taken = [street.polygon() for street in town.streets]
    things += _large(town, taken)
    for street in town.streets:
        things += _lots(town, street, taken)
    things += _trees(town, taken)
    if growth != "quiet":
        things += _works(town, taken)
    return things


def _street_net(town: Town) -> list[Thing]:
    """Parallel bent streets and one that joins them; a new estate's may be new themselves."""
    rng, far = town.rng, 1.5 * town.half
    bearing, gap = rng.uniform(0, np.pi), rng.uniform(52, 90)
    material, width = town.pick(_STREETS), float(rng.uniform(5, 10))
    bend = rng.normal(0, 0.1 * town.half, 5)
    offset = rng.uniform(-gap / 2, gap / 2)
    lines = [(aside, 0.0) for aside in np.arange(-1.2 * town.half, 1.2 * town.half, gap) + offset]
    lines = [line for line in lines if rng.random() < 0.85] + [
        (float(rng.uniform(-0.6, 0.6)) * town.half, np.pi / 2)
    ]
    recent = town.growth.new > 0.4
    things: list[Thing] = []
    for aside, turn in lines:
        c, s = np.cos(bearing + turn), np.sin(bearing + turn)
        along = np.linspace(-far, far, 5)
        across = aside + (bend if turn == 0 else bend[::-1])
        points = tuple(
            (float(u * c - v * s), float(u * s + v * c)) for u, v in zip(along, across, strict=True)
        )
        street = curve(points, width)
        new = recent and rng.random() < 0.4
        name = town.name("road") if new else ""
        things.append(_surface(street, material, "road" if new else None, name, AFTER if new else ALWAYS))
        if not new and town.resurfaced and rng.random() < town.resurfaced:
            things.append(_surface(street, town.pick(_STREETS), None, "", AFTER))
        if rng.random() < 0.5 and town.resolution <= 1:
            things.append(Thing(Path(street.points, 0.4), "surface", "paint", since=AFTER if new else ALWAYS))
        town.streets.append(street)
        if town.resolution <= 2:
            things += traffic(rng, street, _DATES[1:] if new else _DATES, 3, 0.1)
    return things


def _surface(shape: Box | Path, material: str, kind: Kind | None, name: str, since: str = ALWAYS) -> Thing:
    return Thing(shape, "surface", material, 0.0, kind, name, since)


def _lots(town: Town, street: Path, taken: list[BaseGeometry]) -> list[Thing]:
    """Houses along both sides of a street."""
    rng, things = town.rng, []
    pitch, depth = float(rng.uniform(15, 26)), float(rng.uniform(22, 30))
    roofs = tuple(town.pick(_SHINGLES) for _ in range(3))
    bare, lawn = town.pick(_BARE), town.pick(_YARDS)
    inner = prep(box(-town.half, -town.half, town.half, town.half).buffer(8))
    for metres in np.arange(rng.uniform(0, pitch), street.length(), pitch):
        x, y, turn = street.at(float(metres))
        for side in (-1.0, 1.0):
            away = street.width / 2 + depth / 2 + 2.5
            angle = np.radians(turn)
            cx, cy = x - side * away * np.sin(angle), y + side * away * np.cos(angle)
            plot = Box(float(cx), float(cy), pitch * 0.97, depth, turn)
            ground = plot.polygon()
            if not inner.intersects(ground) or any(ground.intersects(other) for other in taken):
                continue
            taken.append(ground.buffer(-3))
            things += _lot(town, plot, side, roofs, bare, lawn)
    return things


def _lot(town: Town, plot: Box, side: float, roofs: tuple[str, ...], bare: str, lawn: str) -> list[Thing]:
    """A house with its garden and driveway, or ground that waits for one."""
    rng, fate = town.rng, town.fate()
    waiting = Thing(plot, "yard", bare, since=ALWAYS, until=NEVER)
    if fate is None:
        return [waiting] if rng.random() < 0.4 else []
    since, until = fate
    things = []
    if since == AFTER and rng.random() < 0.5:
        things.append(Thing(plot, "yard", bare, until=AFTER))
    garden = lawn if rng.random() < 0.7 else town.pick(_YARDS)
    things.append(Thing(plot, "yard", garden, since=since, until=until))
    if until == AFTER:
        things.append(Thing(plot, "yard", bare, since=AFTER))
    house = _house(town, plot, town.pick(roofs), since, until)
    front = plot.point(rng.uniform(-0.3, 0.3), -side * 0.55)
    drive = Path((front, (house[0].shape.x, house[0].shape.y)), float(rng.uniform(2.5, 5.5)))  # type: ignore[union-attr]
    things.append(
        Thing(drive, "surface", town.pick(("concrete", "old concrete", "asphalt")), since=since, until=until)
    )
    things += house
    things += _extras(town, plot, side, since, until)
    return things


def _house(town: Town, plot: Box, roof: str, since: str, until: str) -> list[Thing]:
    """A main roof with up to two wings, all of one name; some stand without their roof at first."""
    rng = town.rng
    long, wide = float(rng.uniform(9, 0.85 * plot.length)), float(rng.uniform(8, 0.55 * plot.width))
    turn = plot.turn + float(rng.choice([0, 0, 0, 90])) + float(rng.normal(0, 2))
    if rng.random() < 0.15:
        turn += float(rng.uniform(-30, 30))
    x, y = plot.point(float(rng.uniform(-0.06, 0.06)), float(rng.uniform(-0.1, 0.1)))
    main = Box(x, y, max(long, wide), min(long, wide), turn)
    form: Form = "hip roof" if rng.random() < 0.55 else "gable roof"
    height, name = float(rng.uniform(3, 7)), town.name("building")
    boxes = [main]
    for _ in range(int(rng.integers(0, 3))):
        wx, wy = main.point(float(rng.uniform(-0.4, 0.4)), float(rng.choice([-0.5, 0.5])))
        boxes.append(
            Box(wx, wy, float(rng.uniform(0.4, 0.9)) * main.width, float(rng.uniform(4, 8)), turn + 90)
        )
    if rng.random() < 0.06:
        form, roof = "roof", town.pick(_FLAT)
    made = [Thing(b, form, roof, height, "building", name, since, until) for b in boxes]
    if since == ALWAYS and until == NEVER and rng.random() < town.growth.altered:
        shell = [Thing(b, "bare walls", "blockwork", height, "building", name, until=AFTER) for b in boxes]
        return [*shell, *(Thing(b, form, roof, height, "building", name, AFTER) for b in boxes)]
    return made


def _extras(town: Town, plot: Box, side: float, since: str, until: str) -> list[Thing]:
    """Sheds, pools, garden trees and cars."""
    rng, things = town.rng, []
    if rng.random() < 0.15:
        x, y = plot.point(float(rng.uniform(-0.4, 0.4)), side * 0.4)
        shed = Box(x, y, float(rng.uniform(2.5, 5)), float(rng.uniform(2.5, 4)), plot.turn)
        things.append(
            Thing(shed, "roof", town.pick(_FLAT), 2.5, "building", town.name("building"), since, until)
        )
    if rng.random() < 0.12:
        x, y = plot.point(float(rng.uniform(-0.3, 0.3)), side * 0.38)
        things.append(Thing(Box(x, y, 8, 4, plot.turn), "surface", "pool", since=since, until=until))
    for _ in range(int(rng.poisson(1.2))):
        x, y = plot.point(float(rng.uniform(-0.5, 0.5)), float(rng.uniform(-0.5, 0.5)))
        size, kept = float(rng.uniform(2.5, 8)), rng.random() < 0.6
        things.append(
            Thing(Box(x, y, size, size), "tree", "tree", size * 0.9, since=ALWAYS if kept else since)
        )
    if town.resolution <= 1.2:
        for date, end in ((BEFORE, AFTER), (AFTER, NEVER)):
            if since <= date < until and rng.random() < 0.4:
                x, y = plot.point(float(rng.uniform(-0.3, 0.3)), -side * 0.42)
                things.append(car(rng, (x, y, plot.turn + 90), date, end))
    return things


def _large(town: Town, taken: list[BaseGeometry]) -> list[Thing]:
    """Blocks of flats, halls and supermarkets with their car parks."""
    rng, things = town.rng, []
    for _ in range(int(rng.choice([0, 0, 1, 2, 4]))):
        long, wide = float(rng.uniform(20, 65)), float(rng.uniform(12, 40))
        x, y = (float(v) for v in rng.uniform(-town.half, town.half, 2))
        turn = float(rng.uniform(0, 180))
        lot = Box(x, y, long + 26, wide + 24, turn)
        ground = lot.polygon()
        if any(ground.intersects(other) for other in taken):
            continue
        taken.append(ground)
        fate = town.fate()
        since, until = fate or (ALWAYS, NEVER)
        paved = town.pick(("asphalt", "old asphalt", "concrete", "old concrete", "packed"))
        recent = since == AFTER
        things.append(
            _surface(
                lot, paved, "clearing" if recent else None, town.name("clearing") if recent else "", since
            )
        )
        if fate is None:
            continue
        name, hall = town.name("building"), Box(*lot.point(0, 0.12), long, wide, turn)
        things.append(
            Thing(hall, "roof", town.pick(_FLAT), float(rng.uniform(4, 14)), "building", name, since, until)
        )
        if town.resolution <= 1.2:
            row = Box(*lot.point(0, -0.42), long, 6, turn)
            things += parked(
                rng, row, _DATES[1:] if recent else _DATES, int(long / 3), float(rng.uniform(0.2, 0.8))
            )
    return things


def _free(town: Town, taken: list[BaseGeometry], long: float, wide: float) -> Box | None:
    """Room for a box, or None after 12 tries."""
    rng = town.rng
    for _ in range(12):
        x, y = (float(v) for v in rng.uniform(-0.95 * town.half, 0.95 * town.half, 2))
        plot = Box(x, y, max(long, wide), min(long, wide), float(rng.uniform(0, 180)))
        ground = plot.polygon()
        if not any(ground.intersects(other) for other in taken):
            taken.append(ground)
            return plot
    return None


def _works(town: Town, taken: list[BaseGeometry]) -> list[Thing]:
    """Graded ground, banks, haul roads and machines of a building site."""
    rng, things = town.rng, []
    for kind in rng.choice(
        ["clearing", "earthwork", "road", "equipment", "none"], size=int(rng.integers(1, 4))
    ):
        scale = max(1.0, town.resolution / 1.2)
        plot = _free(town, taken, float(rng.uniform(20, 50)) * scale, float(rng.uniform(12, 30)) * scale)
        if plot is None or kind == "none":
            continue
        name = town.name(str(kind))
        if kind == "clearing":
            things.append(
                _surface(
                    plot, town.pick(("graded", "fill", "soil", "red soil", "gravel")), "clearing", name, AFTER
                )
            )
        elif kind == "earthwork":
            bank = Path(
                (plot.point(-0.5, 0), plot.point(0.5, 0), plot.point(0.5, 0.5)),
                float(rng.uniform(3, 6)) * scale,
            )
            things.append(
                Thing(
                    bank,
                    "berm",
                    town.pick(("fill", "topsoil", "red soil")),
                    float(rng.uniform(1.5, 4)),
                    "earthwork",
                    name,
                    AFTER,
                )
            )
        elif kind == "road":
            ends = tuple(plot.point(u, float(rng.uniform(-0.3, 0.3))) for u in (-1.0, -0.4, 0.3, 1.0))
            way = curve(ends, float(rng.uniform(3.5, 8)) * scale**0.5)
            things.append(_surface(way, town.pick(_STREETS), "road", name, AFTER))
        elif town.resolution <= 1.6:
            yard = Box(plot.x, plot.y, 18, 9.5, plot.turn)
            things += machines(rng, name, yard, (1, 4), AFTER)
    return things


def _woods(town: Town) -> list[Thing]:
    things, rng = [], town.rng
    for _ in range(int(rng.choice([0, 0, 1, 2, 4]))):
        x, y = (float(v) for v in rng.uniform(-town.half, town.half, 2))
        long, wide = (float(v) for v in rng.uniform(0.3, 1.6, 2) * town.half)
        plot = Box(x, y, long, wide, float(rng.uniform(0, 180)))
        cut = rng.random() < 0.12
        until = AFTER if cut else NEVER
        things.append(
            Thing(plot, "wood", str(rng.choice(["wood", "tree"])), float(rng.uniform(5, 14)), until=until)
        )
    return things


def _fields(town: Town) -> list[Thing]:
    """Fields that are sown, ripe or ploughed by turns; nobody built anything there."""
    things, rng = [], town.rng
    crops = ("crop", "young crop", "stubble", "fallow", "topsoil", "meadow")
    for _ in range(int(rng.choice([0, 1, 2, 3]))):
        x, y = (float(v) for v in rng.uniform(-town.half, town.half, 2))
        plot = Box(x, y, float(rng.uniform(40, 140)), float(rng.uniform(25, 80)), float(rng.uniform(0, 180)))
        then, now = (town.pick(crops) for _ in range(2))
        things.append(Thing(plot, "field", then, 0.2, until=AFTER))
        things.append(Thing(plot, "field", now, 0.2, since=AFTER))
    return things


def _trees(town: Town, taken: list[BaseGeometry]) -> list[Thing]:
    """Single trees and lorries here and there; a tree may fall or grow between the dates."""
    rng, things = town.rng, []
    area = (2 * town.half) ** 2 / 1e4
    for _ in range(int(rng.poisson(min(area * rng.choice([2, 8, 20]), 150)))):
        x, y = (float(v) for v in rng.uniform(-town.half, town.half, 2))
        size, chance = float(rng.uniform(2.5, 9)), rng.random()
        since, until = (
            (ALWAYS, AFTER) if chance < 0.04 else (AFTER, NEVER) if chance < 0.08 else (ALWAYS, NEVER)
        )
        things.append(
            Thing(
                Box(x, y, size, size),
                "tree",
                str(rng.choice(["tree", "wood"])),
                size,
                since=since,
                until=until,
            )
        )
    if town.resolution <= 1.5:
        for date, end in ((BEFORE, AFTER), (AFTER, NEVER)):
            for _ in range(int(rng.poisson(0.6))):
                x, y = (float(v) for v in rng.uniform(-town.half, town.half, 2))
                things.append(lorry(rng, (x, y, float(rng.uniform(0, 180))), date, end))
    return things
