"""Objects of a detector's layers with what truth says of them, of any examples: what the models `new` and
`removed` of flag's weights.json are fitted on.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from benchmarks.examples import Example
from benchmarks.fit_sure import Judged
from pipeline.pair import Mask
from pipeline.stages.detect.detector import CHANGE, KINDS, REMOVED
from pipeline.stages.flag.known import LAYERS_LEVELS
from pipeline.stages.flag.objects import Object, find_objects
from pipeline.stages.flag.stats import names

MATCHED = 0.2  # share of an object's pixels that truth must cover, as `pipeline.evaluate` counts
KNOWN = 0.5  # share of them of which truth must know something
USED = tuple(name for name in names() if name not in {"log area", "log pixel size"})
"""Of the statistics: a network sees pixels, not metres."""


def judged(examples: Iterable[Example], found_in: str, least_px: float = 12) -> Judged:
    """All objects that were found in a layer."""
    vectors, real, kinds, groups = [], [], [], []
    for example in examples:
        for each in find_objects(example.layers, example.grid, LAYERS_LEVELS, least_px):
            if each.found_in == found_in and _known(each, example):
                shares = _shares(each, example.truth)
                vectors.append([each.stats[name] for name in names()])
                real.append(sum(shares.values()) >= MATCHED)
                told = real[-1] and found_in == CHANGE
                kinds.append(max(shares, key=shares.__getitem__) if told else "")
                groups.append(example.group)
    table = np.array(vectors, float).reshape(-1, len(names()))
    return Judged(table, names(), np.array(real, bool), kinds, groups)


def _known(each: Object, example: Example) -> bool:
    unknown = example.unknown[each.window][each.inside]
    return float(unknown.mean()) <= 1 - KNOWN


def _shares(each: Object, truth: dict[str, Mask]) -> dict[str, float]:
    """How much of an object is on each thing of the right direction."""
    wanted = KINDS if each.found_in == CHANGE else (REMOVED,)
    return {
        name: float(truth[name][each.window][each.inside].mean()) if name in truth else 0.0 for name in wanted
    }
