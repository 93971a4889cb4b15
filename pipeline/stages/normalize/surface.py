"""A slowly varying offset, and where it earns it gain, for haze and view angle: low-order Legendre surfaces.

A surface of total degree 3 at most follows nothing smaller than about a third of the scene. Its degree is
chosen on parts of the scene kept out of the fit (block cross-validation, Roberts et al. 2017), and it is kept
only where it predicts those clearly better than one gain and offset do.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ORDER = 3
PARTS = 8  # blocks a side of the scene
FOLDS = 5
TERMS = tuple((i, j) for order in range(1, ORDER + 1) for i in range(order, -1, -1) for j in (order - i,))
COUNT = {order: sum(i + j <= order for i, j in TERMS) for order in range(ORDER + 1)}
CHOICES = ((0, 0), (1, 0), (2, 0), (1, 1), (3, 0), (2, 1), (3, 1), (2, 2), (3, 2))  # simplest first
NEAR = 1.01  # a simpler surface is taken where its kept-out residual is this near to the least
SURE = 3.0  # standard errors (over blocks) that a surface must gain
STEADY = 0.5  # of the residual: what block means left over may throw a surface out by at its worst place
TURNS = 5  # of gain and gain surface
WIDTH = 1 + len(TERMS) + COUNT[2] + 2  # columns: 1, the terms, the terms to order 2 times x, x, y
X, Y = WIDTH - 2, WIDTH - 1


def scaled(positions: Floats, size: int) -> Floats:
    """Rows or columns of a grid of `size` as -1..1."""
    return (np.asarray(positions, np.float64) * 2 - (size - 1)) / max(size - 1, 1)


def terms(v: Floats, u: Floats) -> Floats:
    """(term, n): products of Legendre polynomials, each of mean zero over the scene."""
    by_row, by_col = legendre.legvander(v, ORDER).T, legendre.legvander(u, ORDER).T
    return np.stack([by_row[i] * by_col[j] for i, j in TERMS])


def monomials(weights: Floats) -> Floats:
    """(4, 4) coefficients of v^i u^j of the surface with these weights of the terms."""
    table = np.zeros((ORDER + 1, ORDER + 1))
    for (i, j), weight in zip(TERMS, weights, strict=False):
        table[i, j] = weight
    power = np.zeros_like(table)
    for k in range(ORDER + 1):
        power[k, : k + 1] = legendre.leg2poly(np.eye(ORDER + 1)[k])[: k + 1]
    out: Floats = power.T @ table @ power
    return out


@dataclass(frozen=True, eq=False)
class Places:
    """Where the sampled pixels lie, in the order of their blocks: the surface's terms there (term, n), and
    where each block's pixels are.
    """

    terms: Floats
    blocks: tuple[slice, ...]

    @classmethod
    def of(cls, rows: Floats, cols: Floats, shape: tuple[int, int]) -> tuple[Places, Ints]:
        """The places, and the order (n) that the pixels are to be brought into."""
        v, u = scaled(rows, shape[0]), scaled(cols, shape[1])
        part = [np.clip(((w + 1) / 2 * PARTS).astype(np.int64), 0, PARTS - 1) for w in (v, u)]
        block = part[0] * PARTS + part[1]
        order = np.argsort(block, kind="stable")
        ends = np.searchsorted(block[order], np.arange(PARTS * PARTS + 1)).tolist()
        return cls(terms(v[order], u[order]), tuple(slice(*end) for end in pairwise(ends))), order


def folds() -> Ints:
    """Fold of each block, neighbours in different ones."""
    row, col = np.divmod(np.arange(PARTS * PARTS), PARTS)
    out: Ints = (row + 2 * col) % FOLDS
    return out


@dataclass(frozen=True, eq=False)
class Fit:
    """before = gain * x + offset + additive surface + (x - centre) * gain surface, of one band."""

    gain: float
    offset: float
    centre: float
    add: Floats  # (terms of its order,)
    multiply: Floats

    def at(self, x: Floats, terms: Floats) -> Floats:
        """The normalised values (n) where the surface has these terms (term, n)."""
        out = self.gain * x + self.offset
        if len(self.add):
            out += self.add @ terms[: len(self.add)]
        if len(self.multiply):
            out += (x - self.centre) * (self.multiply @ terms[: len(self.multiply)])
        return np.asarray(out)

    def vector(self) -> Floats:
        """The residual's weights of the columns of a Gram matrix."""
        out = np.zeros(WIDTH)
        out[0], out[X], out[Y] = self.offset, self.gain, -1.0
        out[1 : 1 + len(self.add)] = self.add
        out[1 : 1 + len(self.multiply)] -= self.centre * self.multiply
        first = 1 + len(TERMS)
        out[first : first + len(self.multiply)] = self.multiply
        return out


def grams(x: Floats, y: Floats, weight: Floats, places: Places) -> Floats:
    """(block, WIDTH, WIDTH) weighted products of all columns: all that fits and residuals need."""
    out = np.zeros((PARTS * PARTS, WIDTH, WIDTH))
    for block, at in enumerate(places.blocks):
        t, one = places.terms[:, at], np.ones((1, at.stop - at.start))
        columns = np.concatenate([one, t, t[: COUNT[2]] * x[at], x[None, at], y[None, at]])
        out[block] = (columns * weight[at]) @ columns.T
    return out


