"""Grow boosted trees with LightGBM (Ke et al. 2017), and turn them into the arrays that ship."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.pair import Float
from pipeline.stages.detect.coarse.trees import Trees

SETTINGS: dict[str, Any] = {
    "objective": "binary",
    "num_leaves": 15,
    "learning_rate": 0.06,
    "feature_fraction": 0.15,
    "bagging_fraction": 0.5,
    "bagging_freq": 1,
    "min_data_in_leaf": 200,
    "lambda_l2": 20,
    "max_bin": 31,
    "bin_construct_sample_cnt": 50_000,
    "use_missing": False,
    "num_threads": 1,
    "force_col_wise": True,
    "deterministic": True,
    "verbose": -1,
}


def grow(
    columns: Float,
    target: Float,
    weight: Float,
    rounds: int,
    seed: int,
    kinds: Sequence[dict[str, Any]] = ({}, {"extra_trees": True}),
) -> Trees:
    """Trees whose sum is the logit of a probability; the same arguments, the same trees.

    `columns`: (n, column) float32, no NaN; `target`: (n,) 0 or 1; `weight`: (n,). One fit for each of `kinds`
    (what it sets otherwise than `SETTINGS`), and their mean.
    """
    import lightgbm

    how = {key: SETTINGS[key] for key in ("max_bin", "bin_construct_sample_cnt", "force_col_wise", "verbose")}
    data = lightgbm.Dataset(columns, target, weight=weight / weight.mean(), params=how | {"num_threads": 1})
    grown = []
    for number, kind in enumerate(kinds):
        told = lightgbm.train(SETTINGS | {"seed": seed + number} | kind, data, rounds).dump_model()
        grown.append(pack([tree["tree_structure"] for tree in told["tree_info"]]))
    return average(grown)


def pack(structures: list[dict[str, Any]]) -> Trees:
    """Trees as LightGBM tells them, as arrays."""
    roots: list[int] = []
    nodes: list[tuple[int, np.float32, int, int]] = []
    for structure in structures:
        roots.append(len(nodes))
        nodes += _flat(structure)
    column, limit, low, high = zip(*nodes, strict=True)
    return Trees(
        np.array(roots, np.int32),
        np.array(column, np.int16),
        np.array(limit, np.float32),
        np.array(low, np.int16),
        np.array(high, np.int16),
    )


def _flat(structure: dict[str, Any]) -> list[tuple[int, np.float32, int, int]]:
    """The nodes of one tree, root first, its branches by their place in the list."""
    out: list[tuple[int, np.float32, int, int]] = []

    def add(node: dict[str, Any]) -> int:
        at = len(out)
        if "leaf_value" in node:
            out.append((-1, np.float32(node["leaf_value"]), 0, 0))
            return at
        out.append((0, np.float32(0), 0, 0))
        low = add(node["left_child"])
        out[at] = (node["split_feature"], _below(node["threshold"]), low, add(node["right_child"]))
        return at

    add(structure)
    return out


def _below(limit: float) -> np.float32:
    """The largest float32 that is not above `limit`: float32 values fall on the same side of both."""
    near = np.float32(limit)
    return near if float(near) <= limit else np.nextafter(near, np.float32(-np.inf))


def average(kinds: Sequence[Trees]) -> Trees:
    """The mean of several sums of trees as one sum, their trees in turn."""
    starts = np.cumsum([0, *(len(each.column) for each in kinds)])
    order = np.argsort(np.concatenate([np.arange(len(each.roots)) for each in kinds]), kind="stable")
    roots = np.concatenate([each.roots + start for each, start in zip(kinds, starts, strict=False)])[order]
    limits = [
        np.where(each.column < 0, each.limit / np.float32(len(kinds)), each.limit).astype(np.float32)
        for each in kinds
    ]
    return Trees(
        roots.astype(np.int32),
        np.concatenate([each.column for each in kinds]),
        np.concatenate(limits),
        np.concatenate([each.low for each in kinds]),
        np.concatenate([each.high for each in kinds]),
    )
