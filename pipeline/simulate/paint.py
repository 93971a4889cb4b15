"""Draws things on a canvas: each form changes heights and reflectance within its footprint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final
from zlib import crc32

import numpy as np

from pipeline.simulate.canvas import Canvas
from pipeline.simulate.materials import MATERIALS, Material
from pipeline.simulate.noise import Array, blurred, fractal
from pipeline.simulate.shapes import Box, Path
from pipeline.simulate.things import Form, Thing

_RAGGED: Final = {
    "surface": 0.35,
    "field": 0.3,
    "berm": 0.22,
    "rubble": 1.2,
    "track": 0.2,
    "yard": 0.15,
    "wood": 2.0,
}  # metres of edge wander
_LAYERS: Final[tuple[Form, ...]] = (  # drawn in this order
    "track",
    "field",
    "wood",
    "yard",
    "surface",
    "rubble",
    "berm",
    "wall",
    "bare walls",
    "roof",
    "hip roof",
    "gable roof",
    "tree",
    "vehicle",
)


@dataclass
class _Patch:
    """The part of a canvas that a thing touches; arrays are views, so writing to them draws."""

    reflectance: Array
    relief: Array
    level: Array
    blocks: Array
    fine: Array
    coarse: Array
    x: Array
    y: Array
    step: float
    inside: Array  # metres to the footprint's edge, positive inside
    cover: Array  # share of each pixel that the footprint covers

    def lay(self, material: Material, cover: Array, brightness: float = 1.0) -> None:
        """Cover the ground with a material."""
        colour = brightness * material.reflectance(self.fine, self.coarse)
        self.reflectance[:] = self.reflectance * (1 - cover) + colour * cover

    def grade(self, cover: Array, share: float) -> None:
        """Level the ground towards its smoothed self."""
        self.relief[:] = self.relief + cover * share * (self.level - self.relief)

    def fell(self) -> None:
        """Take away the trees that stand on it."""
        self.blocks *= 1 - self.cover

    def cut_to(self, height: float, cover: Array) -> None:
        """Bring the relief to one height, as under a floor slab."""
        self.relief[:] = self.relief * (1 - cover) + height * cover


def paint(canvas: Canvas, things: tuple[Thing, ...], date: str) -> None:
    """Draw on `canvas` all things that stand on `date`, lowest layer first, else in the order given."""
    for form in _LAYERS:
        for thing in things:
            if thing.form == form and thing.stands(date):
                patch = _patch(canvas, thing)
                if patch is not None and patch.cover.max() > 0:
                    _FORMS[form](patch, thing)


def _patch(canvas: Canvas, thing: Thing) -> _Patch | None:
    """What `thing` touches of the canvas; None where it lies outside."""
    frame = canvas.frame
    rows, cols = frame.window(thing.shape.polygon().bounds, 2.0 + 2 * frame.step)
    if rows.start >= rows.stop or cols.start >= cols.stop:
        return None
    axis_x, axis_y = frame.axes()
    x, y = np.meshgrid(axis_x[cols], axis_y[rows])
    fine, coarse = canvas.fine[rows, cols], canvas.coarse[rows, cols]
    wander = _RAGGED.get(thing.form, 0.0) * (0.8 * coarse + 0.35 * fine)
    inside = wander - thing.shape.distance(x, y)
    thin = min(1.0, thing.shape.thickness() / frame.step)
    cover = np.clip(0.5 + inside / frame.step, 0, 1) * thin
    return _Patch(
        canvas.reflectance[:, rows, cols],
        canvas.relief[rows, cols],
        canvas.level[rows, cols],
        canvas.blocks[rows, cols],
        fine,
        coarse,
        x,
        y,
        frame.step,
        inside,
        cover,
    )


def _rng(thing: Thing) -> np.random.Generator:
    """Of a thing's own details: from its footprint, so that they stay from date to date."""
    return np.random.default_rng(crc32(repr(thing.shape).encode()))


