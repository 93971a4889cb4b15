"""From tie points to the field: robust, and as stiff as tie points kept out of the fit ask for.

Tukey's biweight by iterative reweighting, starting from the tie points that agree, so that a new building or
a moved cloud does not bend the field, while points that a smooth warp has carried off the first agreement
come back in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from pipeline.shift import ShiftField
from pipeline.stages.align.spline import Design, Floats, bending
from pipeline.stages.align.ties import Ties

CELLS = 14  # spline cells along the longer side
STIFFNESS = tuple(
    float(s) for s in 10.0 ** np.arange(-2.0, 5.5, 0.75)
)  # tried; the last is as good as affine
FOLDS = 5
FOLD_BLOCK = 3  # windows a side that are kept out together: they overlap, so none is a witness for another
FLOOR = 0.02  # pixels; no tie point is better than this
CAP = 1.0  # pixels; a kept-out tie point that is further off is wrong, and how wrong does not matter
BETTER = 0.98  # of the stiffer field's kept-out error is what a softer one must reach


@dataclass(frozen=True, eq=False)
class Fit:
    """The field, and for each tie point: `weight` (0..1, how far it was believed) and `kept_out`, its
    distance in pixels from the field fitted without it and its neighbours. `stiffness` is infinite for one
    shift.
    """

    field: ShiftField
    weight: Floats
    kept_out: Floats
    stiffness: float


def fit_translation(ties: Ties, believed: NDArray[np.bool_], grid: GeoBox) -> Fit:
    """One shift: the median of those believed; each tie point is compared with that of the others."""
    row, col = np.median(ties.shift[believed], axis=0)
    kept_out = np.empty(len(ties))
    for k in range(len(ties)):
        others = believed.copy()
        others[k] = False
        kept_out[k] = np.linalg.norm(ties.shift[k] - np.median(ties.shift[others], axis=0))
    field = ShiftField.constant(grid, col * grid.transform.a, row * grid.transform.e)
    return Fit(field, believed.astype(np.float64), kept_out, np.inf)


def fit_smooth(
    ties: Ties, believed: NDArray[np.bool_], grid: GeoBox, stiffness: tuple[float, ...] = STIFFNESS
) -> Fit:
    """A smooth field through the tie points, from those believed on; its stiffness by cross-validation."""
    shape = (int(grid.shape[0]), int(grid.shape[1]))
    step = max(shape) / CELLS
    lattice = ShiftField.lattice(shape, step)
    design = Design.of(ties.row, ties.col, step, lattice)
    prior = FLOOR**2 / (FLOOR**2 + ties.sigma**2)
    folds, energy = _folds(ties), bending(lattice)
    best, score = Fit(ShiftField.zero(grid), prior, prior, np.inf), np.inf
    for stiff in sorted(stiffness, reverse=True):
        coefficients, weight = _robust(design, ties.shift, prior, believed, stiff * energy)
        kept_out = _kept_out(design, ties.shift, prior * weight, stiff * energy, folds)
        error = float(np.mean(np.minimum(kept_out, CAP) ** 2))
        if error < BETTER * score:
            dy, dx = (coefficients[:, k].reshape(lattice) for k in (0, 1))
            field = ShiftField(step, dx * grid.transform.a, dy * grid.transform.e)
            best, score = Fit(field, weight, kept_out, stiff), error
    return best


def _robust(
    design: Design, shift: Floats, prior: Floats, believed: NDArray[np.bool_], energy: Floats
) -> tuple[Floats, Floats]:
    """Coefficients and Tukey weights; a tie point not believed at first counts once the field passes it
    closely.
    """
    weight = believed.astype(np.float64)
    coefficients = design.solve(shift, prior * weight, energy)
    for _ in range(4):
        distance = np.linalg.norm(shift - design.at(coefficients), axis=1)
        scale = max(
            float(np.median(distance[weight > 0])) / 1.18, FLOOR
        )  # 1.18: median of a Rayleigh distribution
        weight = np.clip(1 - (distance / (5 * scale)) ** 2, 0, None) ** 2
        coefficients = design.solve(shift, prior * weight, energy)
    return coefficients, weight


def _folds(ties: Ties) -> NDArray[np.intp]:
    """Which fold a tie point is in: neighbours together, folds spread over the image, the same every time."""
    block = np.stack([ties.lattice_row // FOLD_BLOCK, ties.lattice_col // FOLD_BLOCK], axis=1)
    _, which = np.unique(block, axis=0, return_inverse=True)
    order = np.random.default_rng(0).permutation(int(which.max(initial=0)) + 1)
    fold: NDArray[np.intp] = order[which.ravel()] % FOLDS
    return fold


def _kept_out(
    design: Design, shift: Floats, weight: Floats, energy: Floats, folds: NDArray[np.intp]
) -> Floats:
    """Distance of each tie point from the field that its fold was kept out of."""
    distance = np.empty(len(shift))
    for fold in np.unique(folds):
        out = folds == fold
        coefficients = design.solve(shift, np.where(out, 0.0, weight), energy)
        distance[out] = np.linalg.norm(shift[out] - design.at(coefficients)[out], axis=1)
    return distance
