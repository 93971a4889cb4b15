"""The detectors of coarse images on the OSCD cities, each judged by trees that were grown without it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.options import Options
from benchmarks.report import Row, Table
from benchmarks.shared import shared
from pipeline.pair import Mask
from pipeline.stages.detect.classic import fit_classic
from pipeline.stages.detect.coarse import fit_coarse, windows
from pipeline.stages.detect.coarse.model import MODELS
from pipeline.train.coarse.fit import fit_model, made_scenes
from pipeline.train.coarse.labelled import Labelled, labelled
from pipeline.train.coarse.table import Table as Rows
from pipeline.train.coarse.table import cut, table

TITLE = "new construction at 10 m, every city left out in turn"
RESOLUTION = 10.0
FOLDS = 5  # groups of cities that are left out together where trees are grown many times over
ABLATION_FOLDS, ABLATION_ROUNDS = 3, 60
LEVELS = np.arange(1, 100)  # percent at which a threshold may lie
Counts = NDArray[np.int64]  # (threshold, 3): pixels found and changed, found and not, changed and not found

ABLATIONS: Mapping[str, tuple[str, ...]] = {
    "all evidence": (),
    "without rarity in the scene": ("rarity",),
    "without surprise": ("surprise", "rarity"),
    "without signed residuals": tuple(
        f"{way} {name}" for way in ("forward", "backward") for name in MODELS["six"]
    ),
    "without ranks of indices": ("brightness", "vegetation", "built-up", "red-blue"),
    "without pattern": (
        "texture",
        "correlation",
        "edge",
        "rarity of edge",
        "surprise and",
        "rarity and",
        "rarity of surprise and",
    ),
}
"""What the trees go without: columns whose names begin so."""


def tables(options: Options) -> list[Table]:
    """Detectors side by side a city; and what each kind of evidence adds."""
    cities = list(labelled(shared("real") / "oscd"))
    rows = table(cities, MODELS["six"], 0)
    left_together = [[i] for i in range(len(cities))] if options.large else groups(len(cities))
    percents = {"classic": [classic(city) for city in cities], "trees": left_out(cities, rows, left_together)}
    counted = {
        name: [counts(p, c) for p, c in zip(each, cities, strict=True)] for name, each in percents.items()
    }
    left = "each city" if options.large else f"{FOLDS} groups of cities"
    notes = [
        f"F1 of pixels; {left} left out of the trees, and each city out of the choice of the threshold. The "
        "classic detector has learned nothing from any of them."
    ]
    main = Table("OSCD, pixel F1", _side_by_side(cities, counted), notes, _failures(counted["trees"], cities))
    return [main] if options.quick else [main, ablation(cities, rows), training_data(cities)]


def groups(count: int, folds: int = FOLDS) -> list[list[int]]:
    """Cities that are left out together, by number."""
    return [list(range(first, count, folds)) for first in range(folds)]


def left_out(
    cities: Sequence[Labelled], rows: Rows, groups: Sequence[Sequence[int]]
) -> list[NDArray[np.uint8]]:
    """Percent (y, x) of every city, by trees that never saw its group."""
    out: dict[int, NDArray[np.uint8]] = {}
    for group in groups:
        model = fit_model(rows.without(group), "six", 0)
        for i in group:
            fitted = fit_coarse(cut(cities[i].pair), cities[i].bands, RESOLUTION, model)
            out[i] = fitted(cities[i].pair)[0]
    return [out[i] for i in range(len(cities))]


def classic(city: Labelled) -> NDArray[np.uint8]:
    percent = fit_classic(cut(city.pair), city.bands, RESOLUTION)(city.pair)
    return np.asarray(percent[0])


def counts(percent: NDArray[np.uint8], city: Labelled) -> Counts:
    """Pixels at each of `LEVELS`."""
    seen = city.pair.observed
    return tally(percent[seen].astype(np.int64), city.truth[seen])


def tally(values: NDArray[np.int64], truth: Mask) -> Counts:
    """Pixels found and changed, found and not, changed and not found, at each of `LEVELS`."""
    changed, other = (
        np.bincount(values[part], minlength=101)[::-1].cumsum()[::-1] for part in (truth, ~truth)
    )
    hit = changed[LEVELS]
    return np.stack([hit, other[LEVELS], int(truth.sum()) - hit], axis=1)


def f1(counted: Counts) -> NDArray[np.float64]:
    """F1 (...) of counts (..., 3)."""
    hit, false, missed = np.moveaxis(counted, -1, 0)
    return np.asarray(2 * hit / np.maximum(2 * hit + false + missed, 1))


def without_own(counted: Sequence[Counts]) -> list[Counts]:
    """Each city's counts (3,) at the threshold that is best for all the others together."""
    total = np.sum(counted, axis=0)
    return [np.asarray(each[int(f1(total - each).argmax())]) for each in counted]


