"""What the ground and the things on it are made of: reflectance in four bands, and how much it varies.

Spectra are rounded by hand to the usual ranges of such surfaces in blue, green, red and near infrared.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from pipeline.simulate.noise import Array

BANDS: Final = ("blue", "green", "red", "nir")


@dataclass(frozen=True)
class Material:
    """A spectrum (blue, green, red, nir reflectance) and how much it varies."""

    spectrum: tuple[float, float, float, float]
    grain: float = 0.05  # share by which pixels differ from each other
    patch: float = 0.05  # share by which areas of some metres differ

    def reflectance(self, fine: Array, coarse: Array) -> Array:
        """Reflectance (4, y, x) given fine and coarse texture of unit variance (y, x)."""
        factor = np.maximum(1 + self.grain * fine + self.patch * coarse, 0.2)
        return np.asarray(self.colour[:, None, None] * factor)

    @property
    def colour(self) -> Array:
        """The spectrum as an array (4,)."""
        return np.array(self.spectrum)


MATERIALS: Final = MappingProxyType(
    {
        # natural ground
        "soil": Material((0.130, 0.182, 0.242, 0.300), 0.05, 0.06),
        "silt": Material((0.172, 0.232, 0.296, 0.352), 0.03, 0.05),
        "gravel": Material((0.110, 0.146, 0.186, 0.228), 0.10, 0.08),
        "scrub": Material((0.060, 0.082, 0.092, 0.210), 0.10, 0.10),
        # worked ground
        "graded": Material((0.182, 0.246, 0.316, 0.382), 0.03, 0.05),
        "packed": Material((0.160, 0.216, 0.280, 0.340), 0.03, 0.06),
        "fill": Material((0.168, 0.228, 0.300, 0.366), 0.07, 0.06),
        "old fill": Material((0.138, 0.190, 0.250, 0.308), 0.06, 0.06),
        "rubble": Material((0.178, 0.218, 0.258, 0.292), 0.22, 0.12),
        # paving and roofs
        "asphalt": Material((0.078, 0.090, 0.102, 0.120), 0.04, 0.08),
        "old asphalt": Material((0.108, 0.126, 0.144, 0.166), 0.04, 0.08),
        "paint": Material((0.300, 0.330, 0.340, 0.360), 0.03, 0.05),
        "concrete": Material((0.232, 0.276, 0.312, 0.342), 0.03, 0.06),
        "old concrete": Material((0.186, 0.226, 0.260, 0.292), 0.04, 0.09),
        "white roof": Material((0.410, 0.450, 0.478, 0.492), 0.02, 0.04),
        "metal roof": Material((0.270, 0.292, 0.300, 0.312), 0.02, 0.06),
        "blue roof": Material((0.240, 0.215, 0.180, 0.240), 0.02, 0.05),
        "rust roof": Material((0.100, 0.128, 0.190, 0.250), 0.04, 0.08),
        "mud roof": Material((0.150, 0.204, 0.266, 0.326), 0.04, 0.07),
        "blockwork": Material((0.220, 0.252, 0.276, 0.300), 0.06, 0.06),
        # fields
        "crop": Material((0.034, 0.070, 0.046, 0.430), 0.06, 0.12),
        "young crop": Material((0.072, 0.112, 0.116, 0.330), 0.06, 0.12),
        "stubble": Material((0.146, 0.204, 0.262, 0.346), 0.05, 0.08),
        "fallow": Material((0.104, 0.140, 0.182, 0.238), 0.06, 0.08),
        "tree": Material((0.034, 0.062, 0.044, 0.320), 0.15, 0.15),
        # green ground and gardens
        "grass": Material((0.045, 0.085, 0.065, 0.340), 0.07, 0.12),
        "lawn": Material((0.042, 0.095, 0.058, 0.400), 0.04, 0.07),
        "dry grass": Material((0.095, 0.135, 0.155, 0.270), 0.06, 0.10),
        "meadow": Material((0.060, 0.100, 0.090, 0.310), 0.10, 0.15),
        "topsoil": Material((0.070, 0.100, 0.140, 0.200), 0.06, 0.10),
        "red soil": Material((0.075, 0.115, 0.200, 0.260), 0.05, 0.08),
        "wood": Material((0.028, 0.048, 0.036, 0.270), 0.12, 0.12),
        "pool": Material((0.300, 0.290, 0.140, 0.040), 0.02, 0.03),
        "pond": Material((0.050, 0.055, 0.040, 0.020), 0.03, 0.05),
        # pitched roofs of towns
        "grey shingle": Material((0.120, 0.132, 0.140, 0.160), 0.06, 0.05),
        "brown shingle": Material((0.095, 0.115, 0.145, 0.180), 0.06, 0.05),
        "dark shingle": Material((0.062, 0.068, 0.072, 0.085), 0.06, 0.05),
        "tan shingle": Material((0.170, 0.205, 0.240, 0.270), 0.05, 0.05),
        "red tile": Material((0.080, 0.110, 0.210, 0.270), 0.05, 0.06),
        "slate": Material((0.090, 0.095, 0.098, 0.110), 0.05, 0.06),
        "gravel roof": Material((0.180, 0.200, 0.215, 0.230), 0.05, 0.08),
        "tar roof": Material((0.050, 0.055, 0.060, 0.070), 0.04, 0.10),
        # vehicles and machines
        "white paint": Material((0.410, 0.430, 0.440, 0.430), 0.02, 0.02),
        "yellow paint": Material((0.095, 0.270, 0.360, 0.420), 0.02, 0.02),
        "green paint": Material((0.062, 0.090, 0.070, 0.140), 0.02, 0.02),
        "blue paint": Material((0.190, 0.150, 0.115, 0.160), 0.02, 0.02),
        "red paint": Material((0.070, 0.078, 0.220, 0.290), 0.02, 0.02),
        "dark paint": Material((0.046, 0.050, 0.054, 0.062), 0.02, 0.02),
        "glass": Material((0.060, 0.066, 0.066, 0.070), 0.02, 0.02),
    }
)
