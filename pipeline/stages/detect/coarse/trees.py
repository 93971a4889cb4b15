"""Boosted trees as plain arrays: read from a file, walked pixel by pixel in a fixed order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pipeline.pair import Float

Index = NDArray[np.int16]


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
        roots = self.roots[first:last]
        out = np.full(len(columns), self.constant if first == 0 else 0.0, np.float32)
        _walk(columns, roots, self.column, self.limit, self.low, self.high, out)
        return out

    @property
    def used(self) -> NDArray[np.bool_]:
        """Which columns, up to the last one that any tree looks at, are looked at."""
        out = np.zeros(int(self.column.max(initial=-1)) + 1, bool)
        out[self.column[self.column >= 0]] = True
        return out

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


@njit(nogil=True, cache=True)
def _walk(
    columns: Float, roots: NDArray[np.int32], column: Index, limit: Float, low: Index, high: Index, out: Float
) -> None:  # pragma: no cover
    block = 256  # pixels that go through all trees while their evidence is in the cache
    for start in range(0, len(columns), block):
        stop = min(start + block, len(columns))
        for root in roots:
            for n in range(start, stop):
                node = root
                while column[node] >= 0:
                    node = root + (low[node] if columns[n, column[node]] <= limit[node] else high[node])
                out[n] += limit[node]