def _side_by_side(cities: Sequence[Labelled], counted: Mapping[str, Sequence[Counts]]) -> list[Row]:
    chosen = {name: without_own(each) for name, each in counted.items()}
    rows: list[Row] = []
    for i, city in enumerate(cities):
        share = float(city.truth[city.pair.observed].mean())
        rows.append(
            {"city": city.name, "built %": 100 * share} | {n: float(f1(c[i])) for n, c in chosen.items()}
        )
    pooled = {name: float(f1(np.sum(each, axis=0))) for name, each in chosen.items()}
    together: dict[str, object] = {"city": "all pixels together", "built %": None}
    return [*rows, together | pooled]


def _failures(counted: Sequence[Counts], cities: Sequence[Labelled]) -> list[str]:
    chosen = without_own(counted)
    pooled = float(f1(np.sum(chosen, axis=0)))
    none = [city.name for city, each in zip(cities, chosen, strict=True) if each[0] == 0]
    return [f"{name}: nothing found" for name in none] + (
        [f"F1 {pooled:.3f} < 0.48"] if pooled < 0.48 else []
    )


def ablation(cities: Sequence[Labelled], rows: Rows) -> Table:
    """F1 on the rows that are not grown on, by groups of cities, going without some evidence."""
    lines: list[Row] = []
    for what, starts in ABLATIONS.items():
        gone = np.array([name.startswith(starts) if starts else False for name in windows.names()])
        changed = replace(rows, columns=np.where(gone, np.float32(0), rows.columns))
        grown = _grouped(len(cities), changed, "six", changed.without)
        lines.append({"trees": what, "columns": int((~gone).sum()), "F1": grown})
    return Table("What each kind of evidence adds", lines, [_ABLATION_NOTE])


def training_data(cities: Sequence[Labelled]) -> Table:
    """F1 on the cities' rows without short-wave infrared, by what else the trees were grown on."""
    use = MODELS["four"]
    real, made = table(cities, use, 0), table(made_scenes(), use, 0)
    taught: Mapping[str, Callable[[Sequence[int]], Rows]] = {
        "made scenes": lambda _: made,
        "other cities": real.without,
        "other cities and made scenes": lambda group: real.without(group).beside(made),
    }
    lines: list[Row] = [
        {"grown on": what, "F1": _grouped(len(cities), real, "four", chosen)}
        for what, chosen in taught.items()
    ]
    return Table("What each kind of training data adds, four bands", lines, [_ABLATION_NOTE])


_ABLATION_NOTE = (
    f"Sampled pixels of the cities, {ABLATION_FOLDS} groups of them left out in turn, threshold without the"
    f" city; {ABLATION_ROUNDS} rounds of trees, fewer than those that ship: only to compare with each other."
)


def _grouped(count: int, rows: Rows, name: str, taught: Callable[[Sequence[int]], Rows]) -> float:
    """F1 on `rows` of every group of cities, by trees grown on what `taught` gives for that group."""
    counted: dict[int, Counts] = {}
    for group in groups(count, ABLATION_FOLDS):
        model = fit_model(taught(group), name, 0, ABLATION_ROUNDS)
        for i in group:
            mine = rows.scene == i
            chance = 1 / (1 + np.exp(-(model.trees(rows.columns[mine]) - model.even)))
            percent = np.rint(100 * chance).astype(np.int64)
            counted[i] = _weighed(percent, rows.target[mine] > 0, rows.weight[mine])
    chosen = without_own([counted[i] for i in range(count)])
    return float(f1(np.sum(chosen, axis=0)))


def _weighed(values: NDArray[np.int64], truth: Mask, weight: NDArray[np.float32]) -> Counts:
    """`tally` where each row stands for as many pixels as it weighs."""
    sums = [np.bincount(values[p], weight[p], 101)[::-1].cumsum()[::-1][LEVELS] for p in (truth, ~truth)]
    return np.stack([sums[0], sums[1], float(weight[truth].sum()) - sums[0]], axis=1)
