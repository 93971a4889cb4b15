"""Sunlight on a height field: Lambertian shading, cast shadows, and the blue sky that fills them."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, cos, radians, sin, tan
from typing import Final

import numpy as np

from pipeline.simulate.noise import Array

# Share of the light on level ground that comes from the sky, clear air (Bird and Riordan 1986), blue to nir.
SKY_SHARE: Final = np.array([0.27, 0.19, 0.135, 0.085])
_FARTHEST = 400  # steps of the ray at most; only hills reach farther, and their slopes are shaded anyway


@dataclass(frozen=True)
class Sun:
    """Where the sun stands, degrees: elevation above the horizon, azimuth clockwise from north."""

    elevation: float
    azimuth: float

    @property
    def towards(self) -> tuple[float, float, float]:
        """Unit vector to the sun: east, north, up."""
        flat, az = cos(radians(self.elevation)), radians(self.azimuth)
        return flat * sin(az), flat * cos(az), sin(radians(self.elevation))


def shadow(height: Array, step: float, sun: Sun) -> Array:
    """Share of the direct sun that is blocked, 0..1: a ray to the sun marched over `height` (y, x).

    Row 0 is north; `step` is the pixel in metres; nothing blocks from off the rim. Heights are those of pixel
    centres, so that an upright side's shadow starts, and ends, half a pixel short.
    """
    east, north, up = sun.towards
    major = max(abs(east), abs(north))
    rise = up / major * step  # the ray climbs this much each time it moves one pixel along its main axis
    move_cols, move_rows = east / major, -north / major
    steps = min(ceil(float(np.ptp(height)) / rise) + 1, _FARTHEST)
    excess = np.full(height.shape, -np.inf)
    for n in range(1, steps + 1):
        seen = _moved(height, move_rows * n, move_cols * n)
        np.maximum(excess, seen - (height + rise * n), out=excess)
    edge = step * tan(radians(sun.elevation))  # one pixel of penumbra
    return np.asarray(np.clip(0.5 + excess / edge, 0, 1))


def _moved(field: Array, rows: float, cols: float) -> Array:
    """`field` at (row + rows, col + cols), one of them whole, linear between pixels, far below outside."""
    low_row, low_col = int(np.floor(rows + 1e-9)), int(np.floor(cols + 1e-9))
    part_row, part_col = max(rows - low_row, 0.0), max(cols - low_col, 0.0)
    near = _rolled(field, low_row, low_col)
    if part_row < 1e-6 and part_col < 1e-6:
        return near
    far = _rolled(field, low_row + (part_row >= 1e-6), low_col + (part_col >= 1e-6))
    share = max(part_row, part_col)
    return near * (1 - share) + far * share


def _rolled(field: Array, rows: int, cols: int) -> Array:
    """`field` at (row + rows, col + cols) for whole moves, -1e9 outside."""
    height, width = field.shape
    out = np.full(field.shape, -1e9)
    to_rows = slice(max(-rows, 0), min(height - rows, height))
    to_cols = slice(max(-cols, 0), min(width - cols, width))
    if to_rows.start < to_rows.stop and to_cols.start < to_cols.stop:
        out[to_rows, to_cols] = field[
            to_rows.start + rows : to_rows.stop + rows, to_cols.start + cols : to_cols.stop + cols
        ]
    return out


def illumination(relief: Array, blocks: Array, step: float, sun: Sun) -> Array:
    """Light on each pixel by band (4, y, x), 1 = open level ground.

    `relief` (metres) is ground that its slope shades; `blocks` stand on it with upright sides that only cast
    shadow. The sky's share falls with the slope.
    """
    north_slope, east_slope = np.gradient(relief, step)
    north_slope = -north_slope  # rows run south
    east, north, up = sun.towards
    facing = (up - east * east_slope - north * north_slope) / np.sqrt(1 + east_slope**2 + north_slope**2)
    direct = np.maximum(facing, 0) / up * (1 - shadow(relief + blocks, step, sun))
    sky = 0.5 + 0.5 / np.sqrt(1 + east_slope**2 + north_slope**2)
    share = SKY_SHARE[:, None, None]
    return np.asarray((1 - share) * direct + share * sky)
