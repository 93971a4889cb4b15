"""Lots along a street: houses with their gardens, driveways, sheds and cars."""

from __future__ import annotations

import numpy as np
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry
from shapely.prepared import prep

from pipeline.simulate.groups import car
from pipeline.simulate.layout import AFTER, BEFORE
from pipeline.simulate.shapes import Box, Path
from pipeline.simulate.things import ALWAYS, NEVER, Form, Thing
from pipeline.simulate.town import BARE, FLAT, SHINGLES, YARDS, Town


def lots(town: Town, street: Path, taken: list[BaseGeometry]) -> list[Thing]:
    """Houses along both sides of a street."""
    rng, things = town.rng, []
    pitch, depth = float(rng.uniform(15, 26)), float(rng.uniform(22, 30))
    roofs = tuple(town.pick(SHINGLES) for _ in range(3))
    bare, lawn = town.pick(BARE), town.pick(YARDS)
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
    garden = lawn if rng.random() < 0.7 else town.pick(YARDS)
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
        form, roof = "roof", town.pick(FLAT)
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
            Thing(shed, "roof", town.pick(FLAT), 2.5, "building", town.name("building"), since, until)
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
