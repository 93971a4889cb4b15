"""From labelled pairs to the weights that ship, the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from pipeline.errors import ConfigError
from pipeline.stages.detect.coarse.model import MODELS, Model
from pipeline.stages.detect.coarse.trees import Trees
from pipeline.train.coarse.grow import grow
from pipeline.train.coarse.labelled import Labelled, labelled
from pipeline.train.coarse.made import FIRST_SEED, made
from pipeline.train.coarse.table import Table, table

ROUNDS = 120
LOOKS = 12  # trees of the first look
KEPT = 0.99  # of the pixels that become part of an object, by the first look
EDGE = -1.3863  # an object ends where the probability falls below 20 %: its logit
CURVES = {"six": (-0.6, 1.0), "four": (0.7, 1.0), "three": (0.7, 1.0), "one": (0.7, 1.0)}
"""The sum at which change is taken to be as likely as not, and the slope of the logistic there: from cities
left out (benchmarks/oscd.py)."""

_MADE = ((10.0, True, 40), (10.0, False, 16), (5.0, True, 10), (5.0, False, 10))  # how many of which
_MADE_SHARE = 0.5


def train_coarse(folder: Path, out: Path, seed: int = 0) -> Path:
    """Fit all models on the cases below `folder` (`before/`, `after/`, `truth.tif`) and on made scenes.

    Writes the file `out` (`trees.npz` in the package) and returns it. Raises ConfigError where there is no
    case, or where LightGBM is not installed.
    """
    if find_spec("lightgbm") is None:
        raise ConfigError("training needs lightgbm; install it with: pip install lightgbm")
    cases = list(labelled(folder))
    if not cases:
        raise ConfigError(f"{folder} holds no case: a folder with before/, after/ and truth.tif")
    return write(out, fit_models(cases, list(made_scenes()), seed))


def made_scenes() -> Iterable[Labelled]:
    """The made scenes that are fitted on."""
    for number, (resolution, built, count) in enumerate(_MADE):
        for seed in range(count):
            scene = made(FIRST_SEED + 10_000 * number + seed, resolution, built)
            yield Labelled(scene.name, scene.pair, scene.bands, scene.truth, _MADE_SHARE)


def fit_models(cases: Sequence[Labelled], others: Sequence[Labelled], seed: int) -> dict[str, Model]:
    """A model for each set of bands. `others`: scenes without the bands of short-wave infrared."""
    models = {}
    for name, use in MODELS.items():
        scenes = [scene for scene in (*cases, *others) if set(use) <= set(scene.bands)]
        models[name] = fit_model(table(scenes, use, seed), name, seed)
    return models


def fit_model(rows: Table, name: str, seed: int, rounds: int = ROUNDS) -> Model:
    """Two kinds of trees, averaged, and the first look's limit."""
    trees = grow(rows.columns, rows.target, rows.weight, rounds, seed)
    even, slope = CURVES[name]
    return Model(trees, LOOKS, first_look(trees, rows, even + EDGE / slope), even, slope)


def first_look(trees: Trees, rows: Table, edge: float) -> float:
    """The limit for the sum of the first `LOOKS` trees under which few pixels end above `edge`."""
    above = trees(rows.columns) >= edge
    if not above.any():
        return -np.inf
    return float(np.quantile(trees(rows.columns[above], 0, LOOKS), 1 - KEPT))


def write(out: Path, models: dict[str, Model]) -> Path:
    """The weights' file, whole or not at all."""
    arrays = {key: array for name, model in models.items() for key, array in model.arrays(name).items()}
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(f".{out.name}.part")
    with partial.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
    return partial.replace(out)
