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
    rng = np.random.default_rng(0)
    best = np.zeros(len(ties), np.bool_)
    for k in range(TRIES):
        inside = _agree(place, shift, _guess(place, shift, rng, affine=k % 2 == 1), tolerance)
        if inside.sum() > best.sum():
            best = inside
    for _ in range(5):  # least squares on those inside, then look again who is
        if np.linalg.matrix_rank(place[best]) < 3:
            break
        model: Floats = np.linalg.lstsq(place[best], shift[best], rcond=None)[0].astype(np.float64)
        inside = _agree(place, shift, model, tolerance)
        if inside.sum() <= best.sum():
            break
        best = inside
    return best


def _guess(place: Floats, shift: Floats, rng: np.random.Generator, affine: bool) -> Floats:
    """A map through one tie point (a shift) or through three; as (3, 2): constant, by row, by col."""
    model = np.zeros((3, 2))
    chosen = rng.integers(len(place), size=3)
    if affine and abs(np.linalg.det(place[chosen])) > 1e3:
        return np.asarray(np.linalg.solve(place[chosen], shift[chosen]), np.float64)
    model[0] = shift[chosen[0]]
    return model


def _agree(place: Floats, shift: Floats, model: Floats, tolerance: float) -> NDArray[np.bool_]:
    if np.abs(model[1:]).max() > MAX_STRAIN:
        return np.zeros(len(place), np.bool_)
    inside: NDArray[np.bool_] = np.linalg.norm(shift - place @ model, axis=1) < tolerance
    return inside
