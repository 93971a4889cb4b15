"""Boosted trees as plain arrays: read from a file, scored many pixels at a time in a fixed order.

A pixel is not walked down a tree. Every split of a tree is put to all pixels, and each answer crosses out
the leaves that it rules out; the first leaf that is left is the one that the walk would have come to
(QuickScorer, Lucchese et al. 2015). No branch can be guessed wrong, and the vector units take eight pixels at
a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pipeline.pair import Float

Index = NDArray[np.int16]

_LEAVES = 31  # a tree may have: as many as a signed whole number has bits to cross out
_EVERY = 0xFFFFFFFF


@dataclass(frozen=True)
class Trees:
    """A sum of decision trees over the columns of `windows.evidence`.

    `roots`: (tree,) int32, each tree's first node. `column`: (node,) int16, -1 at a leaf. `limit`: (node,)
    float32, what a value must not exceed to go to `low`, else to `high` (int16, counted from the root);
    at a leaf its value.
    """

    roots: NDArray[np.int32]
    column: Index
    limit: Float
    low: Index
    high: Index
    constant: float = 0.0

    def __call__(self, columns: Float, first: int = 0, last: int | None = None) -> Float:
        """Sum (n,) float32 over trees `first` to `last` for evidence (n, column)."""
        out = np.full(len(columns), self.constant if first == 0 else 0.0, np.float32)
        splits = self._splits
        some = slice(splits.starts[first], splits.starts[len(self.roots) if last is None else last])
        _score(
            columns,
            self._looked_at(some),
            splits.starts[first : None if last is None else last + 1],
            splits.column,
            splits.limit,
            splits.left,
            splits.leaves[first:last],
            out,
        )
        return out

    def used(self, last: int | None = None) -> NDArray[np.bool_]:
        """Which columns, up to the last one that is looked at, trees before `last` look at."""
        column = self._splits.column[: self._splits.starts[len(self.roots) if last is None else last]]
        out = np.zeros(int(column.max(initial=-1)) + 1, bool)
        out[column] = True
        return out

    def _looked_at(self, splits: slice) -> NDArray[np.int64]:
        """The columns of some splits, in order; found once, as pixels come by the thousand."""
        key = splits.start, splits.stop
        if key not in self._columns:
            self._columns[key] = np.unique(self._splits.column[splits])
        return self._columns[key]

    @cached_property
    def _columns(self) -> dict[tuple[int, int], NDArray[np.int64]]:
        return {}

    @cached_property
    def _splits(self) -> _Splits:
        return _Splits.of(self)

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """As `from_arrays` reads it."""
        named = {name: getattr(self, name) for name in ("roots", "column", "limit", "low", "high")}
        return {
            f"{prefix}_{name}": array
            for name, array in (named | {"constant": np.float32(self.constant)}).items()
        }

    @classmethod
    def from_arrays(cls, arrays: Any, prefix: str) -> Trees:
        """From a file of arrays (a mapping), whose names start with `prefix`."""
        roots, column, limit, low, high = (
            np.ascontiguousarray(arrays[f"{prefix}_{name}"])
            for name in ("roots", "column", "limit", "low", "high")
        )
        return cls(roots, column, limit, low, high, float(arrays[f"{prefix}_constant"]))


@dataclass(frozen=True)
class _Splits:
    """The same trees by their splits. `starts`: (tree + 1,) each tree's first split. `column`, `limit`: of
    each split. `left`: (split,) uint32, a bit for each leaf, from the lowest value on, that a pixel beyond
    the limit may still come to. `leaves`: (tree, leaf) their values.
    """

    starts: NDArray[np.int64]
    column: NDArray[np.int64]
    limit: Float
    left: NDArray[np.uint32]
    leaves: Float

    @classmethod
    def of(cls, trees: Trees) -> _Splits:
        """Raises ValueError for trees of too many leaves."""
        starts, splits = [0], list[tuple[int, float, int]]()
        leaves = np.zeros((len(trees.roots), _LEAVES), np.float32)
        for number, root in enumerate(trees.roots):
            own, values = _in_order(trees, int(root))
            if len(values) > _LEAVES:
                raise ValueError(f"a tree of {len(values)} leaves; there may be {_LEAVES}")
            splits += own
            starts.append(len(splits))
            leaves[number, : len(values)] = values
        column, limit, left = zip(*splits, strict=True) if splits else ((), (), ())
        return cls(
            np.array(starts, np.int64),
            np.array(column, np.int64),
            np.array(limit, np.float32),
            np.array(left, np.uint32),
            leaves,
        )


def _in_order(trees: Trees, root: int) -> tuple[list[tuple[int, float, int]], list[float]]:
    """A tree's splits (column, limit, leaves left beyond it), and the values of its leaves."""
    splits, leaves = list[tuple[int, float, int]](), list[float]()

    def visit(node: int) -> None:
        if trees.column[node] < 0:
            leaves.append(float(trees.limit[node]))
            return
        first = len(leaves)
        visit(root + int(trees.low[node]))
        ruled_out = (1 << len(leaves)) - (1 << first)
        splits.append((int(trees.column[node]), float(trees.limit[node]), _EVERY & ~ruled_out))
        visit(root + int(trees.high[node]))

    visit(root)
    return splits, leaves


@njit(nogil=True, cache=True)
def _score(
    columns: Float,
    wanted: NDArray[np.int64],
    starts: NDArray[np.int64],
    column: NDArray[np.int64],
    limit: Float,
    left: NDArray[np.uint32],
    leaves: Float,
    out: Float,
) -> None:  # pragma: no cover
    block = 128  # pixels that go through all trees while their evidence is in the cache
    lines = np.zeros((columns.shape[1], block), np.float32)
    alive = np.empty(block, np.uint32)
    lowest = np.empty(block, np.float32)
    bits = lowest.view(np.int32)
    for start in range(0, len(columns), block):
        count = min(block, len(columns) - start)
        for c in wanted:
            for n in range(count):
                lines[c, n] = columns[start + n, c]
        for tree in range(len(starts) - 1):
            alive[:] = np.uint32(0xFFFFFFFF)
            for split in range(starts[tree], starts[tree + 1]):
                line, most, beyond = lines[column[split]], limit[split], left[split]
                for n in range(block):
                    alive[n] &= np.uint32(0xFFFFFFFF) if line[n] <= most else beyond
            for n in range(block):
                lowest[n] = np.float32(np.int32(alive[n] & (~alive[n] + np.uint32(1))))
            values = leaves[tree]
            for n in range(count):
                out[start + n] += values[(bits[n] >> 23) - 127]  # the exponent: which bit it was
