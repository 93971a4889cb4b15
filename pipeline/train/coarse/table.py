"""Rows of evidence to grow trees on: all kinds of pixels, weighted so that no scene outweighs the rest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pipeline.pair import Float, Mask, Pair
from pipeline.stages.detect.coarse import maps, windows
from pipeline.stages.detect.coarse.measure import measure
from pipeline.train.coarse.labelled import Labelled

_CHANGED = 0.5  # share of the changed pixels that is taken
_UNCHANGED = 0.05  # and of the others
_TYPICAL_PX = 300_000  # a scene of so many pixels weighs its share; others by the root of their size
_WINDOW = 256  # pixels a side of the windows that a scene is measured on


@dataclass(frozen=True, eq=False)
class Table:
    """`columns`: (n, column) float32 evidence; `target`, `weight`: (n,) float32; `scene`: (n,) which one."""

    columns: Float
    target: Float
    weight: Float
    scene: NDArray[np.int64]

    def without(self, scenes: Sequence[int]) -> Table:
        """All rows but those of some scenes."""
        keep = ~np.isin(self.scene, scenes)
        return Table(self.columns[keep], self.target[keep], self.weight[keep], self.scene[keep])

    def beside(self, other: Table) -> Table:
        """These rows, then the other's; its scenes are numbered on."""
        scene = other.scene + self.scene.max(initial=-1) + 1
        pairs = ((self.columns, other.columns), (self.target, other.target), (self.weight, other.weight))
        columns, target, weight = (np.concatenate(pair) for pair in pairs)
        return Table(columns, target, weight, np.concatenate([self.scene, scene]))


def table(scenes: Iterable[Labelled], use: tuple[str, ...], seed: int) -> Table:
    """Rows of every scene, by the `use`d bands; the same seed takes the same rows."""
    parts = [_rows(scene.only(use), number, seed) for number, scene in enumerate(scenes)]
    return Table(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def cut(pair: Pair) -> list[Pair]:
    """The windows that a scene is measured on, as a comparison takes them."""
    height, width = pair.observed.shape
    return [
        pair.window(slice(row, row + _WINDOW), slice(col, col + _WINDOW))
        for row in range(0, height, _WINDOW)
        for col in range(0, width, _WINDOW)
    ]


def _rows(each: Labelled, number: int, seed: int) -> tuple[Float, Float, Float, NDArray[np.int64]]:
    rng = np.random.default_rng([seed, number])
    scene = measure(cut(each.pair), each.bands)
    whole = maps.maps(each.pair, scene)
    sure = each.pair.observed & ~_rim(each.truth)
    share = np.where(each.truth, _CHANGED, _UNCHANGED)
    rows, cols = np.nonzero(sure & (rng.random(sure.shape) < share))
    columns = windows.evidence(whole, windows.totals(whole), rows, cols, scene.scales)
    weight = each.share * np.sqrt(_TYPICAL_PX / max(int(sure.sum()), 1)) / share[rows, cols]
    target = each.truth[rows, cols].astype(np.float32)
    return columns, target, weight.astype(np.float32), np.full(len(rows), number)


def _rim(truth: Mask) -> Mask:
    """The pixels just outside what changed: truth is drawn by hand, they may be either."""
    return np.asarray(ndimage.binary_dilation(truth, np.ones((3, 3), bool)) & ~truth)
