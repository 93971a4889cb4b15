"""Normalize: bring the after image to the light and the sensor of the before image, judged by what did not
change.

Iteratively reweighted multivariate alteration detection (IR-MAD, Nielsen 2007) finds how surely each pixel of
a sample is unchanged, whatever the gains of the bands; orthogonal regression a band on those pixels gives
gain and offset (Canty and Nielsen 2008). Where bands or pixels are few a simpler method, named in the result,
stands in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import integrate, linalg
from scipy.special import gammaincc

Floats = NDArray[np.float64]
Method = Literal["ir-mad", "robust-regression", "median-shift", "none"]
UNCHANGED = (
    0.01  # a pixel is unchanged unless chance would make an unchanged one look so different this rarely
)
PILED_UP = 0.001  # of the sample at one band's extreme value: they are saturated, or no measurement at all
RIDGE = 1e-6  # of a band's variance, so that bands which repeat one another do no harm


@dataclass(frozen=True)
class Radiometry:
    """after_normalised = gain * after + offset, a band. Residuals are RMS of before - after on unchanged
    pixels.
    """

    bands: tuple[str, ...]
    gain: tuple[float, ...]
    offset: tuple[float, ...]
    method: Method
    unchanged_share: float
    residual_before: tuple[float, ...]
    residual_after: tuple[float, ...]

    def apply(self, image: xr.Dataset) -> xr.Dataset:
        """The image (lazily) with its bands normalised; NaN stays NaN. Bands are matched by name."""
        names = [str(name) for name in image["band"].values]
        order = [self.bands.index(name) for name in names]
        gain, offset = (
            xr.DataArray(np.asarray(values, np.float32)[order], dims="band", coords={"band": image["band"]})
            for values in (self.gain, self.offset)
        )
        return image.assign(image=image["image"] * gain + offset)

    def apply_array(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """(band, ...) float32, bands in the order of `bands`."""
        shape = (-1,) + (1,) * (values.ndim - 1)
        gain, offset = (np.asarray(v, np.float32).reshape(shape) for v in (self.gain, self.offset))
        out: NDArray[np.float32] = values * gain + offset
        return out

    def as_dict(self) -> dict[str, Any]:
        """As in run.json."""
        return {
            "method": self.method,
            "unchanged_share": self.unchanged_share,
            "bands": {
                name: {"gain": gain, "offset": offset, "residual_before": before, "residual_after": after}
                for name, gain, offset, before, after in zip(
                    self.bands, self.gain, self.offset, self.residual_before, self.residual_after, strict=True
                )
            },
        }


@dataclass(frozen=True)
class Normalize:
    """Relative radiometric normalisation on pixels that did not change."""

    iterations: int = 50
    """of IR-MAD, at most"""
    tolerance: float = 1e-4
    """change of the canonical correlations at which IR-MAD has converged"""
    max_gain: float = 4.0
    """gains are held between its inverse and this"""
    min_pixels: int = 500
    """in the sample for a gain and an offset; with fewer only an offset"""
    min_unchanged: float = 0.05
    """share of the sample that must be left unchanged for IR-MAD to be believed"""

    def __call__(
        self, before: NDArray[np.float32], after: NDArray[np.float32], bands: tuple[str, ...]
    ) -> Radiometry:
        """`before`, `after`: (band, n) of the same n places, co-registered. Never raises for want of good
        pixels.
        """
        usable = _usable(before) & _usable(after)
        x, y = (values[:, usable].astype(np.float64) for values in (after, before))
        method, chance = self._chance(x, y)
        unchanged = chance > UNCHANGED
        gain, offset = np.ones(len(bands)), np.zeros(len(bands))
        for band in range(len(bands)):
            if method in {"ir-mad", "robust-regression"}:
                gain[band], offset[band] = self._line(x[band], y[band], chance * unchanged)
            elif method == "median-shift":
                offset[band] = np.median(y[band] - x[band])
        return Radiometry(
            bands=bands,
            gain=tuple(gain.tolist()),
            offset=tuple(offset.tolist()),
            method=method,
            unchanged_share=float(unchanged.mean()) if unchanged.size else 0.0,
            residual_before=_rms(y - x, unchanged),
            residual_after=_rms(y - gain[:, None] * x - offset[:, None], unchanged),
        )

    def _chance(self, x: Floats, y: Floats) -> tuple[Method, Floats]:
        """Which method the sample carries, and the chance (p-value) of each pixel to look so if it is
        unchanged.
        """
        pixels = x.shape[1]
        if pixels < self.min_pixels // 10 or not len(x):
            return "none", np.ones(pixels)
        if pixels < self.min_pixels:
            return "median-shift", np.ones(pixels)
        first = _robust_chance(x, y)
        if len(x) > 2:
            chance = ir_mad(x, y, first, self.iterations, self.tolerance)
            if chance is not None and (chance > UNCHANGED).mean() >= self.min_unchanged:
                return "ir-mad", chance
        return "robust-regression", first

    def _line(self, x: Floats, y: Floats, weight: Floats) -> tuple[float, float]:
        """Weighted orthogonal regression of before on after."""
        total = max(float(weight.sum()), 1e-12)
        mean_x, mean_y = float(weight @ x) / total, float(weight @ y) / total
        dx, dy = x - mean_x, y - mean_y
        xx, yy, xy = float(weight @ (dx * dx)), float(weight @ (dy * dy)), float(weight @ (dx * dy))
        gain = _slope(xx, yy, xy)
        gain = min(max(gain, 1 / self.max_gain), self.max_gain)
        return gain, mean_y - gain * mean_x


def _usable(values: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Pixels (n) with a value in every band, none of them where a band's values pile up at its end."""
    usable = np.asarray(np.isfinite(values).all(axis=0))
    piled = np.zeros_like(usable)
    for band in values:
        if not usable.any():
            break
        for end in (band[usable].min(), band[usable].max()):
            at_end = band == end
            if at_end.sum() > max(3, PILED_UP * at_end.size) and not at_end[usable].all():
                piled |= at_end
    return usable & ~piled


def _slope(xx: float, yy: float, xy: float) -> float:
    """Slope of the orthogonal regression line; 1 where the two do not go together."""
    if xy <= 0.1 * np.sqrt(xx * yy) or xy <= 0:
        return 1.0
    return float((yy - xx + np.hypot(yy - xx, 2 * xy)) / (2 * xy))


def _robust_chance(x: Floats, y: Floats, rounds: int = 10) -> Floats:
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
        scatter = np.maximum(_spread(off), 1e-9)
        distance = ((off / scatter[:, None]) ** 2).sum(axis=0)
        chance = _survival(distance, len(x))
        total = max(float(chance.sum()), 1e-12)
        mean_x, mean_y = x @ chance / total, y @ chance / total
        for band in range(len(x)):
            dx, dy = x[band] - mean_x[band], y[band] - mean_y[band]
            moments = (float(chance @ (dx * dx)), float(chance @ (dy * dy)), float(chance @ (dx * dy)))
            gain[band] = _slope(*moments)
            offset[band] = mean_y[band] - gain[band] * mean_x[band]
    return chance


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
    """Chi-square survival function."""
    chance: Floats = gammaincc(freedom / 2, distance / 2)
    return chance


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


def _rms(difference: Floats, unchanged: NDArray[np.bool_]) -> tuple[float, ...]:
    if not unchanged.any():
        return tuple(0.0 for _ in difference)
    return tuple(float(v) for v in np.sqrt(np.mean(difference[:, unchanged] ** 2, axis=1)))