def _surface(patch: _Patch, thing: Thing) -> None:
    """Graded or paved ground, with a low windrow along its edge where it is earth."""
    patch.grade(patch.cover, 0.85)
    patch.fell()
    patch.lay(MATERIALS[thing.material], patch.cover)
    if thing.material in ("graded", "packed"):
        patch.relief += 0.22 * np.exp(-((patch.inside / 0.6) ** 2))
    if isinstance(thing.shape, Path) and thing.shape.width > 3:
        centre = thing.shape.centre_distance(patch.x, patch.y)
        ruts = np.exp(-(((centre - 0.25 * thing.shape.width) / 0.5) ** 2)) * patch.cover
        patch.reflectance *= 1 + (0.05 if "asphalt" not in thing.material else -0.06) * ruts


def _field(patch: _Patch, thing: Thing) -> None:
    """A field: rows along its long side, patches that thrive and fail, a low bund around it."""
    assert isinstance(thing.shape, Box)
    rng = _rng(thing)
    along, across = thing.shape.axes(patch.x, patch.y)
    patch.grade(patch.cover, 0.9)
    vigour = fractal(rng, patch.x.shape, patch.step, 2.2, 30.0, shortest=1.0)
    rows = np.sin(2 * np.pi * across / 1.5 + 0.15 * along + 0.3 * patch.coarse)
    seen = 0.10 if patch.step < 0.8 else 0.0  # rows are finer than coarse pixels
    bare = np.clip(0.10 + 0.13 * vigour + seen * rows, 0, 0.8)
    patch.lay(MATERIALS[thing.material], patch.cover * (1 - bare))
    patch.lay(MATERIALS["fallow"], patch.cover * bare * 0.6)
    patch.relief += 0.25 * np.exp(-((patch.inside / 0.5) ** 2)) + patch.cover * thing.height


def _track(patch: _Patch, thing: Thing) -> None:
    """Two ruts worn by wheels; one faint line where the pixel is coarser."""
    assert isinstance(thing.shape, Path)
    centre = thing.shape.centre_distance(patch.x, patch.y)
    gauge, rut = 0.85, max(0.35, patch.step * 0.5)
    worn = np.exp(-(((centre - gauge) / rut) ** 2)) + 0.35 * (centre < thing.shape.width / 2)
    strength = np.clip(worn * (0.6 + 0.3 * patch.coarse), 0, 0.85) * min(1.0, 1.0 / patch.step)
    patch.lay(MATERIALS[thing.material], strength)
    patch.relief -= 0.06 * strength


def _berm(patch: _Patch, thing: Thing) -> None:
    """A bank of earth: sloping sides, a rounded uneven crest, spill at its foot."""
    half = thing.shape.thickness() / 2
    rise = np.clip(patch.inside / half, 0, 1)
    crest = 1 + 0.05 * patch.coarse + 0.015 * patch.fine
    patch.relief += thing.height * crest * np.sin(rise * np.pi / 2) ** 1.2
    spill = np.clip(0.5 + (patch.inside + 0.5) / 1.4, 0, 1) * min(1.0, 2 * half / patch.step)
    patch.lay(MATERIALS[thing.material], np.clip(spill, 0, 1))


def _wall(patch: _Patch, thing: Thing) -> None:
    patch.lay(MATERIALS[thing.material], patch.cover)
    np.maximum(patch.blocks, thing.height * patch.cover, out=patch.blocks)


