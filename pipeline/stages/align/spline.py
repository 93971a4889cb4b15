"""Penalised tensor B-splines through scattered points (Eilers and Marx 1996), as a banded system.

The penalty is bending energy, so the stiffest surface is a plane. Everything runs on one thread in a fixed
order: the same points give the same bits on any machine of one kind.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numba
import numpy as np
from numpy.typing import NDArray

from pipeline.shift import basis

Floats = NDArray[np.float64]
RIDGE = 1e-9  # holds coefficients that no point and no bending reaches


@dataclass(frozen=True, eq=False)
class Design:
    """Where each point falls: its first B-spline along rows and columns, and the weights of four of each (n,
    4).
    """

    lattice: tuple[int, int]
    first: tuple[NDArray[np.intp], NDArray[np.intp]]
    weights: tuple[Floats, Floats]

    @classmethod
    def of(cls, row: Floats, col: Floats, step: float, lattice: tuple[int, int]) -> Design:
        (first_row, by_row), (first_col, by_col) = (
            basis(position, step, count) for position, count in zip((row, col), lattice, strict=True)
        )
        return cls(lattice, (first_row, first_col), (np.stack(by_row, axis=1), np.stack(by_col, axis=1)))

    def solve(self, values: Floats, weight: Floats, bending: Floats) -> Floats:
        """Coefficients (lattice size, k) of the surfaces nearest to `values` (n, k) under `bending`."""
        band = bending.copy()
        right = np.zeros((self.lattice[0] * self.lattice[1], values.shape[1]))
        _accumulate(*self.first, *self.weights, weight, values, self.lattice[1], band, right)
        _solve(band, right)
        return right

    def at(self, coefficients: Floats) -> Floats:
        """The surfaces' values (n, k) at the points."""
        table = coefficients.reshape(*self.lattice, -1)
        out = np.zeros((len(self.first[0]), table.shape[2]))
        for i in range(4):
            for j in range(4):
                weight = self.weights[0][:, i] * self.weights[1][:, j]
                out += weight[:, None] * table[self.first[0] + i, self.first[1] + j]
        return out


@lru_cache(maxsize=8)  # the same for every fit on a lattice, and costlier than a fit on a small one
def bending(lattice: tuple[int, int]) -> Floats:
    """Bending energy rr + 2 rc + cc of the coefficients, as the lower band of its matrix: (j, k) is row j +
    k, column j. Not to be written to.
    """
    second, first, one = (
        [d.T @ d for d in (np.diff(np.eye(size), order, axis=0) for size in lattice)] for order in (2, 1, 0)
    )
    energy = np.kron(second[0], one[1]) + np.kron(one[0], second[1]) + 2 * np.kron(first[0], first[1])
    energy += RIDGE * np.eye(len(energy))
    width = 3 * lattice[1] + 4
    band = np.zeros((len(energy), width))
    for k in range(min(width, len(energy))):
        band[: len(energy) - k, k] = np.diagonal(energy, -k)
    band.flags.writeable = False
    return band


@numba.njit(nogil=True, cache=True)
def _accumulate(first_row, first_col, by_row, by_col, weight, values, width, band, right):  # type: ignore[no-untyped-def]
    """Add each point's share to the banded normal matrix and to the right-hand side."""
    index = np.empty(16, np.int64)
    value = np.empty(16)
    for p in range(len(weight)):
        if weight[p] == 0.0:
            continue
        for i in range(4):
            for j in range(4):
                index[4 * i + j] = (first_row[p] + i) * width + first_col[p] + j
                value[4 * i + j] = by_row[p, i] * by_col[p, j]
        for a in range(16):
            for b in range(a + 1):
                band[index[b], index[a] - index[b]] += weight[p] * value[a] * value[b]
            for k in range(values.shape[1]):
                right[index[a], k] += weight[p] * value[a] * values[p, k]


@numba.njit(nogil=True, cache=True)
def _solve(band, right):  # type: ignore[no-untyped-def]
    """Cholesky factorisation in place, then both substitutions; the solution takes the place of `right`."""
    size, width = band.shape
    for j in range(size):
        reach = min(width, size - j)
        pivot = band[j, :reach]
        pivot /= math.sqrt(pivot[0])
        for k in range(1, reach):
            factor, below = pivot[k], band[j + k]
            if factor != 0.0:
                for i in range(reach - k):
                    below[i] -= factor * pivot[k + i]
    for column in range(right.shape[1]):
        for j in range(size):
            right[j, column] /= band[j, 0]
            for k in range(1, min(width, size - j)):
                right[j + k, column] -= band[j, k] * right[j, column]
        for j in range(size - 1, -1, -1):
            for k in range(1, min(width, size - j)):
                right[j, column] -= band[j, k] * right[j + k, column]
            right[j, column] /= band[j, 0]
