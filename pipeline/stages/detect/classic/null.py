"""What the evidence is where nothing changed, and so where to draw the line.

The logarithm of unchanged pixels' score is close to normal. Its mean and spread are read off the middle of
the scene's scores, which the few that changed hardly move (the "empirical null" of Efron 2004). The line is
where a stated share of unchanged pixels lies above. Changed pixels are taken to scatter as much as unchanged
ones, about as far above the line as those lie below it; the probability of change is then logistic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from pipeline.pair import Float

FALSE_ALARMS = 0.01  # of unchanged pixels; objects are judged afterwards, so that few of them are reported
_FROM, _TO, _STEPS = 0.3, 0.95, 19  # the middle of the scores, in quantiles
_LEAST = 1e-6
_LEAST_SPREAD = 0.05  # two copies of one image: every score is the same


@dataclass(frozen=True)
class Null:
    """The logarithm of unchanged pixels' score is normal with `mean` and `spread`."""

    mean: float
    spread: float
    false_alarms: float = FALSE_ALARMS

    @classmethod
    def of(cls, scores: Float, false_alarms: float = FALSE_ALARMS) -> Null:
        """Fit to the scores (n,) of a scene, changed pixels among them."""
        shares = np.linspace(_FROM, _TO, _STEPS)
        logs = np.log(np.maximum(np.quantile(scores, shares), _LEAST))
        spread, mean = np.polyfit(scipy.special.ndtri(shares), logs, 1)
        return cls(float(mean), max(float(spread), _LEAST_SPREAD), false_alarms)

    @property
    def even(self) -> float:
        """The score at which change is as likely as not; `false_alarms` of unchanged pixels lie above it."""
        return float(np.exp(self.mean + self.spread * self._deviations))

    @property
    def slope(self) -> float:
        """How fast the log odds of change rise with the log of the score."""
        return self._deviations / self.spread

    def probability(self, score: Float) -> Float:
        """Of change (y, x), 0..1, float32."""
        log_ratio = np.log(np.maximum(score, np.float32(_LEAST)) / np.float32(self.even))
        return np.asarray(scipy.special.expit(np.float32(self.slope) * log_ratio), np.float32)

    def as_dict(self) -> dict[str, Any]:
        """For run.json."""
        return {"false_alarm_rate": self.false_alarms, "even": self.even, "slope": self.slope}

    @property
    def _deviations(self) -> float:
        return float(-scipy.special.ndtri(self.false_alarms))
