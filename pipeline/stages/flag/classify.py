"""What an object is where a detector gives change alone, and how sure.

`real` tells construction from what only looks like it (vehicles that come and go, crops, moving shadows,
noise); its probability is the confidence of a finding. `kind` and `direction` name what is real.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.stages.flag.measure import Measures
from pipeline.stages.flag.network import FINDING, Network


@dataclass(frozen=True)
class Verdict:
    """What an object most probably is."""

    kind: str
    direction: str
    confidence: float  # probability that it is construction at all
    new: float  # probability that it is construction that was not there before


def classify(measures: Measures, networks: Mapping[str, Network]) -> Verdict:
    """Judge one object by the networks `real`, `kind` and `direction`."""
    named = measures.by_name()
    kinds, directions = networks["kind"](named), networks["direction"](named)
    confidence = networks["real"](named)[FINDING]
    return Verdict(
        kind=max(kinds, key=kinds.__getitem__),
        direction=max(directions, key=directions.__getitem__),
        confidence=confidence,
        new=confidence * (1 - directions.get("removed", 0.0)),
    )
