"""Fitting the linear softmax models of the flag stage, and judging them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from pipeline.stages.flag.classify import LIMIT, Linear
from pipeline.stages.flag.measure import Measures

RIDGE = 1e-3

Floats = NDArray[np.float64]


def fit_linear(
    vectors: Floats, names: Sequence[str], use: Sequence[str] | None = None, ridge: float = RIDGE
) -> dict[str, object]:
    """Ridge softmax regression by L-BFGS, as `classify` applies it.

    vectors: (objects, measures); names: the class of each object; use: the measures to use, None for all
    (the weights of the others are zero).
    """
    classes = sorted(set(names))
    used = np.array([use is None or name in use for name in Measures.names()])
    mean, scale = vectors.mean(axis=0), vectors.std(axis=0) + 1e-6
    standard = np.clip((vectors - mean) / scale, -LIMIT, LIMIT) * used
    design = np.concatenate([np.ones((len(vectors), 1)), standard], axis=1)
    goal = np.array([[name == each for each in classes] for name in names], float)
    shape = design.shape[1], len(classes)

    def loss(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(shape)
        logits = design @ weights
        value = -(goal * log_softmax(logits, axis=1)).sum() / len(goal) + ridge * (weights[1:] ** 2).sum()
        slope = design.T @ (softmax(logits, axis=1) - goal) / len(goal)
        slope[1:] += 2 * ridge * weights[1:]
        return value, slope.ravel()

    best = minimize(loss, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 3000})
    arrays = {"mean": mean, "scale": scale, "weights": best.x.reshape(shape)}
    return {"classes": classes} | {key: _rounded(value) for key, value in arrays.items()}


def _rounded(values: Floats) -> object:
    """To six significant digits, as nested lists."""
    digits = 5 - np.floor(np.log10(np.maximum(np.abs(values), 1e-300))).astype(int)
    return np.vectorize(round)(values, digits).tolist()


def fit_curve(scores: Floats, changed: NDArray[np.bool_]) -> tuple[float, float]:
    """`even` and `slope` of the pixel calibration: a logistic curve of the logarithm of the evidence."""
    evidence, sign = np.log(np.maximum(scores, 1e-6)), np.where(changed, 1.0, -1.0)
    best = minimize(lambda w: np.logaddexp(0, -w[0] * (evidence - w[1]) * sign).mean(), [2.0, 1.0])
    return float(np.exp(best.x[1])), float(best.x[0])


def probabilities(model: dict[str, object], vectors: Floats) -> tuple[tuple[str, ...], Floats]:
    """Classes, and their probabilities (objects, classes)."""
    linear = Linear.from_json(model)
    return linear.classes, np.array([list(linear(vector).values()) for vector in vectors])


def calibration_error(probability: Floats, happened: NDArray[np.bool_], bins: int = 10) -> float:
    """Expected calibration error: mean gap between what was said and what came true, over equal bins."""
    which = np.minimum((probability * bins).astype(int), bins - 1)
    gaps = [
        abs(float(probability[which == i].mean() - happened[which == i].mean())) * float((which == i).mean())
        for i in range(bins)
        if (which == i).any()
    ]
    return float(sum(gaps))


def judge(title: str, model: dict[str, object], vectors: Floats, names: Sequence[str]) -> None:
    """Print how often the most probable class is right, and the calibration error of its probability."""
    classes, probability = probabilities(model, vectors)
    best = probability.argmax(axis=1)
    right = np.array(classes)[best] == np.array(names)
    error = calibration_error(probability.max(axis=1), right)
    print(f"  {title}: right {right.mean():.3f} of {len(right)}, expected calibration error {error:.3f}")
    for each in classes:
        member = np.array(names) == each
        if member.any():
            print(f"    {each}: {right[member].mean():.3f} of {int(member.sum())}")
