"""What a season does to the ground: plants dry or green, soil is wet or dry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from pipeline.simulate.noise import Array

_STRAW: Final = np.array([0.090, 0.130, 0.160, 0.260])  # blue, green, red, nir of dead grass


@dataclass(frozen=True)
class Season:
    """`dryness`: share of the plants that has turned to straw, 0..1, more in patches. `wetness`: how much
    ground differs in brightness from patch to patch, as a standard deviation of its logarithm.
    """

    dryness: float = 0.0
    wetness: float = 0.0


def in_season(reflectance: Array, patches: Array, season: Season) -> Array:
    """Reflectance (blue, green, red, nir; y, x) as it is in a season; `patches` (y, x) of unit variance."""
    green, red, nir = reflectance[1], reflectance[2], reflectance[3]
    planted = np.clip(((nir - red) / np.maximum(nir + red, 1e-6) - 0.15) / 0.35, 0, 1)
    dried = planted * np.clip(season.dryness * (1 + 0.5 * patches), 0, 1)
    shade = np.clip((green + nir) / 0.40, 0.3, 1.6)
    straw = _STRAW[:, None, None] * shade
    return np.asarray((reflectance * (1 - dried) + straw * dried) * np.exp(season.wetness * patches))
