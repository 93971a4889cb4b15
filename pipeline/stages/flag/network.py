"""Small networks over named measures of an object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
            tuple(data["inputs"]),
            np.array(data["mean"]),
            np.array(data["scale"]),
            tuple(np.array(layer) for layer in data["layers"]),
        )
