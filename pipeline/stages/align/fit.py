"""From tie points to a smooth field: what most of them agree on, then a spline as stiff as kept-out points ask for.

Penalised tensor B-splines (Eilers and Marx 1996) with bending energy as the penalty, so that the stiffest field is an
affine one, and Tukey's biweight by iterative reweighting, so that a new building or a moved cloud does not bend it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from scipy import linalg

from pipeline.shift import ShiftField, basis
from pipeline.stages.align.ties import Floats, Ties

TOLERANCE = 1.5  # pixels from an affine map within which a point agrees with it, before any warp is fitted
MAX_STRAIN = 0.03  # of an affine map: 1 degree of rotation is 0.017, 1 % of scale is 0.01
CELLS = 14  # spline cells along the longer side, at most
STIFFNESS = tuple(
    10.0 ** np.arange(-2.0, 5.5, 0.75)
)  # penalties tried; the last is an affine map for all purposes
FOLDS = 5
FOLD_BLOCK = (
    3  # windows a side that are kept out together: they overlap, so they are no witnesses for each other
)
FLOOR = 0.02  # pixels; no tie point is better than this
CAP = 1.0  # pixels; a kept-out point that is further off is wrong, and how wrong does not matter


@dataclass(frozen=True, eq=False)
class Fit:
    """The field, and for each tie point: `weight` (0..1, how far it was believed) and `kept_out`, the distance in
    pixels between it and the field fitted without it and its neighbours."""

    field: ShiftField
    weight: Floats
    kept_out: Floats
    stiffness: float


def agreement(ties: Ties, tolerance: float = TOLERANCE, tries: int = 600) -> NDArray[np.bool_]:
    """The tie points within `tolerance` of the near-rigid affine map that most of them agree with (RANSAC)."""
    place = np.stack([np.ones(len(ties)), ties.row, ties.col], axis=1)
    best = np.zeros(len(ties), np.bool_)
    rng = np.random.default_rng(0)
    for k in range(tries):
        if k < tries // 2:  # a shift
            model = np.zeros((3, 2))
            model[0] = ties.shift[rng.integers(len(ties))]
        else:
            chosen = rng.integers(len(ties), size=3)
            if abs(np.linalg.det(place[chosen])) < 1e3:
                continue
            model = np.linalg.solve(place[chosen], ties.shift[chosen])
        inside = _agree(place, ties.shift, model, tolerance)
        if inside.sum() > best.sum():
            best = inside
    for _ in range(5):  # grow from the best: least squares on those inside, then look again
        if np.linalg.matrix_rank(place[best]) < 3:
            break
        model = np.linalg.lstsq(place[best], ties.shift[best], rcond=None)[0]
        inside = _agree(place, ties.shift, model, tolerance)
        if inside.sum() <= best.sum():
            break
        best = inside
    return best


def _agree(place: Floats, shift: Floats, model: Floats, tolerance: float) -> NDArray[np.bool_]:
    if np.abs(model[1:]).max() > MAX_STRAIN:
        return np.zeros(len(place), np.bool_)
    inside: NDArray[np.bool_] = np.linalg.norm(shift - place @ model, axis=1) < tolerance
    return inside


def fit_translation(ties: Ties, believed: NDArray[np.bool_], grid: GeoBox) -> Fit:
    """One shift for all: the median of those believed. Each point is kept out of the median it is compared with."""
    shift = np.median(ties.shift[believed], axis=0)
    kept_out = np.empty(len(ties))
    for k in range(len(ties)):
        others = believed.copy()
        others[k] = False
        kept_out[k] = (
            np.linalg.norm(ties.shift[k] - np.median(ties.shift[others], axis=0)) if others.any() else np.inf
        )
    field = ShiftField.constant(grid, shift[1] * grid.transform.a, shift[0] * grid.transform.e)
    return Fit(field, believed.astype(np.float64), kept_out, np.inf)


def fit_smooth(
    ties: Ties, believed: NDArray[np.bool_], grid: GeoBox, stiffness: tuple[float, ...] = STIFFNESS
) -> Fit:
    """A smooth field through the tie points, starting from those believed; its stiffness by cross-validation."""
    shape = (int(grid.shape[0]), int(grid.shape[1]))
    step = max(shape) / CELLS
    lattice = ShiftField.lattice(shape, step)
    design = _design(ties, step, lattice)
    penalty = _bending(lattice)
    prior = FLOOR**2 / (FLOOR**2 + ties.sigma**2)
    folds = _folds(ties)
    best: tuple[float, float, Floats, Floats, Floats] | None = None
    for stiff in sorted(stiffness, reverse=True):
        coefficients, weight = _robust(design, ties.shift, prior, believed, stiff * penalty)
        kept_out = _kept_out(design, ties.shift, prior * weight, stiff * penalty, folds)
        score = float(np.mean(np.minimum(kept_out, CAP) ** 2))
        if best is None or score < 0.98 * best[0]:
            best = (score, stiff, coefficients, weight, kept_out)
    assert best is not None
    _, stiff, coefficients, weight, kept_out = best
    dy, dx = (coefficients[:, k].reshape(lattice) for k in (0, 1))
    return Fit(ShiftField(step, dx * grid.transform.a, dy * grid.transform.e), weight, kept_out, stiff)


def _design(ties: Ties, step: float, lattice: tuple[int, int]) -> Floats:
    """(tie points, coefficients): the value of every B-spline at every tie point."""
    matrix = np.zeros((len(ties), *lattice))
    first_row, row_weights = basis(ties.row, step, lattice[0])
    first_col, col_weights = basis(ties.col, step, lattice[1])
    which = np.arange(len(ties))
    for i in range(4):
        for j in range(4):
            matrix[which, first_row + i, first_col + j] = row_weights[i] * col_weights[j]
    return matrix.reshape(len(ties), -1)


def _bending(lattice: tuple[int, int]) -> Floats:
    """Bending energy of the coefficients: squared second differences, rr + 2 rc + cc; zero for an affine map."""
    one = [np.eye(size) for size in lattice]
    two = [np.diff(e, 2, axis=0) for e in one]
    first = [np.diff(e, 1, axis=0) for e in one]
    parts = (np.kron(two[0], one[1]), np.kron(one[0], two[1]), np.sqrt(2) * np.kron(first[0], first[1]))
    energy: Floats = sum(part.T @ part for part in parts)
    return energy + 1e-9 * np.eye(energy.shape[0])


def _solve(design: Floats, shift: Floats, weight: Floats, penalty: Floats) -> Floats:
    weighted = design * weight[:, None]
    return _cholesky(weighted.T @ design + penalty, weighted.T @ shift)


def _cholesky(normal: Floats, right: Floats) -> Floats:
    return np.asarray(
        linalg.cho_solve(linalg.cho_factor(normal, check_finite=False), right, check_finite=False)
    )


def _robust(
    design: Floats, shift: Floats, prior: Floats, believed: NDArray[np.bool_], penalty: Floats
) -> tuple[Floats, Floats]:
    """Coefficients and Tukey weights; points not believed at first are taken in where the field goes through them."""
    weight = believed.astype(np.float64)
    coefficients = _solve(design, shift, prior * weight, penalty)
    for _ in range(4):
        distance = np.linalg.norm(shift - design @ coefficients, axis=1)
        inside = weight > 0
        scale = max(float(np.median(distance[inside])) / 1.18, FLOOR) if inside.any() else FLOOR
        weight = np.clip(1 - (distance / (5 * scale)) ** 2, 0, None) ** 2
        coefficients = _solve(design, shift, prior * weight, penalty)
    return coefficients, weight


def _folds(ties: Ties) -> NDArray[np.intp]:
    """Which fold a tie point is in: neighbours together, folds spread over the image, the same every time."""
    block = np.stack([ties.lattice_row // FOLD_BLOCK, ties.lattice_col // FOLD_BLOCK], axis=1)
    _, which = np.unique(block, axis=0, return_inverse=True)
    order = np.random.default_rng(0).permutation(int(which.max(initial=0)) + 1)
    fold: NDArray[np.intp] = order[which.ravel()] % FOLDS
    return fold


def _kept_out(
    design: Floats, shift: Floats, weight: Floats, penalty: Floats, folds: NDArray[np.intp]
) -> Floats:
    """Distance of each point from the field that its fold was kept out of."""
    weighted = design * weight[:, None]
    normal, right = weighted.T @ design + penalty, weighted.T @ shift
    distance = np.empty(len(shift))
    for fold in np.unique(folds):
        out = folds == fold
        coefficients = _cholesky(normal - weighted[out].T @ design[out], right - weighted[out].T @ shift[out])
        distance[out] = np.linalg.norm(shift[out] - design[out] @ coefficients, axis=1)
    return distance
