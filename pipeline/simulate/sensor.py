"""Air and sensor: haze, the blur of optics and detector, gain, noise, and the counts that are delivered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from pipeline.simulate.noise import Array, blurred

_PATH: Final = np.array(
    [0.060, 0.036, 0.022, 0.010]
)  # reflectance that full haze adds (aerosol ~ wavelength**-1.3)
_LOSS: Final = np.array([0.30, 0.22, 0.17, 0.11])  # share of the contrast that full haze takes


@dataclass(frozen=True)
class Sensor:
    """What lies between the light that leaves the ground and the number in the file."""

    haze: float = 0.1  # 0 clear, 1 thick
    gain: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    offset: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    blur: float = 0.5  # standard deviation of the point spread, image pixels
    noise: float = (
        0.0012  # standard deviation in reflectance at 0.25 (shot noise: grows as the root of the signal)
    )
    quantum: float = 0.0004  # reflectance of one step of the delivered numbers


def through_air(light: Array, sensor: Sensor, pixel: int) -> Array:
    """Reflectance at the sensor from that at the ground, (band, y, x); an image pixel is `pixel` drawn ones.

    Haze adds path light, takes contrast and scatters a little of each pixel's light into those around it.
    """
    keep = 1 - sensor.haze * _LOSS
    glow = sensor.haze * 0.5 * (1 - keep)
    out = np.empty_like(light)
    for b, band in enumerate(light):
        sharp = blurred(band, sensor.blur * pixel)
        around = float(band.mean())
        out[b] = keep[b] * sharp + glow[b] * around + sensor.haze * _PATH[b]
    return out


def measured(light: Array, sensor: Sensor, rng: np.random.Generator) -> Array:
    """Numbers as delivered, still in reflectance: gain and offset, noise, quantised."""
    gain, offset = (np.array(v)[:, None, None] for v in (sensor.gain, sensor.offset))
    noise = sensor.noise * np.sqrt(np.maximum(light, 0.01) / 0.25) * rng.standard_normal(light.shape)
    value = np.clip(light * gain + offset + noise, sensor.quantum, 1)
    return np.asarray(np.round(value / sensor.quantum) * sensor.quantum)
