"""Clouds over a made image, and their shadows on the ground."""

from __future__ import annotations

from math import radians, tan

import numpy as np

from pipeline.simulate.light import Sun
from pipeline.simulate.noise import Array, fractal

OPAQUE = 0.5  # share of the ground's light that is lost: what lies below cannot be seen
_WHITE = np.array([0.62, 0.60, 0.60, 0.58])  # reflectance of a thick cloud, blue to near infrared
_HEIGHT = 0.35  # of the scene's width: low, so that shadows fall within it
_SHADE = 0.6  # share of the light that a thick cloud's shadow takes


def clouds(rng: np.random.Generator, shape: tuple[int, int], step: float, share: float) -> Array:
    """How thick the clouds are, 0..1 (y, x), over about `share` of the image; `step`: metres a pixel."""
    width = max(shape) * step
    field = fractal(rng, shape, step, 3.0, width / 3, shortest=3 * step)
    return np.clip((field - np.quantile(field, 1 - share)) / 0.35, 0, 1)


def clouded(light: Array, thick: Array, sun: Sun) -> Array:
    """Light (band, y, x) with clouds before it and their shadows on it."""
    shadowed = light * (1 - _SHADE * cast(thick, sun))
    return np.asarray(shadowed * (1 - thick) + _WHITE[:, None, None] * thick)


def cast(thick: Array, sun: Sun) -> Array:
    """The clouds that stand before the sun at each pixel, as thick as they are."""
    away = _HEIGHT * max(thick.shape) / tan(radians(max(sun.elevation, 15.0)))
    east, north, _ = sun.towards
    flat = max(float(np.hypot(east, north)), 1e-6)
    move = round(north / flat * away), round(-east / flat * away)
    return np.roll(thick, move, axis=(0, 1))
