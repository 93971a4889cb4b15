"""Draws things on a canvas: each form changes heights and reflectance within its footprint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from pipeline.simulate.canvas import Canvas
from pipeline.simulate.houses import gable_roof, hip_roof, wood, yard
from pipeline.simulate.materials import MATERIALS
from pipeline.simulate.noise import blurred, fractal
from pipeline.simulate.patch import Patch, patch_of, rng_of
from pipeline.simulate.shapes import Box, Path
from pipeline.simulate.things import Form, Thing

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


def paint(canvas: Canvas, things: tuple[Thing, ...], date: str) -> None:
    """Draw on `canvas` all things that stand on `date`, lowest layer first, else in the order given."""
    for form in _LAYERS:
        for thing in things:
            if thing.form == form and thing.stands(date):
                patch = patch_of(canvas, thing)
                if patch is not None and patch.cover.max() > 0:
                    _FORMS[form](patch, thing)


def _surface(patch: Patch, thing: Thing) -> None:
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


def _field(patch: Patch, thing: Thing) -> None:
    """A field: rows along its long side, patches that thrive and fail, a low bund around it."""
    assert isinstance(thing.shape, Box)
    rng = rng_of(thing)
    along, across = thing.shape.axes(patch.x, patch.y)
    patch.grade(patch.cover, 0.9)
    vigour = fractal(rng, patch.x.shape, patch.step, 2.2, 30.0, shortest=1.0)
    rows = np.sin(2 * np.pi * across / 1.5 + 0.15 * along + 0.3 * patch.coarse)
    seen = 0.10 if patch.step < 0.8 else 0.0  # rows are finer than coarse pixels
    bare = np.clip(0.10 + 0.13 * vigour + seen * rows, 0, 0.8)
    patch.lay(MATERIALS[thing.material], patch.cover * (1 - bare))
    patch.lay(MATERIALS["fallow"], patch.cover * bare * 0.6)
    patch.relief += 0.25 * np.exp(-((patch.inside / 0.5) ** 2)) + patch.cover * thing.height


def _track(patch: Patch, thing: Thing) -> None:
    """Two ruts worn by wheels; one faint line where the pixel is coarser."""
    assert isinstance(thing.shape, Path)
    centre = thing.shape.centre_distance(patch.x, patch.y)
    gauge, rut = 0.85, max(0.35, patch.step * 0.5)
    worn = np.exp(-(((centre - gauge) / rut) ** 2)) + 0.35 * (centre < thing.shape.width / 2)
    strength = np.clip(worn * (0.6 + 0.3 * patch.coarse), 0, 0.85) * min(1.0, 1.0 / patch.step)
    patch.lay(MATERIALS[thing.material], strength)
    patch.relief -= 0.06 * strength


def _berm(patch: Patch, thing: Thing) -> None:
    """A bank of earth: sloping sides, a rounded uneven crest, spill at its foot."""
    half = thing.shape.thickness() / 2
    rise = np.clip(patch.inside / half, 0, 1)
    crest = 1 + 0.05 * patch.coarse + 0.015 * patch.fine
    patch.relief += thing.height * crest * np.sin(rise * np.pi / 2) ** 1.2
    spill = np.clip(0.5 + (patch.inside + 0.5) / 1.4, 0, 1) * min(1.0, 2 * half / patch.step)
    patch.lay(MATERIALS[thing.material], np.clip(spill, 0, 1))


def _wall(patch: Patch, thing: Thing) -> None:
    patch.lay(MATERIALS[thing.material], patch.cover)
    np.maximum(patch.blocks, thing.height * patch.cover, out=patch.blocks)


def _bare_walls(patch: Patch, thing: Thing) -> None:
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


def _slab(patch: Patch) -> None:
    inner = patch.cover > 0.5
    patch.cut_to(float(patch.relief[inner].mean()) if inner.any() else 0.0, patch.cover)


def _roof(patch: Patch, thing: Thing) -> None:
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


def _fittings(patch: Patch, thing: Thing) -> None:
    """Tanks, stair heads and stains on a flat roof."""
    assert isinstance(thing.shape, Box)
    rng = rng_of(thing)
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


def _rubble(patch: Patch, thing: Thing) -> None:
    rng = rng_of(thing)
    stones = fractal(rng, patch.x.shape, patch.step, 0.6, 4.0, shortest=0.5)
    patch.lay(MATERIALS[thing.material], patch.cover * np.clip(0.75 + 0.25 * stones, 0, 1))
    patch.reflectance *= 1 + 0.16 * np.clip(stones, -2, 2) * patch.cover
    patch.relief += patch.cover * thing.height * np.clip(0.4 + 0.5 * stones, 0, 2)


def _vehicle(patch: Patch, thing: Thing) -> None:
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


def _tree(patch: Patch, thing: Thing) -> None:
    """A crown: round, rough, denser in the middle."""
    assert isinstance(thing.shape, Box)
    radius = thing.shape.length / 2
    away = np.hypot(patch.x - thing.shape.x, patch.y - thing.shape.y) + 0.25 * patch.fine
    crown = np.clip((radius - away) / (0.35 * radius) + 0.3, 0, 1) * min(1.0, (radius / patch.step) ** 2)
    patch.lay(MATERIALS[thing.material], crown * 0.92)
    dome = thing.height * np.sqrt(np.clip(1 - (away / radius) ** 2, 0, 1)) * min(1.0, radius / patch.step)
    np.maximum(patch.blocks, dome * (1 + 0.1 * blurred(patch.fine, 1)), out=patch.blocks)


_FORMS: Final[dict[Form, Callable[[Patch, Thing], None]]] = {
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
    "hip roof": hip_roof,
    "gable roof": gable_roof,
    "yard": yard,
    "wood": wood,
}
