"""What an object is, and how sure: a linear softmax over its measures, fitted on made scenes.

One class is `nothing`: vehicles that come and go, crops, moving shadows, noise. What is left of its
probability is the confidence of a finding. The weights are remade by `python -m benchmarks.fit_flag`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from pipeline.stages.flag.measure import Measures

NOTHING = "nothing"
LIMIT = 4.0  # standard deviations; a measure further off than any that was fitted on says no more


@dataclass(frozen=True)
class Linear:
    """Probabilities of `classes` from standardised measures."""

    classes: tuple[str, ...]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    weights: NDArray[np.float64]  # (1 + measures, classes), the first row constant

    def __call__(self, vector: NDArray[np.float64]) -> dict[str, float]:
        """Class -> probability, summing to one."""
        standard = np.clip((vector - self.mean) / self.scale, -LIMIT, LIMIT)
        logits = np.concatenate([[1.0], standard]) @ self.weights
        return dict(zip(self.classes, (float(p) for p in softmax(logits)), strict=True))

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Linear:
        """As `benchmarks.fit_flag` writes it."""
        return cls(tuple(data["classes"]), *(np.array(data[key]) for key in ("mean", "scale", "weights")))


@dataclass(frozen=True)
class Verdict:
    """What an object most probably is."""

    kind: str
    direction: str
    confidence: float  # probability that it is a finding at all


def classify(measures: Measures) -> Verdict:
    """Kind and direction are the most probable ones given that the object is a finding."""
    vector = measures.vector()
    kinds = dict(_model("kind")(vector))
    confidence = 1.0 - kinds.pop(NOTHING)
    directions = _model("direction")(vector)
    return Verdict(max(kinds, key=kinds.__getitem__), max(directions, key=directions.__getitem__), confidence)


@cache
def _model(name: str) -> Linear:
    text = files("pipeline.stages.flag").joinpath("weights.json").read_text(encoding="utf-8")
    return Linear.from_json(json.loads(text)[name])
