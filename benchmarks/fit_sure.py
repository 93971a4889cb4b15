"""Fit how sure an object is, and calibrate it: each group of objects is judged by a fit without it, and what
the fit says too much or too little there is taken out of the final one (Platt 1999).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from benchmarks.networks import Floats, calibration_error, fit_network, probabilities
from pipeline.stages.flag.network import FINDING, NOTHING

FOLDS = 5
RIDGE = 5e-3
HIDDEN = 6
KIND_HIDDEN = 12

Outcomes = NDArray[np.bool_]


@dataclass(frozen=True)
class Judged:
    """Objects with what truth says of them: numbers (n, m), what these are, real or not, of which kind (empty
    where not real or not known), and of which group.
    """

    vectors: Floats
    columns: Sequence[str]
    real: Outcomes
    kinds: list[str]
    groups: list[str]

    def some(self, which: Outcomes) -> Judged:
        """A part of them."""
        kinds, groups = (
            [each for each, keep in zip(told, which, strict=True) if keep]
            for told in (self.kinds, self.groups)
        )
        return Judged(self.vectors[which], self.columns, self.real[which], kinds, groups)

    def folds(self) -> NDArray[np.intp]:
        """Which of `FOLDS` each belongs to; a group is never parted."""
        fold = {group: i % FOLDS for i, group in enumerate(sorted(set(self.groups)))}
        return np.array([fold[group] for group in self.groups])


def fit(
    seen: Judged, use: Sequence[str] | None = None, hidden: int = HIDDEN, ridge: float = RIDGE
) -> dict[str, Any]:
    """The model, calibrated on what it says of groups that it was not fitted on; prints how well."""
    outside = _outside(seen, use, hidden, ridge)
    scale, shift = _platt(outside, seen.real)
    model: dict[str, Any] = _fitted(seen, use, hidden, ridge)
    last = np.array(model["layers"][-1])
    at = model["classes"].index(FINDING)
    centred = last - last[:, [1 - at]]  # only the difference between the two classes counts
    centred *= scale
    centred[0, at] += shift
    model["layers"][-1] = centred.round(6).tolist()
    report(1 / (1 + np.exp(-(scale * outside + shift))), seen)
    return model


def fit_kind(seen: Judged, use: Sequence[str] | None = None) -> dict[str, Any]:
    """The model that names what is real; prints how often it is right of groups that it was not fitted on."""
    known = seen.some(np.array([bool(kind) for kind in seen.kinds]))
    fold = known.folds()
    right = []
    for i in range(FOLDS):
        without, rest = known.some(fold != i), known.some(fold == i)
        model = fit_network(without.vectors, without.kinds, KIND_HIDDEN, RIDGE, use, known.columns)
        classes, chance = probabilities(model, rest.vectors, known.columns)
        right += [classes[at] == kind for at, kind in zip(chance.argmax(axis=1), rest.kinds, strict=True)]
    print(f"  kind right for {np.mean(right):.3f} of {len(right)}")
    return fit_network(known.vectors, known.kinds, KIND_HIDDEN, RIDGE, use, known.columns)


def _fitted(seen: Judged, use: Sequence[str] | None, hidden: int, ridge: float) -> dict[str, Any]:
    told = [FINDING if real else NOTHING for real in seen.real]
    return fit_network(seen.vectors, told, hidden, ridge, use, seen.columns)


def _outside(seen: Judged, use: Sequence[str] | None, hidden: int, ridge: float) -> Floats:
    """The logit of each object from fits without its group."""
    mine = seen.folds()
    logits = np.zeros(len(mine))
    for i in range(FOLDS):
        without = _fitted(seen.some(mine != i), use, hidden, ridge)
        classes, chance = probabilities(without, seen.vectors[mine == i], seen.columns)
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
    print(f"  {len(sure)} objects, {seen.real.mean():.3f} real; expected calibration error {error:.3f}")
    for low, high in pairwise((0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.01)):
        here = (sure >= low) & (sure < high)
        if here.any():
            said, came_true = sure[here].mean(), seen.real[here].mean()
            print(f"    {low:.2f} to {min(high, 1):.2f}: {here.sum():5d} said {said:.3f} are {came_true:.3f}")
