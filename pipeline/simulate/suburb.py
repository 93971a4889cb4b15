"""Random towns: streets lined with houses, blocks, sheds, car parks, gardens, woods; built up by and by.

What becomes of a lot differs: some houses stand on both dates, some are built between them, some are torn
down, some lots stay bare. Lawns, driveways and trees come with the house, and are no findings of their own.
"""

from __future__ import annotations

import numpy as np
from shapely.geometry.base import BaseGeometry

from pipeline.simulate.groups import lorry, machines, parked, traffic
from pipeline.simulate.layout import AFTER, BEFORE
from pipeline.simulate.lots import lots
from pipeline.simulate.shapes import Box, Path, curve
from pipeline.simulate.things import ALWAYS, NEVER, Thing
from pipeline.simulate.town import DATES, FLAT, GROWTH, STREETS, Town, surface


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
        things += lots(town, street, taken)
    things += _trees(town, taken)
    if growth != "quiet":
        things += _works(town, taken)
    return things


def _street_net(town: Town) -> list[Thing]:
    """Parallel bent streets and one that joins them; a new estate's may be new themselves."""
    rng, far = town.rng, 1.5 * town.half
    bearing, gap = rng.uniform(0, np.pi), rng.uniform(52, 90)
    material, width = town.pick(STREETS), float(rng.uniform(5, 10))
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
        things.append(surface(street, material, "road" if new else None, name, AFTER if new else ALWAYS))
        if not new and town.resurfaced and rng.random() < town.resurfaced:
            things.append(surface(street, town.pick(STREETS), None, "", AFTER))
        if rng.random() < 0.5 and town.resolution <= 1:
            things.append(Thing(Path(street.points, 0.4), "surface", "paint", since=AFTER if new else ALWAYS))
        town.streets.append(street)
        if town.resolution <= 2:
            things += traffic(rng, street, DATES[1:] if new else DATES, 3, 0.1)
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
            surface(
                lot, paved, "clearing" if recent else None, town.name("clearing") if recent else "", since
            )
        )
        if fate is None:
            continue
        name, hall = town.name("building"), Box(*lot.point(0, 0.12), long, wide, turn)
        things.append(
            Thing(hall, "roof", town.pick(FLAT), float(rng.uniform(4, 14)), "building", name, since, until)
        )
        if town.resolution <= 1.2:
            row = Box(*lot.point(0, -0.42), long, 6, turn)
            things += parked(
                rng, row, DATES[1:] if recent else DATES, int(long / 3), float(rng.uniform(0.2, 0.8))
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
                surface(
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
            things.append(surface(way, town.pick(STREETS), "road", name, AFTER))
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
