"""Cross-correlation of windows, all of them at once, to a fraction of a pixel.

The integer peak comes from one batched FFT; from there Newton's method climbs the trigonometric polynomial
that the spectrum is (what an infinitely upsampled DFT would show, Guizar-Sicairos et al. 2008), so no peak
model biases it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Matches:
    """One value a window: shift (`drow`, `dcol`) of after against before in pixels, peak `correlation`
    (-1..1), `contrast` (peak over the highest value elsewhere) and `sigma`, the expected error of the
    shift in pixels.
    """

    drow: Floats
    dcol: Floats
    correlation: Floats
    contrast: Floats
    sigma: Floats


def match(before: NDArray[np.float32], after: NDArray[np.float32], search: int) -> Matches:
    """Match windows (window, channel, n, n), tapered, zero where not observed; correlations of channels add
    up.

    A feature at (row, col) of `before` is found at (row + drow, col + dcol) of `after`; |drow|, |dcol| <=
    search.
    """
    size = before.shape[-1]
    spectrum = (np.conj(scipy.fft.rfft2(before)) * scipy.fft.rfft2(after)).sum(axis=1)
    energy = np.sqrt((before**2).sum(axis=(1, 2, 3)) * (after**2).sum(axis=(1, 2, 3)), dtype=np.float64)
    surface = scipy.fft.irfft2(spectrum, s=(size, size))
    lags = np.arange(-search, search + 1)
    near = surface[:, lags[:, None], lags[None, :]]
    flat = near.reshape(len(near), lags.size**2).argmax(axis=1)
    start = np.stack(np.divmod(flat, len(lags)), axis=1) - search
    contrast = _contrast(near, start + search)
    shift, height, curvature = _climb(spectrum, start.astype(np.float64), size)
    stuck = np.abs(shift - start).max(axis=1) > 1.0
    stuck |= np.abs(start).max(axis=1) >= search  # a peak on the rim of the search is none
    correlation = np.where(stuck, 0.0, height / np.maximum(energy, 1e-12))
    sharpness = curvature / np.maximum(height, 1e-12)
    sigma = _sigma(correlation, sharpness, size)
    shift = shift * _untapered(sharpness, size)[:, None]
    return Matches(shift[:, 0], shift[:, 1], correlation, contrast, sigma)


def _contrast(near: NDArray[np.float32], peak: NDArray[np.intp]) -> Floats:
    """The peak over the highest value more than five pixels from it."""
    lag = np.arange(near.shape[1])
    away = np.maximum(
        np.abs(lag[None, :, None] - peak[:, 0, None, None]),
        np.abs(lag[None, None, :] - peak[:, 1, None, None]),
    )
    top = near.max(axis=(1, 2))
    second = np.where(away > 5, near, 0).max(axis=(1, 2))
    ratio: Floats = (top / np.maximum(second, 1e-12)).astype(np.float64)
    return np.minimum(ratio, 1e3)


def _climb(spectrum: NDArray[np.complex64], shift: Floats, size: int) -> tuple[Floats, Floats, Floats]:
    """Newton steps on the correlation; returns the shift (n, 2), its height and its mean curvature
    (positive).
    """
    rows = 2j * np.pi * np.fft.fftfreq(size)
    cols = 2j * np.pi * np.fft.rfftfreq(size)
    twice = np.full(cols.size, 2.0)
    twice[0] = 1.0
    twice[-1] = 1.0 if size % 2 == 0 else 2.0
    rows[size // 2] = 0.0 if size % 2 == 0 else rows[size // 2]  # the Nyquist row has no sign, so no slope
    height = curvature = np.zeros(len(shift))
    for _ in range(4):
        wave_r = np.exp(shift[:, :1] * rows)
        wave_c = np.exp(shift[:, 1:] * cols) * twice
        across = np.stack([wave_c, wave_c * cols, wave_c * cols**2], axis=2).astype(np.complex64)
        down = np.stack([wave_r, wave_r * rows, wave_r * rows**2], axis=1).astype(np.complex64)
        terms = (down @ (spectrum @ across)).real.astype(np.float64) / size**2
        height = terms[:, 0, 0]
        gradient = np.stack([terms[:, 1, 0], terms[:, 0, 1]], axis=1)
        rr, cc, rc = terms[:, 2, 0], terms[:, 0, 2], terms[:, 1, 1]
        determinant = rr * cc - rc**2
        peaked = (determinant > 0) & (rr < 0)
        safe = np.where(peaked, determinant, 1.0)
        step = np.stack(
            [cc * gradient[:, 0] - rc * gradient[:, 1], rr * gradient[:, 1] - rc * gradient[:, 0]], axis=1
        )
        step = np.where(peaked[:, None], -step / safe[:, None], 0.0)
        shift = shift + np.clip(step, -0.5, 0.5)
        curvature = np.where(peaked, np.sqrt(np.abs(determinant)), 0.0)
    return shift, height, curvature


def _untapered(sharpness: Floats, size: int) -> Floats:
    """What a shift is to be multiplied by: the Hann taper of both windows draws the peak towards zero.

    Near its top the correlation is exp(-k (s - d)^2 / 2), times the taper's own exp(-a s^2 / 2); their
    product, which is as sharp as k + a, peaks at d k / (k + a).
    """
    taper = 4 / 3 * (np.pi / size) ** 2
    return sharpness / np.maximum(sharpness - taper, 0.5 * np.maximum(sharpness, 1e-12))


def _sigma(correlation: Floats, sharpness: Floats, size: int) -> Floats:
    """Expected error in pixels: noise over sharpness and independent pixels (Cramér-Rao bound)."""
    rho = np.clip(correlation, 1e-3, 0.9999)
    pixels = size * size / 8  # what the taper and the blur of a sensor leave
    bound: Floats = np.sqrt((1 - rho**2) / (rho**2 * np.maximum(sharpness, 1e-4) * pixels))
    return bound