def solve(gram: Floats, choice: tuple[int, int], max_gain: float) -> Fit:
    """The fit of additive and gain surfaces of these orders.

    Gain by orthogonal regression of what the surfaces' terms leave of x and y (Frisch and Waugh 1933), so
    that neither takes what is the other's; the gain surface and the gain in turn, as each bears on the other.
    """
    add, multiply = COUNT[choice[0]], COUNT[choice[1]]
    base = list(range(1 + add))
    centre = gram[0, X] / max(gram[0, 0], 1e-12)
    rest = gram - gram[:, base] @ _least(gram[np.ix_(base, base)], gram[base])
    columns = np.zeros((WIDTH, multiply))  # (x - centre) * term
    for k in range(multiply):
        columns[1 + len(TERMS) + k, k], columns[1 + k, k] = 1.0, -centre
    inner, toward = columns.T @ rest @ columns, columns.T @ rest
    joint = np.concatenate([columns, np.eye(WIDTH)[:, [X]]], axis=1)
    weights = _least(joint.T @ rest @ joint, joint.T @ rest[:, Y])[:multiply]
    gain = 1.0
    for _ in range(TURNS if multiply else 1):
        z = np.eye(WIDTH)[Y] - columns @ weights
        gain = slope(float(rest[X, X]), float(z @ rest @ z), float(rest[X] @ z))
        gain = min(max(gain, 1 / max_gain), max_gain)
        weights = _least(inner, toward[:, Y] - gain * toward[:, X])
    left = gram[base, Y] - gain * gram[base, X] - gram[base] @ columns @ weights
    level = _least(gram[np.ix_(base, base)], left)
    return Fit(gain, float(level[0]), float(centre), level[1:], weights)


def _least(matrix: Floats, right: Floats) -> Floats:
    if not len(matrix):
        return np.zeros(right.shape)
    return np.asarray(np.linalg.lstsq(matrix, right, rcond=1e-10)[0], np.float64)


def slope(xx: float, yy: float, xy: float) -> float:
    """Slope of the orthogonal regression line; 1 where the two do not go together."""
    if xy <= 0.1 * np.sqrt(max(xx * yy, 0.0)) or xy <= 0:
        return 1.0
    return float((yy - xx + np.hypot(yy - xx, 2 * xy)) / (2 * xy))


def kept_out(gram: Floats, choice: tuple[int, int], max_gain: float) -> tuple[Fit, ...]:
    """One fit a fold, to all blocks but its own."""
    fold = folds()
    return tuple(solve(gram[fold != k].sum(axis=0), choice, max_gain) for k in range(FOLDS))


def choose(gram: Floats, max_gain: float, margin: float) -> tuple[int, int]:
    """Orders of the additive and the gain surface that the kept-out blocks ask for; (0, 0) for none."""
    fold, weight = folds(), gram[:, 0, 0]
    used = weight > 0.02 * weight.mean()
    losses: dict[tuple[int, int], Floats] = {}
    total: dict[tuple[int, int], float] = {}
    for choice in CHOICES:
        vectors = np.stack([fit.vector() for fit in kept_out(gram, choice, max_gain)])[fold]
        loss = np.maximum(np.einsum("bi,bij,bj->b", vectors, gram, vectors), 0.0)[used]
        shift = np.einsum("bi,bi->b", vectors, gram[:, 0])[used] / weight[used]
        if choice != (0, 0):
            error = np.sqrt(np.mean(shift**2) * _leverage(gram.sum(axis=0), choice[0]) / max(len(shift), 1))
            if error > STEADY * np.sqrt(total[(0, 0)] / max(weight[used].sum(), 1e-12)):
                continue
        losses[choice], total[choice] = loss, float(loss.sum())
    near = min(total.values()) * NEAR**2
    best = next((choice for choice in losses if total[choice] <= near), (0, 0))
    gained = losses[(0, 0)] - losses[best]
    doubt = float(gained.std()) / np.sqrt(max(len(gained), 1))
    if total[best] > (1 - margin) ** 2 * total[(0, 0)] or float(gained.sum()) <= SURE * doubt * len(gained):
        return (0, 0)
    return best


def _leverage(gram: Floats, order: int) -> float:
    """Variance of a surface of this order at the worst place of the scene, for a mean of unit variance.

    Where all has changed, or is clouded, nothing holds the surface and it runs free.
    """
    base = list(range(1 + COUNT[order]))
    line = np.linspace(-1, 1, 17)
    v, u = (part.ravel() for part in np.meshgrid(line, line, indexing="ij"))
    at = np.concatenate([np.ones((1, v.size)), terms(v, u)])[base]
    have = gram[np.ix_(base, base)] / max(gram[0, 0], 1e-12)
    if np.linalg.cond(have) > 1e8:
        return np.inf
    return float((at * np.linalg.solve(have, at)).sum(axis=0).max())
