"""Which pixels of a sample did not change, whatever the gains of the bands.

Iteratively reweighted multivariate alteration detection (IR-MAD, Nielsen 2007) started from lines through
medians, so that many clouds or much change do not lead it astray.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import integrate, linalg
from scipy.special import gammaincc

from pipeline.stages.normalize.surface import slope

Floats = NDArray[np.float64]
RIDGE = 1e-6  # of a band's variance, so that bands which repeat one another do no harm


def robust_chance(x: Floats, y: Floats, rounds: int = 10) -> Floats:
    """A first guess that a third of changed pixels, or clouds, do not sway: lines from medians, improved in
    turn.
    """
    chance = np.ones(x.shape[1])
    middle_x, middle_y = np.median(x, axis=1), np.median(y, axis=1)
    gain = _spread(y - middle_y[:, None]) / np.maximum(_spread(x - middle_x[:, None]), 1e-12)
    gain = np.where(np.isfinite(gain) & (gain > 0), gain, 1.0)
    offset = middle_y - gain * middle_x
    for _ in range(rounds):
        # perpendicular to the line, in units of its own scatter
        off = (y - gain[:, None] * x - offset[:, None]) / np.sqrt(1 + gain[:, None] ** 2)
        chance = distance_chance(off)
        total = max(float(chance.sum()), 1e-12)
        mean_x, mean_y = x @ chance / total, y @ chance / total
        for band in range(len(x)):
            dx, dy = x[band] - mean_x[band], y[band] - mean_y[band]
            moments = (float(chance @ (dx * dx)), float(chance @ (dy * dy)), float(chance @ (dx * dy)))
            gain[band] = slope(*moments)
            offset[band] = mean_y[band] - gain[band] * mean_x[band]
    return chance


def distance_chance(off: Floats) -> Floats:
    """Chance of each pixel (n) to lie so far `off` (band, n), by scatters from medians."""
    scatter = np.maximum(_spread(off), 1e-9)
    return _survival(((off / scatter[:, None]) ** 2).sum(axis=0), len(off))


def ir_mad(x: Floats, y: Floats, chance: Floats, iterations: int, tolerance: float) -> Floats | None:
    """No-change probability of each pixel (n) from two sets of bands (band, n); None where it does not hold
    up.

    Canonical correlation analysis with each pixel weighted by its chance of being unchanged, until the
    correlations stand still; what differs, over its standard deviation, squared and summed, is chi-square if
    nothing changed.
    """
    bands = len(x)
    both = np.concatenate([_scaled(x), _scaled(y)])
    last, held = np.full(bands, np.inf), _held_variance(bands)
    for _ in range(iterations):
        total = chance.sum()
        if total < 20 * bands:
            return None
        centred = both - (both @ chance / total)[:, None]
        covariance = (centred * chance) @ centred.T / total
        if not covariance.any():  # one even surface on both dates
            return None
        covariance += RIDGE * np.trace(covariance) / (2 * bands) * np.eye(2 * bands)
        xx, yy, xy = covariance[:bands, :bands], covariance[bands:, bands:], covariance[:bands, bands:]
        squared, a = linalg.eigh(xy @ np.linalg.solve(yy, xy.T), xx)
        rho = np.sqrt(np.clip(squared, 1e-12, 1 - 1e-9))
        b = np.linalg.solve(yy, xy.T @ a) / rho
        variates = a.T @ centred[:bands] - b.T @ centred[bands:]
        distance = (variates**2 / (2 * (1 - rho) / held)[:, None]).sum(axis=0)
        chance = _survival(distance, bands)
        if np.abs(rho - last).max() < tolerance:
            break
        last = rho
    return chance


def _survival(distance: Floats, freedom: int) -> Floats:
    """Chi-square survival function; a finite sum where the degrees of freedom are even."""
    half = distance / 2
    if freedom % 2:
        return np.asarray(gammaincc(freedom / 2, half))
    return np.asarray(np.exp(-half) * sum(half**k / math.factorial(k) for k in range(freedom // 2)))


def _held_variance(freedom: int) -> float:
    """Share of an unchanged pixel's variance that is left when each is weighted by its own chance.

    Without it every round would find less of the image unchanged. With D and E two chi-square variables the
    weight of D is P(E > D), so that the weighted mean of D is the mean of the lesser of the two.
    """
    lesser, _ = integrate.quad(lambda d: float(gammaincc(freedom / 2, d / 2)) ** 2, 0, 40 + 20 * freedom)
    return float(lesser) / freedom


def _scaled(values: Floats) -> Floats:
    scale = np.maximum(values.std(axis=1, keepdims=True), 1e-12)
    out: Floats = (values - values.mean(axis=1, keepdims=True)) / scale
    return out


def _spread(values: Floats) -> Floats:
    """Standard deviation of each row, from the median of distances from zero."""
    out: Floats = 1.4826 * np.median(np.abs(values), axis=1)
    return out
