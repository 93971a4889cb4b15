"""Fitting the small networks of the flag stage, and judging them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from pipeline.stages.flag.measure import Measures
from pipeline.stages.flag.network import LIMIT, Network

HIDDEN = 16
RIDGE = 3e-4
SEED = 7

Floats = NDArray[np.float64]


def fit_network(
    vectors: Floats,
    names: Sequence[str],
    hidden: int = HIDDEN,
    ridge: float = RIDGE,
    use: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
) -> dict[str, object]:
    """Fit by L-BFGS with a ridge penalty, as `classify` applies it.

    vectors: (objects, measures); names: the class of each object; hidden: units between, 0 for none;
    use: the measures to use, None for all; columns: what the measures are, None for those of `Measures`.
    """
    classes = sorted(set(names))
    columns = Measures.names() if columns is None else list(columns)
    inputs = columns if use is None else list(use)
    vectors = vectors[:, [columns.index(name) for name in inputs]]
    mean, scale = vectors.mean(axis=0), vectors.std(axis=0) + 1e-6
    standard = np.clip((vectors - mean) / scale, -LIMIT, LIMIT)
    goal = np.array([[name == each for each in classes] for name in names], float)
    sizes = [standard.shape[1], *([hidden] if hidden else []), len(classes)]
    shapes = [(above + 1, below) for above, below in pairwise(sizes)]
    rng = np.random.default_rng(SEED)
    start = [rng.normal(0, 0.3 / np.sqrt(rows), (rows, cols)) for rows, cols in shapes]

    def loss(flat: Floats) -> tuple[float, Floats]:
        layers = _layers(flat, shapes)
        return _loss(layers, standard, goal, ridge)

    flat = np.concatenate([layer.ravel() for layer in start])
    best = minimize(loss, flat, jac=True, method="L-BFGS-B", options={"maxiter": 800})
    return {
        "classes": classes,
        "inputs": inputs,
        "mean": _rounded(mean),
        "scale": _rounded(scale),
        "layers": [_rounded(layer) for layer in _layers(best.x, shapes)],
    }


def _layers(flat: Floats, shapes: Sequence[tuple[int, int]]) -> list[Floats]:
    ends = np.cumsum([rows * cols for rows, cols in shapes])
    parts = np.split(flat, ends[:-1])
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


def _loss(layers: list[Floats], inputs: Floats, goal: Floats, ridge: float) -> tuple[float, Floats]:
    """Mean cross-entropy with its gradient, by backpropagation."""
    fed = [_with_constant(inputs)]
    for layer in layers[:-1]:
        fed.append(_with_constant(np.tanh(fed[-1] @ layer)))
    logits = fed[-1] @ layers[-1]
    value = -(goal * log_softmax(logits, axis=1)).sum() / len(goal)
    error = (softmax(logits, axis=1) - goal) / len(goal)
    slopes: list[Floats] = []
    for layer, given in zip(reversed(layers), reversed(fed), strict=True):
        slope = given.T @ error
        slope[1:] += 2 * ridge * layer[1:]
        value += ridge * float((layer[1:] ** 2).sum())
        slopes.insert(0, slope)
        error = (error @ layer[1:].T) * (1 - given[:, 1:] ** 2)
    return value, np.concatenate([slope.ravel() for slope in slopes])


def _with_constant(values: Floats) -> Floats:
    return np.concatenate([np.ones((len(values), 1)), values], axis=1)


def _rounded(values: Floats) -> object:
    """To six significant digits, as nested lists."""
    digits = 5 - np.floor(np.log10(np.maximum(np.abs(values), 1e-300))).astype(int)
    return np.vectorize(round)(values, digits).tolist()


def fit_curve(scores: Floats, changed: NDArray[np.bool_]) -> tuple[float, float]:
    """`even` and `slope` of the pixel calibration: a logistic curve of the logarithm of the evidence."""
    evidence, sign = np.log(np.maximum(scores, 1e-6)), np.where(changed, 1.0, -1.0)
    best = minimize(lambda w: np.logaddexp(0, -w[0] * (evidence - w[1]) * sign).mean(), [2.0, 1.0])
    return float(np.exp(best.x[1])), float(best.x[0])


def probabilities(
    model: dict[str, object], vectors: Floats, columns: Sequence[str] | None = None
) -> tuple[tuple[str, ...], Floats]:
    """Classes, and their probabilities (objects, classes); `columns` as in `fit_network`."""
    network = Network.from_json(model)
    told = Measures.names() if columns is None else columns
    named = [dict(zip(told, vector.tolist(), strict=True)) for vector in vectors]
    return network.classes, np.array([list(network(measures).values()) for measures in named])


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
