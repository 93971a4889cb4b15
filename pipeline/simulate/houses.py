"""Draws what towns are made of: pitched roofs, yards, woods."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipeline.simulate.materials import MATERIALS
from pipeline.simulate.noise import Array, fractal
from pipeline.simulate.patch import Patch, rng_of
from pipeline.simulate.shapes import Box
from pipeline.simulate.things import Thing


def _tinted(patch: Patch, thing: Thing, cover: Array, spread: float) -> None:
    """Cover with a material whose colour is this thing's own: lighter or darker, a little off in hue."""
    rng, material = rng_of(thing), MATERIALS[thing.material]
    tint = np.exp(rng.normal(0, spread) + rng.normal(0, spread / 4, 4))
    own = tuple(float(value) for value in np.clip(material.colour * tint, 0.01, 0.9))
    patch.lay(replace(material, spectrum=(own[0], own[1], own[2], own[3])), cover)


def _pitched(patch: Patch, thing: Thing, rise: Array) -> None:
    """A roof that rises above its eaves: its slopes are shaded, wings that cross join at valleys."""
    _tinted(patch, thing, patch.cover, 0.18)
    np.maximum(patch.blocks, thing.height * patch.cover, out=patch.blocks)
    within = patch.cover > 0.5
    patch.relief[within] = np.maximum(patch.relief, patch.level + rise)[within]


def hip_roof(patch: Patch, thing: Thing) -> None:
    """Four slopes, all of one pitch."""
    _pitched(patch, thing, _pitch(thing) * np.clip(patch.inside, 0, None))


def gable_roof(patch: Patch, thing: Thing) -> None:
    """Two slopes from a ridge along the long side."""
    assert isinstance(thing.shape, Box)
    _, across = thing.shape.axes(patch.x, patch.y)
    _pitched(patch, thing, _pitch(thing) * (thing.shape.width / 2 - np.abs(across)).clip(0))


def _pitch(thing: Thing) -> float:
    return float(rng_of(thing).uniform(0.25, 0.6))


def yard(patch: Patch, thing: Thing) -> None:
    """Lawn, bare soil or paving around a house, each its own shade."""
    patch.fell()
    _tinted(patch, thing, 0.9 * patch.cover, 0.15)


def wood(patch: Patch, thing: Thing) -> None:
    """Closed forest: crowns of some metres side by side."""
    rng, width = rng_of(thing), max(3.5, 2 * patch.step)
    crowns = fractal(rng, patch.x.shape, patch.step, 0.5, 2.5 * width, shortest=0.7 * width)
    patch.lay(MATERIALS[thing.material], patch.cover * np.clip(1.1 + 0.2 * crowns, 0, 1))
    patch.reflectance *= 1 + 0.25 * patch.cover * np.clip(crowns, -2, 1.5)
    np.maximum(patch.blocks, patch.cover * thing.height * np.clip(0.8 + 0.2 * crowns, 0, 2), out=patch.blocks)
