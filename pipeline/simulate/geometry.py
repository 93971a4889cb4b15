"""How far an image is off the ground, exactly: a constant shift and a few long waves, in metres."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import cos, pi, radians, sin
from typing import Any

import numpy as np

from pipeline.simulate.noise import Array


@dataclass(frozen=True)
class Wave:
    """A displacement of `amplitude` metres towards `heading`: a sine that repeats each `wavelength` metres.

    It runs in the direction `along`. Angles in degrees counter-clockwise from east.
    """

    amplitude: float
    wavelength: float
    along: float
    heading: float
    phase: float = 0.0


@dataclass(frozen=True)
class Shift:
    """What lies at ground point (x, y) is seen at (x, y) + at(x, y); metres east and north of the centre."""

    east: float = 0.0
    north: float = 0.0
    waves: tuple[Wave, ...] = ()

    def at(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Displacement (dx, dy) in metres of the ground point (x, y)."""
        dx, dy = np.full(np.shape(x), self.east), np.full(np.shape(x), self.north)
        for wave in self.waves:
            along = x * cos(radians(wave.along)) + y * sin(radians(wave.along))
            size = wave.amplitude * np.sin(2 * pi * along / wave.wavelength + radians(wave.phase))
            dx, dy = dx + size * cos(radians(wave.heading)), dy + size * sin(radians(wave.heading))
        return dx, dy

    def reach(self) -> float:
        """The farthest that anything is moved, metres."""
        return max(abs(self.east), abs(self.north)) + sum(abs(wave.amplitude) for wave in self.waves)

    def ground(self, x: Array, y: Array) -> tuple[Array, Array]:
        """The ground point that is seen at (x, y): the inverse, by fixed point (gentle waves contract)."""
        at_x, at_y = x, y
        for _ in range(8):
            dx, dy = self.at(at_x, at_y)
            at_x, at_y = x - dx, y - dy
        return at_x, at_y

    def as_dict(self) -> dict[str, Any]:
        """The coefficients, for JSON."""
        return asdict(self)


def shift_between(before: Shift, after: Shift, x: Array, y: Array) -> tuple[Array, Array]:
    """The pair's shift field: what is seen at (x, y) in `before` is seen at (x + dx, y + dy) in `after`."""
    ground_x, ground_y = before.ground(x, y)
    (ax, ay), (bx, by) = after.at(ground_x, ground_y), before.at(ground_x, ground_y)
    return ax - bx, ay - by
