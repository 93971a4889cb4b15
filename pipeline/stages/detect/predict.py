"""Predict one date from the other, so that only what the scene as a whole does not explain is left.

Light, season and sensor change all pixels of a kind in the same way; a robust quadratic regression between
the dates takes that out. What remains is measured against its own spread (Mahalanobis distance), as in
IR-MAD (Nielsen 2007).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pipeline.pair import Float

_ITERATIONS = 12
_LEAST_NOISE = 0.01  # of a scene's contrast: two copies of one image are not judged by rounding errors
_PIXELS_PER_TERM = 20  # below this many sample pixels a term, the quadratic terms are left out


@dataclass(frozen=True)
class Predictor:
    """Regression of one date's bands (target) on the other's (source).

    `mean`, `scale`: (band,) standardise the source. `coefficients`: (term, band). `precision`: (band,
    band), the inverse covariance of the residual over unchanged pixels. All float32.
    """

    mean: Float
    scale: Float
    coefficients: Float
    precision: Float

    def __call__(self, source: Float, out: Float | None = None) -> Float:
        """The target image (band, y, x) that the source image leads one to expect, in `out` if that is given;
        NaN stays NaN.
        """
        if out is None:
            out = np.empty((self.coefficients.shape[1], *source.shape[1:]), np.float32)
        _predict(source, self.mean, self.scale, self.coefficients, out)
        return out

    def distance(self, residual: Float) -> Float:
        """Mahalanobis distance (y, x) of a residual (band, y, x), per band: about 1 where nothing changed."""
        return _distance(residual, self.precision)


def fit_predictor(source: Float, target: Float) -> Predictor:
    """Fit by iteratively reweighted least squares; pixels that fit badly lose their weight.

    `source`, `target`: (band, n) observed pixels, NaN-free.
    """
    bands, count = source.shape
    mean = source.mean(axis=1, dtype=np.float64)
    scale = source.std(axis=1, dtype=np.float64) + 1e-6
    standard = (source.T.astype(np.float64) - mean) / scale
    quadratic = count >= _PIXELS_PER_TERM * _terms(bands, quadratic=True)
    design = _design(standard, quadratic)
    goal = target.T.astype(np.float64)
    weight = np.ones(count)
    ridge = 1e-6 * count * np.eye(design.shape[1])
    floor = (_LEAST_NOISE * (goal.std(axis=0).mean() + 1e-6)) ** 2 * np.eye(bands)
    for _ in range(_ITERATIONS):
        weighted = design * weight[:, None]
        coefficients = np.linalg.solve(weighted.T @ design + ridge, weighted.T @ goal)
        residual = goal - design @ coefficients
        covariance = (residual * weight[:, None]).T @ residual / weight.sum() + floor
        precision = np.linalg.inv(covariance)
        distance = np.einsum("ij,jk,ik->i", residual, precision, residual)
        weight = 1 / (1 + distance / bands) ** 2
    return Predictor(_f4(mean), _f4(scale), _f4(coefficients), _f4(precision))


def _terms(bands: int, quadratic: bool) -> int:
    return 1 + bands + (bands * (bands + 1) // 2 if quadratic else 0)


def _design(standard: NDArray[np.float64], quadratic: bool) -> NDArray[np.float64]:
    """Rows of 1, each band, and each product of two bands, in the order that `_predict` walks."""
    bands = standard.shape[1]
    columns = [np.ones((len(standard), 1)), standard]
    if quadratic:
        columns += [standard[:, i : i + 1] * standard[:, i:] for i in range(bands)]
    return np.concatenate(columns, axis=1)


def _f4(array: NDArray[np.float64]) -> Float:
    return np.ascontiguousarray(array, dtype=np.float32)


# Written out as loops over rows rather than as matrix products: BLAS sums in another order for another block
# size, and the result must not depend on the chunking. The innermost loops run along a row, so that the
# machine's vector units can take several pixels at a time.
@njit(nogil=True, cache=True)
def _predict(
    source: Float, mean: Float, scale: Float, coefficients: Float, out: Float
) -> None:  # pragma: no cover
    bands, height, width = source.shape
    terms, targets = coefficients.shape
    term = np.empty((terms, width), np.float32)
    term[0] = np.float32(1)
    for y in range(height):
        for i in range(bands):
            row, given = term[1 + i], source[i, y]
            for x in range(width):
                row[x] = (given[x] - mean[i]) / scale[i]
        if terms > 1 + bands:
            k = 1 + bands
            for i in range(bands):
                for j in range(i, bands):
                    row, one, other = term[k], term[1 + i], term[1 + j]
                    for x in range(width):
                        row[x] = one[x] * other[x]
                    k += 1
        for t in range(targets):
            total = out[t, y]
            total[:] = coefficients[0, t]
            for k in range(1, terms):
                row, weight = term[k], coefficients[k, t]
                for x in range(width):
                    total[x] += row[x] * weight


@njit(nogil=True, cache=True)
def _distance(residual: Float, precision: Float) -> Float:  # pragma: no cover
    bands, height, width = residual.shape
    out = np.empty((height, width), np.float32)
    for y in range(height):
        total = out[y]
        total[:] = np.float32(0)
        for i in range(bands):
            for j in range(bands):
                one, other, weight = residual[i, y], residual[j, y], precision[i, j]
                for x in range(width):
                    total[x] += one[x] * weight * other[x]
        for x in range(width):
            total[x] = np.sqrt(max(total[x], np.float32(0)) / np.float32(bands))
    return out
