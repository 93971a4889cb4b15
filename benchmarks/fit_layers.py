"""Fit how sure an object of a detector's layers is: the models `new` and `removed` of flag's weights.json.

Any examples will do; each group of them is judged by a fit without it, and what the fit says too much or too
little there is taken out of the final one (Platt 1999).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from benchmarks.examples import Example
from benchmarks.networks import Floats, calibration_error, fit_network, probabilities
from pipeline.pair import Mask
from pipeline.stages.detect.detector import CHANGE, KINDS, REMOVED
from pipeline.stages.flag.known import LAYERS_LEVELS
from pipeline.stages.flag.network import FINDING, NOTHING
from pipeline.stages.flag.objects import Object, find_objects
from pipeline.stages.flag.stats import names

MATCHED = 0.2  # share of an object's pixels that truth must cover, as `pipeline.evaluate` counts
KNOWN = 0.5  # share of them of which truth must know something
FOLDS = 5
RIDGE = 1e-3
HIDDEN = 6
USED = tuple(name for name in names() if name not in {"log area", "log pixel size"})
"""Of the statistics: a network sees pixels, not metres."""

Outcomes = NDArray[np.bool_]


@dataclass(frozen=True)
class Judged:
    """Objects with what truth says of them: statistics (n, m), real or not, named right or not, and of which
    group.
    """

    vectors: Floats
    real: Outcomes
    kind_right: Outcomes
    groups: list[str]

    def some(self, which: Outcomes) -> Judged:
        """A part of them."""
        kept = [group for group, keep in zip(self.groups, which, strict=True) if keep]
        return Judged(self.vectors[which], self.real[which], self.kind_right[which], kept)


def judged(examples: Iterable[Example], found_in: str, least_px: float = 12) -> Judged:
    """All objects that were found in a layer."""
    vectors, real, right, groups = [], [], [], []
    for example in examples:
        for each in find_objects(example.layers, example.grid, LAYERS_LEVELS, least_px):
            if each.found_in == found_in and _known(each, example):
                shares = _shares(each, example.truth)
                vectors.append([each.stats[name] for name in names()])
                real.append(sum(shares.values()) >= MATCHED)
                right.append(each.kind == max(shares, key=shares.__getitem__))
                groups.append(example.group)
    table = np.array(vectors, float).reshape(-1, len(names()))
    return Judged(table, np.array(real, bool), np.array(right, bool), groups)


def _known(each: Object, example: Example) -> bool:
    unknown = example.unknown[each.window][each.inside]
    return float(unknown.mean()) <= 1 - KNOWN


def _shares(each: Object, truth: dict[str, Mask]) -> dict[str, float]:
    """How much of an object is on each thing of the right direction."""
    wanted = KINDS if each.found_in == CHANGE else (REMOVED,)
    return {
        name: float(truth[name][each.window][each.inside].mean()) if name in truth else 0.0 for name in wanted
    }


def fit(seen: Judged, use: Sequence[str] | None = None, hidden: int = HIDDEN) -> dict[str, Any]:
    """The model, calibrated on what it says of groups that it was not fitted on; prints how well."""
    outside = _outside(seen, use, hidden)
    scale, shift = _platt(outside, seen.real)
    model: dict[str, Any] = _fitted(seen, use, hidden)
    last = np.array(model["layers"][-1])
    at = model["classes"].index(FINDING)
    centred = last - last[:, [1 - at]]  # only the difference between the two classes counts
    centred *= scale
    centred[0, at] += shift
    model["layers"][-1] = centred.round(6).tolist()
    report(1 / (1 + np.exp(-(scale * outside + shift))), seen)
    return model


def _fitted(seen: Judged, use: Sequence[str] | None, hidden: int) -> dict[str, Any]:
    told = [FINDING if real else NOTHING for real in seen.real]
    return fit_network(seen.vectors, told, hidden, RIDGE, use, names())


def _outside(seen: Judged, use: Sequence[str] | None, hidden: int) -> Floats:
    """The logit of each object from fits without its group."""
    every = sorted(set(seen.groups))
    fold = {group: i % FOLDS for i, group in enumerate(every)}
    mine = np.array([fold[group] for group in seen.groups])
    logits = np.zeros(len(mine))
    for i in range(FOLDS):
        without = _fitted(seen.some(mine != i), use, hidden)
        classes, chance = probabilities(without, seen.vectors[mine == i], names())
        sure = np.clip(chance[:, classes.index(FINDING)], 1e-6, 1 - 1e-6)
        logits[mine == i] = np.log(sure / (1 - sure))
    return logits


def _platt(logits: Floats, real: Outcomes) -> tuple[float, float]:
    sign = np.where(real, 1.0, -1.0)

    def loss(line: Floats) -> float:
        lost = np.logaddexp(0, -(line[0] * logits + line[1]) * sign)
        return float(lost.mean() + 1e-3 * (line[0] - 1) ** 2)

    best = minimize(loss, [1.0, 0.0])
    return float(best.x[0]), float(best.x[1])


def report(sure: Floats, seen: Judged) -> None:
    """How sure and how right, by confidence."""
    error = calibration_error(sure, seen.real)
    named = seen.kind_right[seen.real].mean() if seen.real.any() else float("nan")
    print(f"  {len(sure)} objects, {seen.real.mean():.3f} real; expected calibration error {error:.3f}")
    print(f"  kind right for {named:.3f} of the real ones")
    for low, high in pairwise((0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.01)):
        here = (sure >= low) & (sure < high)
        if here.any():
            said, came_true = sure[here].mean(), seen.real[here].mean()
            print(f"    {low:.2f} to {min(high, 1):.2f}: {here.sum():5d} said {said:.3f} are {came_true:.3f}")
