"""Which pixels of a sample did not change, whatever the gains of the bands.

Iteratively reweighted multivariate alteration detection (IR-MAD, Nielsen 2007) started from lines through
medians, so that many clouds or much change do not lead it astray.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import scipy
from numpy.typing import NDArray

from pipeline.stages.normalize.surface import slope

Floats = NDArray[np.float64]
_SETTLING_PIXELS = 50_000
RIDGE = 1e-6  # of a band's variance, so that bands which repeat one another do no harm


def robust_chance(x: Floats, y: Floats, rounds: int = 10) -> Floats:
    """A first guess that a third of changed pixels, or clouds, do not sway: lines from medians, improved in
    turn on every so many pixels.
    """
    few_x, few_y = (np.ascontiguousarray(values[:, _every(values)]) for values in (x, y))
    middle_x, middle_y = np.median(few_x, axis=1), np.median(few_y, axis=1)
    gain = _spread(few_y - middle_y[:, None]) / np.maximum(_spread(few_x - middle_x[:, None]), 1e-12)
    gain = np.where(np.isfinite(gain) & (gain > 0), gain, 1.0)
    offset = middle_y - gain * middle_x
    for _ in range(rounds - 1):
        chance = distance_chance(_off(few_x, few_y, gain, offset))
        total = max(float(chance.sum()), 1e-12)
        mean_x, mean_y = few_x @ chance / total, few_y @ chance / total
        for band in range(len(x)):
            dx, dy = few_x[band] - mean_x[band], few_y[band] - mean_y[band]
            moments = (float(chance @ (dx * dx)), float(chance @ (dy * dy)), float(chance @ (dx * dy)))
            gain[band] = slope(*moments)
            offset[band] = mean_y[band] - gain[band] * mean_x[band]
    return distance_chance(_off(x, y, gain, offset))


def _off(x: Floats, y: Floats, gain: Floats, offset: Floats) -> Floats:
    """How far each pixel lies from the line (band, n), perpendicular to it."""
    return np.asarray((y - gain[:, None] * x - offset[:, None]) / np.sqrt(1 + gain[:, None] ** 2))


def _every(values: Floats) -> slice:
    """So many pixels of (band, n) that some `_SETTLING_PIXELS` are left."""
    return slice(None, None, max(1, values.shape[1] // _SETTLING_PIXELS))


def distance_chance(off: Floats) -> Floats:
    """Chance of each pixel (n) to lie so far `off` (band, n), by scatters from medians."""
    scatter = np.maximum(_spread(off), 1e-9)
    return _survival(((off / scatter[:, None]) ** 2).sum(axis=0), len(off))


def ir_mad(x: Floats, y: Floats, chance: Floats, iterations: int, tolerance: float) -> Floats | None:
    """No-change probability of each pixel (n) from two sets of bands (band, n); None where it does not hold
    up.

    Canonical correlation analysis with each pixel weighted by its chance of being unchanged, until the
    correlations stand still; what differs, over its standard deviation, squared and summed, is chi-square if
    nothing changed. Every so many pixels settle the correlations, and all are judged by them.
    """
    both = np.concatenate([_scaled(x), _scaled(y)])
    few, last = np.ascontiguousarray(both[:, _every(both)]), np.full(len(x), np.inf)
    variates = _variates(few, chance[_every(both)])
    for _ in range(iterations - 1):
        if variates is None or np.abs(variates.correlations - last).max() < tolerance:
            break
        last = variates.correlations
        variates = _variates(few, variates.chance(few))
    return None if variates is None else variates.chance(both)


@dataclass(frozen=True, eq=False)
class _Variates:
    """What differs between the dates, so turned that its parts do not go together: `weights` (band, 2 band)
    of both sets of bands, less `means` (2 band,); `correlations` and `variances` (band,).
    """

    means: Floats
    weights: Floats
    correlations: Floats
    variances: Floats

    def chance(self, both: Floats) -> Floats:
        """Of each pixel (n) to look so different if it is unchanged."""
        off = self.weights @ both - (self.weights @ self.means)[:, None]
        off *= off
        return _survival((1 / self.variances) @ off, len(off))


def _variates(both: Floats, chance: Floats) -> _Variates | None:
    """From both sets of bands (2 band, n), each pixel weighted; None where they say nothing."""
    bands, total = len(both) // 2, chance.sum()
    if total < 20 * bands:
        return None
    means = both @ chance / total
    covariance = (both * chance) @ both.T / total - np.outer(means, means)
    if not covariance.any():  # one even surface on both dates
        return None
    covariance += RIDGE * np.trace(covariance) / (2 * bands) * np.eye(2 * bands)
    xx, yy, xy = covariance[:bands, :bands], covariance[bands:, bands:], covariance[:bands, bands:]
    squared, a = scipy.linalg.eigh(xy @ np.linalg.solve(yy, xy.T), xx)
    rho = np.sqrt(np.clip(squared, 1e-12, 1 - 1e-9))
    b = np.linalg.solve(yy, xy.T @ a) / rho
    weights = np.concatenate([a.T, -b.T], axis=1)
    return _Variates(means, weights, rho, 2 * (1 - rho) / _held_variance(bands))


def _survival(distance: Floats, freedom: int) -> Floats:
    """Chi-square survival function; a finite sum where the degrees of freedom are even."""
    half = distance / 2
    if freedom % 2:
        return np.asarray(scipy.special.gammaincc(freedom / 2, half))
    return np.asarray(np.exp(-half) * sum(half**k / math.factorial(k) for k in range(freedom // 2)))


@cache
def _held_variance(freedom: int) -> float:
    """Share of an unchanged pixel's variance that is left when each is weighted by its own chance.

    Without it every round would find less of the image unchanged. With D and E two chi-square variables the
    weight of D is P(E > D), so that the weighted mean of D is the mean of the lesser of the two.
    """
    lesser, _ = scipy.integrate.quad(
        lambda d: float(scipy.special.gammaincc(freedom / 2, d / 2)) ** 2, 0, 40 + 20 * freedom
    )
    return float(lesser) / freedom


def _scaled(values: Floats) -> Floats:
    scale = np.maximum(values.std(axis=1, keepdims=True), 1e-12)
    out: Floats = (values - values.mean(axis=1, keepdims=True)) / scale
    return out


def _spread(values: Floats) -> Floats:
    """Standard deviation of each row, from the median of distances from zero."""
    out: Floats = 1.4826 * np.median(np.abs(values), axis=1)
    return out
