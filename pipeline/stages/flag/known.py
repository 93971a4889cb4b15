"""What is known of a detector's results: how far its objects reach, and the networks that judge them.

weights.json holds a set of networks for each of `SETS`, and a card of what they were fitted on;
`python -m benchmarks.fit_flag` remakes them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from pipeline.regime import regime
from pipeline.shipped import shipped_weights
from pipeline.stages.detect.detector import KINDS, LayerReader
from pipeline.stages.flag.network import Network
from pipeline.stages.flag.segment import Levels

SETS = ("fine classic", "coarse classic", "coarse learned", "fine layers", "coarse layers")


@dataclass(frozen=True)
class Known:
    """`networks`: where there is a layer for each kind, `new`, `removed` and `kind` over statistics of
    layers; where there is change alone, `real`, `kind` and `direction` over measures.
    """

    levels: Levels
    networks: Mapping[str, Network]

    @classmethod
    def of(cls, layers: LayerReader, resolution: float) -> Known:
        """For the layers of a detector, which says its name as `detector` where it is not the usual one for
        such layers; `resolution` in metres a pixel.
        """
        scale = regime(resolution)
        if has_kinds(layers):
            return cls(LAYERS_LEVELS, networks(f"{scale} layers"))
        usual = {"fine": "classic", "coarse": "learned"}[scale]
        name = layers.detector or usual
        if name == "classic":
            return cls(CLASSIC_LEVELS, networks(f"{scale} classic"))
        return cls(LEARNED_LEVELS, networks("coarse learned" if scale == "coarse" else "fine classic"))


LAYERS_LEVELS = Levels(core=40, edge=30)  # of calibrated probabilities; confidence decides what is reported
LEARNED_LEVELS = Levels(core=60, edge=45)  # its even point is where F1 over pixels is best
CLASSIC_LEVELS = Levels(core=50, edge=20)


def has_kinds(layers: LayerReader) -> bool:
    """Whether a detector gives a layer for each kind."""
    return set(KINDS) <= set(layers.names)


@cache
def networks(name: str) -> dict[str, Network]:
    """One of `SETS`, by what each tells."""
    known = json.loads(shipped_weights("stages/flag/weights.json"))[name]
    return {key: Network.from_json(data) for key, data in known.items() if isinstance(data, dict)}
