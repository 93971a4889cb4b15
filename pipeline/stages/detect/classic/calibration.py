"""From evidence to probability: a logistic curve a range of resolutions, fitted on pairs with known truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from pipeline.pair import Float
from pipeline.regime import Regime, regime


@dataclass(frozen=True)
class Calibration:
    """How to look at, and how to weigh, the evidence at a resolution.

    `surprise_sigma`, `structure_sigma`: pixels. The probability is `expit(slope * log(score / even))`.
    """

    surprise_sigma: float
    structure_sigma: float
    even: float  # the score at which change is as likely as not
    slope: float

    def probability(self, score: Float) -> Float:
        """Probability (y, x) in 0..1, float32."""
        log_ratio = np.log(np.maximum(score, np.float32(1e-6)) / np.float32(self.even))
        return np.asarray(expit(np.float32(self.slope) * log_ratio), np.float32)


_CALIBRATIONS: dict[Regime, Calibration] = {
    "fine": Calibration(surprise_sigma=1.5, structure_sigma=3.0, even=3.0, slope=3.0),
    "coarse": Calibration(surprise_sigma=1.0, structure_sigma=2.0, even=4.28, slope=2.33),
}


def calibration(resolution: float) -> Calibration:
    """The calibration for images of `resolution` metres a pixel."""
    return _CALIBRATIONS[regime(resolution)]
