"""The part of a canvas that one thing touches, and how it is drawn on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from zlib import crc32

import numpy as np

from pipeline.simulate.canvas import Canvas
from pipeline.simulate.materials import Material
from pipeline.simulate.noise import Array
from pipeline.simulate.things import Thing

_RAGGED: Final = {
    "surface": 0.35,
    "field": 0.3,
    "berm": 0.22,
    "rubble": 1.2,
    "track": 0.2,
    "yard": 0.15,
    "wood": 2.0,
}  # metres of edge wander


@dataclass
class Patch:
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


def patch_of(canvas: Canvas, thing: Thing) -> Patch | None:
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
    return Patch(
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


def rng_of(thing: Thing) -> np.random.Generator:
    """Of a thing's own details: from its footprint, so that they stay from date to date."""
    return np.random.default_rng(crc32(repr(thing.shape).encode()))
