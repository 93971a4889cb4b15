"""Which tie points agree with one another, before any warp is fitted (RANSAC, Fischler and Bolles 1981)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.stages.align.spline import Floats
from pipeline.stages.align.ties import Ties

TOLERANCE = 1.5  # pixels from the map that they agree on; leaves room for a warp
MAX_STRAIN = 0.03  # of that map: one degree of rotation is 0.017, one percent of scale 0.01
TRIES = 600


def agreement(ties: Ties, tolerance: float = TOLERANCE) -> NDArray[np.bool_]:
    """The tie points within `tolerance` of the near-rigid affine map that most of them agree on."""
    if not len(ties):
        return np.zeros(0, np.bool_)
    place, shift = np.stack([np.ones(len(ties)), ties.row, ties.col], axis=1), ties.shift
    best = np.zeros(len(ties), np.bool_)
    for guess in _guesses(place, shift):
        inside = _inside(place, shift, guess, tolerance)
        if inside.sum() > best.sum():
            best = inside
    for _ in range(5):  # least squares on those inside, then look again who is
        if np.linalg.matrix_rank(place[best]) < 3:
            break
        model: Floats = np.linalg.lstsq(place[best], shift[best], rcond=None)[0].astype(np.float64)
        if _strained(model):
            break
        inside = _inside(place, shift, model, tolerance)
        if inside.sum() <= best.sum():
            break
        best = inside
    return best


def _guesses(place: Floats, shift: Floats) -> Floats:
    """Maps through one tie point (a shift) and, each second one, through three, as (n, 3, 2): constant, by
    row, by col. Those that strain the image are left out.
    """
    chosen = np.random.default_rng(0).integers(len(place), size=(TRIES, 3))
    models = np.zeros((TRIES, 3, 2))
    models[:, 0] = shift[chosen[:, 0]]
    affine = np.arange(TRIES) % 2 == 1
    affine[affine] = np.abs(np.linalg.det(place[chosen[affine]])) > 1e3
    models[affine] = np.linalg.solve(place[chosen[affine]], shift[chosen[affine]])
    return models[~_strained(models)]


def _strained(models: Floats) -> NDArray[np.bool_]:
    return np.asarray(np.abs(models[..., 1:, :]).max(axis=(-2, -1)) > MAX_STRAIN)


def _inside(place: Floats, shift: Floats, model: Floats, tolerance: float) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = np.linalg.norm(shift - place @ model, axis=1) < tolerance
    return inside
