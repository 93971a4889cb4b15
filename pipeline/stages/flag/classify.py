"""What an object is, and how sure: small networks over its measures, one set a range of resolutions.

For a detector that gives change alone: `real` tells construction from what only looks like it (vehicles that
come and go, crops, moving shadows, noise); its probability is the confidence of a finding. `kind` and
`direction` name what is real. For a detector that gives layers, see `confidence`. The weights, and a card of
what they were fitted on, are in weights.json; `python -m benchmarks.fit_flag` remakes them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.regime import Regime, regime
from pipeline.stages.flag.measure import Measures

Floats = NDArray[np.float64]

FINDING, NOTHING = "finding", "nothing"
LIMIT = 4.0  # standard deviations; a measure further off than any that was fitted on says no more


@dataclass(frozen=True)
class Network:
    """Probabilities of `classes` from standardised measures: layers with tanh between, softmax at the end.

    `layers`: each (1 + inputs, outputs), its first row the constant. `inputs`: the names of the measures.
    """

    classes: tuple[str, ...]
    inputs: tuple[str, ...]
    mean: Floats
    scale: Floats
    layers: tuple[Floats, ...]

    def __call__(self, measures: Mapping[str, float]) -> dict[str, float]:
        """Class -> probability, summing to one; what it was not fitted on is passed over."""
        values = np.array([measures[name] for name in self.inputs])
        values = np.clip((values - self.mean) / self.scale, -LIMIT, LIMIT)
        for layer in self.layers[:-1]:
            values = np.tanh(layer[0] + values @ layer[1:])
        logits = self.layers[-1][0] + values @ self.layers[-1][1:]
        share = np.exp(logits - logits.max())
        return dict(zip(self.classes, (share / share.sum()).tolist(), strict=True))

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Network:
        """As `benchmarks.fit_flag` writes it."""
        return cls(
            tuple(data["classes"]),
            tuple(data.get("inputs", Measures.names())),
            np.array(data["mean"]),
            np.array(data["scale"]),
            tuple(np.array(layer) for layer in data["layers"]),
        )


@dataclass(frozen=True)
class Verdict:
    """What an object most probably is."""

    kind: str
    direction: str
    confidence: float  # probability that it is construction at all
    new: float  # probability that it is construction that was not there before


def classify(measures: Measures, resolution: float) -> Verdict:
    """Judge one object in images of `resolution` metres a pixel."""
    known, named = models(resolution), measures.by_name()
    kinds, directions = known["kind"](named), known["direction"](named)
    confidence = known["real"](named)[FINDING]
    return Verdict(
        kind=max(kinds, key=kinds.__getitem__),
        direction=max(directions, key=directions.__getitem__),
        confidence=confidence,
        new=confidence * (1 - directions.get("removed", 0.0)),
    )


def models(resolution: float) -> dict[str, Network]:
    """The networks by name: `real`, `kind` and `direction` over measures, where a detector gives change
    alone; `new` and `removed` over the statistics of layers.
    """
    return _models(regime(resolution))


@cache
def _models(name: Regime) -> dict[str, Network]:
    text = files("pipeline.stages.flag").joinpath("weights.json").read_text(encoding="utf-8")
    return {
        key: Network.from_json(data) for key, data in json.loads(text)[name].items() if isinstance(data, dict)
    }