def _bare_walls(patch: _Patch, thing: Thing) -> None:
    """A shell: walls round the edge and across, the floor open to the sky."""
    assert isinstance(thing.shape, Box)
    _slab(patch)
    patch.lay(MATERIALS["old concrete"], patch.cover, 0.9)
    along, _ = thing.shape.axes(patch.x, patch.y)
    rooms = max(int(thing.shape.length // 5), 1)
    to_partition = np.abs((along / thing.shape.length * rooms + 0.5 * (rooms % 2)) % 1 - 0.5)
    partition = (0.5 - to_partition) * 2 * thing.shape.length / rooms / 2
    edge = np.minimum(patch.inside, np.where(patch.inside > 0, partition, np.inf))
    thick = max(0.5, 1.5 * patch.step)
    walls = np.clip(0.5 + (thick - edge) / patch.step, 0, 1) * patch.cover
    patch.lay(MATERIALS[thing.material], walls)
    np.maximum(patch.blocks, thing.height * walls, out=patch.blocks)


def _slab(patch: _Patch) -> None:
    inner = patch.cover > 0.5
    patch.cut_to(float(patch.relief[inner].mean()) if inner.any() else 0.0, patch.cover)


def _roof(patch: _Patch, thing: Thing) -> None:
    """A building: a flat roof with parapet and fittings, or a low gable of metal sheet."""
    assert isinstance(thing.shape, Box)
    material = MATERIALS[thing.material]
    _slab(patch)
    np.maximum(patch.blocks, thing.height * patch.cover, out=patch.blocks)
    patch.lay(material, patch.cover)
    if thing.material in ("metal roof", "blue roof", "rust roof"):
        _, across = thing.shape.axes(patch.x, patch.y)
        patch.relief += patch.cover * 0.22 * (thing.shape.width / 2 - np.abs(across)).clip(0)
        return
    parapet = np.clip(0.5 + (0.45 - np.abs(patch.inside - 0.3)) / patch.step, 0, 1) * patch.cover
    if patch.step <= 1:
        patch.lay(MATERIALS["concrete"], 0.6 * parapet, 1.08)
        patch.blocks += 0.5 * parapet
    _fittings(patch, thing)


def _fittings(patch: _Patch, thing: Thing) -> None:
    """Tanks, stair heads and stains on a flat roof."""
    assert isinstance(thing.shape, Box)
    rng = _rng(thing)
    along, across = thing.shape.axes(patch.x, patch.y)
    for _ in range(int(thing.shape.length * thing.shape.width / 45) + 1):
        u = (rng.random() - 0.5) * (thing.shape.length - 3)
        v = (rng.random() - 0.5) * (thing.shape.width - 3)
        side = rng.uniform(0.7, 1.9)
        reach = np.maximum(np.abs(along - u), np.abs(across - v)) - side / 2
        cover = np.clip(0.5 - reach / patch.step, 0, 1) * patch.cover * min(1.0, side / patch.step)
        bright = rng.choice(["white paint", "old concrete", "dark paint"], p=[0.4, 0.4, 0.2])
        patch.lay(MATERIALS[str(bright)], cover * 0.8)
        patch.blocks += cover * rng.uniform(0.6, 2.0)


def _rubble(patch: _Patch, thing: Thing) -> None:
    rng = _rng(thing)
    stones = fractal(rng, patch.x.shape, patch.step, 0.6, 4.0, shortest=0.5)
    patch.lay(MATERIALS[thing.material], patch.cover * np.clip(0.75 + 0.25 * stones, 0, 1))
    patch.reflectance *= 1 + 0.16 * np.clip(stones, -2, 2) * patch.cover
    patch.relief += patch.cover * thing.height * np.clip(0.4 + 0.5 * stones, 0, 2)


def _vehicle(patch: _Patch, thing: Thing) -> None:
    """A body with a darker windscreen and a cab; below the pixel only its share of the colour."""
    assert isinstance(thing.shape, Box)
    along, across = thing.shape.axes(patch.x, patch.y)
    length = thing.shape.length
    patch.lay(MATERIALS[thing.material], patch.cover * 0.95)
    front = along / length
    glass = patch.cover * ((front > 0.24) & (front < 0.34)) * (np.abs(across) < thing.shape.width * 0.42)
    patch.lay(MATERIALS["glass"], 0.8 * glass)
    tall = thing.height * np.where(front < 0.38, 1.0, 0.65)
    np.maximum(patch.blocks, tall * patch.cover, out=patch.blocks)


def _tree(patch: _Patch, thing: Thing) -> None:
    """A crown: round, rough, denser in the middle."""
    assert isinstance(thing.shape, Box)
    radius = thing.shape.length / 2
    away = np.hypot(patch.x - thing.shape.x, patch.y - thing.shape.y) + 0.25 * patch.fine
    crown = np.clip((radius - away) / (0.35 * radius) + 0.3, 0, 1) * min(1.0, (radius / patch.step) ** 2)
    patch.lay(MATERIALS[thing.material], crown * 0.92)
    dome = thing.height * np.sqrt(np.clip(1 - (away / radius) ** 2, 0, 1)) * min(1.0, radius / patch.step)
    np.maximum(patch.blocks, dome * (1 + 0.1 * blurred(patch.fine, 1)), out=patch.blocks)


def _tinted(patch: _Patch, thing: Thing, cover: Array, spread: float) -> None:
    """Cover with a material whose colour is this thing's own: lighter or darker, a little off in hue."""
    rng, material = _rng(thing), MATERIALS[thing.material]
    tint = np.exp(rng.normal(0, spread) + rng.normal(0, spread / 4, 4))
    own = tuple(float(value) for value in np.clip(material.colour * tint, 0.01, 0.9))
    patch.lay(replace(material, spectrum=(own[0], own[1], own[2], own[3])), cover)


def _pitched(patch: _Patch, thing: Thing, rise: Array) -> None:
    """A roof that rises above its eaves: its slopes are shaded, wings that cross join at valleys."""
    _tinted(patch, thing, patch.cover, 0.18)
    np.maximum(patch.blocks, thing.height * patch.cover, out=patch.blocks)
    within = patch.cover > 0.5
    patch.relief[within] = np.maximum(patch.relief, patch.level + rise)[within]


def _hip_roof(patch: _Patch, thing: Thing) -> None:
    """Four slopes, all of one pitch."""
    _pitched(patch, thing, _pitch(thing) * np.clip(patch.inside, 0, None))


def _gable_roof(patch: _Patch, thing: Thing) -> None:
    """Two slopes from a ridge along the long side."""
    assert isinstance(thing.shape, Box)
    _, across = thing.shape.axes(patch.x, patch.y)
    _pitched(patch, thing, _pitch(thing) * (thing.shape.width / 2 - np.abs(across)).clip(0))


def _pitch(thing: Thing) -> float:
    return float(_rng(thing).uniform(0.25, 0.6))


def _yard(patch: _Patch, thing: Thing) -> None:
    """Lawn, bare soil or paving around a house, each its own shade."""
    patch.fell()
    _tinted(patch, thing, 0.9 * patch.cover, 0.15)


def _wood(patch: _Patch, thing: Thing) -> None:
    """Closed forest: crowns of some metres side by side."""
    rng, width = _rng(thing), max(3.5, 2 * patch.step)
    crowns = fractal(rng, patch.x.shape, patch.step, 0.5, 2.5 * width, shortest=0.7 * width)
    patch.lay(MATERIALS[thing.material], patch.cover * np.clip(1.1 + 0.2 * crowns, 0, 1))
    patch.reflectance *= 1 + 0.25 * patch.cover * np.clip(crowns, -2, 1.5)
    np.maximum(patch.blocks, patch.cover * thing.height * np.clip(0.8 + 0.2 * crowns, 0, 2), out=patch.blocks)


_FORMS: Final[dict[Form, Callable[[_Patch, Thing], None]]] = {
    "surface": _surface,
    "field": _field,
    "track": _track,
    "berm": _berm,
    "wall": _wall,
    "bare walls": _bare_walls,
    "roof": _roof,
    "rubble": _rubble,
    "vehicle": _vehicle,
    "tree": _tree,
    "hip roof": _hip_roof,
    "gable roof": _gable_roof,
    "yard": _yard,
    "wood": _wood,
}
