"""Bare arid ground: gentle relief cut by erosion channels, patches of soil and gravel, scattered scrub."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from pipeline.simulate.canvas import Canvas, Frame
from pipeline.simulate.drainage import upstream_cells
from pipeline.simulate.materials import MATERIALS
from pipeline.simulate.noise import Array, blurred, displaced, fractal, resized, ridged


@dataclass(frozen=True)
class GroundStyle:
    """How the ground looks; the defaults are the steppe beside the Euphrates."""

    relief: float = 0.006  # standard deviation of the hills, as a share of the scene's size
    tilt: float = 0.02  # slope of the whole plain, metres a metre
    downhill: float = 60.0  # where the plain falls to, degrees counter-clockwise from east
    channels: float = 1.0  # depth of the erosion channels, 1 = about a metre in the largest
    gravel: float = 0.45  # share of the ground that is dark gravel rather than soil
    scrub: float = 0.006  # bushes a square metre
    soils: tuple[str, str, str] = ("soil", "gravel", "silt")  # common, patches, channel beds
    cells: int = 160  # cells a side on which the water is routed


def make_ground(rng: np.random.Generator, frame: Frame, style: GroundStyle) -> Canvas:
    """Ground to draw on. The same for every date that starts from the same `rng` state and frame."""
    shape, step = frame.shape, frame.step
    size = max(shape) * step
    fine = 0.75 * fractal(rng, shape, step, 0.8, 12 * step, shortest=1.0 * step)
    fine += 0.65 * fractal(rng, shape, step, 1.6, 40 * step, shortest=2 * step)
    coarse = fractal(rng, shape, step, 2.4, size / 6, shortest=4 * step)
    relief = _hills(rng, frame, style, size)
    channel = _channels(rng, relief, style)
    rills = ridged(coarse, 0.05) * np.clip(fractal(rng, shape, step, 3, size / 4), 0, 1)
    relief = relief - style.channels * (1.1 * channel + 0.10 * rills) * min(1.0, 2 * size / 330)
    relief += 0.016 * min(step / 0.25, 4) * blurred(fine, 1.0) + 0.05 * blurred(coarse, 1.0 / step)
    reflectance = _soil(rng, frame, style, (fine, coarse), np.clip(channel + 0.35 * rills, 0, 1))
    canvas = Canvas(frame, reflectance, relief, blurred(relief, 6 / step if step < 2 else 3.0), fine, coarse)
    _scatter_scrub(rng, canvas, style, channel)
    return canvas


def _hills(rng: np.random.Generator, frame: Frame, style: GroundStyle, size: float) -> Array:
    """The plain's tilt and its low hills, metres."""
    x, y = frame.axes()
    angle = np.radians(style.downhill)
    plain = -style.tilt * (x[None, :] * np.cos(angle) + y[:, None] * np.sin(angle))
    hills = fractal(rng, frame.shape, frame.step, 4.3, size * 0.6)
    return np.asarray(plain + 0.5 * style.relief * size * hills)


def _channels(rng: np.random.Generator, relief: Array, style: GroundStyle) -> Array:
    """Where water has cut the ground, 0..1: rivulets that join into wider beds."""
    shape = relief.shape
    rows, cols = (max(round(n * style.cells / max(shape)), 8) for n in shape)
    cells = (rows, cols)
    rough = fractal(rng, cells, 1.0, 2.0, cells[0] / 3)
    coarse = resized(blurred(relief, shape[0] / cells[0] / 2), cells)
    flow = np.log2(upstream_cells(coarse + 0.12 * np.std(coarse) * rough))
    cut = np.zeros(cells)
    for below, wide, deep in ((10.0, 0.6, 0.18), (8.0, 0.9, 0.3), (6.0, 1.4, 0.5), (4.5, 2.2, 0.7)):
        least = np.log2(cut.size) - below
        cut += deep * blurred(np.clip(flow - least, 0, 1), wide) * (1 + wide)
    scale = shape[0] / cells[0]
    bend = [1.8 * scale * fractal(rng, shape, 1.0, 3.0, 30 * scale, shortest=7 * scale) for _ in range(2)]
    return np.clip(displaced(resized(cut, shape), *bend), 0, 1)


def _soil(
    rng: np.random.Generator, frame: Frame, style: GroundStyle, texture: tuple[Array, Array], channel: Array
) -> Array:
    """Reflectance (band, y, x) of soil, gravel and channel silt mixed in patches."""
    size, (fine, coarse) = max(frame.shape) * frame.step, texture
    patches = fractal(rng, frame.shape, frame.step, 2.6, size / 2, shortest=2 * frame.step)
    gravel = 1 / (1 + np.exp(-2.2 * (patches + 0.5 * coarse + 0.25 * fine - 1.2 * (0.5 - style.gravel))))
    tint = fractal(rng, frame.shape, frame.step, 2.2, size / 3, shortest=3 * frame.step)
    mix = [MATERIALS[name].reflectance(fine, coarse) for name in style.soils]
    out = mix[0] * (1 - gravel) + mix[1] * gravel
    silt = np.clip(1.2 * channel * (1 + 0.25 * coarse), 0, 0.9)
    out = out * (1 - silt) + mix[2] * silt
    redder = np.array([-0.020, -0.006, 0.008, 0.012])[:, None, None]
    return np.asarray(out * (1 + redder * tint))


def _scatter_scrub(rng: np.random.Generator, canvas: Canvas, style: GroundStyle, channel: Array) -> None:
    """Bushes of a metre or so, more of them along the channels; below the pixel they only darken it."""
    step, shape = canvas.frame.step, canvas.frame.shape
    likely = style.scrub * (0.35 + 3.0 * np.clip(channel * 2.5, 0, 1) + 0.5 * np.clip(canvas.coarse, 0, 2))
    plants = rng.poisson(np.clip(likely, 0, None) * step * step).astype(np.float64)
    radius = max(0.5 / step, 0.35)
    cover = np.zeros(shape)
    for scale in (0.7, 1.0, 1.5):
        chosen = plants * (rng.random(shape) < 0.4)
        area = 2 * np.pi * (radius * scale) ** 2
        cover += ndimage.gaussian_filter(chosen, radius * scale) * min(area, (scale / step) ** 2 * 2.2)
    cover = np.clip(cover, 0, 0.9)
    bush = MATERIALS["scrub"].reflectance(canvas.fine, canvas.coarse)
    canvas.reflectance = canvas.reflectance * (1 - cover) + bush * cover
    canvas.relief = canvas.relief + 0.45 * cover * min(1.0, 1 / step)
