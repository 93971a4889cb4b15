"""The first guess: one shift for the whole image, however large, by masked normalised correlation (Padfield 2012)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

MIN_OVERLAP = 0.3  # of the larger overlap there can be; less is left to chance


def candidates(
    before: NDArray[np.float32],
    after: NDArray[np.float32],
    observed: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    search: int,
    count: int = 3,
) -> list[tuple[int, int]]:
    """The `count` best whole-pixel shifts (drow, dcol) within `search`, the likeliest first.

    `before`, `after`: (band, y, x), zero where not observed. Correlations of bands add up.
    """
    surface = masked_correlation(before, after, observed, search)
    found: list[tuple[int, int]] = []
    for _ in range(count):
        row, col = (int(k) for k in np.unravel_index(int(surface.argmax()), surface.shape))
        found.append((row - search, col - search))
        surface[max(row - 3, 0) : row + 4, max(col - 3, 0) : col + 4] = -np.inf
    return found


def masked_correlation(
    before: NDArray[np.float32],
    after: NDArray[np.float32],
    observed: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    search: int,
) -> NDArray[np.float64]:
    """Normalised correlation at each lag within `search`, over the pixels observed on both dates at that lag."""
    shape = [fft.next_fast_len(size + search, real=True) for size in before.shape[1:]]
    seen = [fft.rfft2(mask.astype(np.float64), shape) for mask in observed]
    overlap = np.maximum(_lags(seen[0], seen[1], shape, search).round(), 0)
    total = np.zeros_like(overlap)
    for first, second in zip(before.astype(np.float64), after.astype(np.float64), strict=True):
        f1, f2 = fft.rfft2(first, shape), fft.rfft2(second, shape)
        squares = (fft.rfft2(first**2, shape), fft.rfft2(second**2, shape))
        area = np.maximum(overlap, 1)
        sum1, sum2 = _lags(f1, seen[1], shape, search), _lags(seen[0], f2, shape, search)
        covariance = _lags(f1, f2, shape, search) - sum1 * sum2 / area
        var1 = _lags(squares[0], seen[1], shape, search) - sum1**2 / area
        var2 = _lags(seen[0], squares[1], shape, search) - sum2**2 / area
        norm = np.sqrt(np.maximum(var1, 0) * np.maximum(var2, 0))
        total += np.where(norm > 1e-6 * area, covariance / np.maximum(norm, 1e-12), 0)
    return np.where(overlap >= MIN_OVERLAP * overlap.max(), total, -1.0)


def _lags(
    first: NDArray[np.complex128], second: NDArray[np.complex128], shape: list[int], search: int
) -> NDArray[np.float64]:
    surface = fft.irfft2(np.conj(first) * second, shape)
    lags = np.arange(-search, search + 1)
    near: NDArray[np.float64] = surface[lags[:, None], lags[None, :]]
    return near
