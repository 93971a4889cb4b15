"""One shift for the whole image, however large, by masked normalised correlation (Padfield 2012)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

Planes = NDArray[np.float32]
Mask = NDArray[np.bool_]

MIN_OVERLAP = 0.3  # of the largest overlap there is; a lag with less is left out
APART = 3  # pixels between two peaks, at least


@dataclass(frozen=True)
class Peak:
    """A shift (drow, dcol) in pixels, and how many (robust) standard deviations it stands out of all lags."""

    drow: float
    dcol: float
    prominence: float

    def distance(self, other: Peak) -> float:
        return float(np.hypot(self.drow - other.drow, self.dcol - other.dcol))


@dataclass(frozen=True, eq=False)
class Whole:
    """Both images on one grid: structure (plane, y, x), zero where not `observed` (y, x)."""

    before: Planes
    after: Planes
    observed: tuple[Mask, Mask]

    def peaks(self, search: int, count: int = 1) -> list[Peak]:
        """The `count` best shifts with |drow|, |dcol| <= search, the likeliest first."""
        return _peaks(self._surface(self.observed[0], search), (0, 0), count)

    def halves(self, near: Peak, search: int) -> list[tuple[Peak, Peak]]:
        """The shift by each half of the image alone, within `search` of `near`: left and right, top and
        bottom.
        """
        row, col = np.ogrid[: self.before.shape[1], : self.before.shape[2]]
        centre = round(near.drow), round(near.dcol)
        reach = search + max(abs(k) for k in centre)
        pairs = []
        for first in (row < self.before.shape[1] // 2, col < self.before.shape[2] // 2):
            sides = []
            for side in (first, ~first):
                surface = self._surface(self.observed[0] & side, reach)
                rows, cols = (slice(reach + k - search, reach + k + search + 1) for k in centre)
                sides.append(_peaks(surface[rows, cols], centre, 1)[0])
            pairs.append((sides[0], sides[1]))
        return pairs

    def _surface(self, seen: Mask, search: int) -> NDArray[np.float64]:
        before = np.where(seen, self.before, np.float32(0))
        return masked_correlation(before, self.after, (seen, self.observed[1]), search)


def masked_correlation(
    before: Planes, after: Planes, observed: tuple[Mask, Mask], search: int
) -> NDArray[np.float64]:
    """Correlation coefficient at each lag within `search` (2 search + 1, squared), mean of the planes, over
    the pixels observed on both dates at that lag; zero where these are few.
    """
    shape = [scipy.fft.next_fast_len(size + search, real=True) for size in before.shape[1:]]
    lags = np.arange(-search, search + 1)

    def spectrum(plane: NDArray[np.float32] | Mask) -> NDArray[np.complex128]:
        return np.asarray(scipy.fft.rfft2(plane.astype(np.float64), shape))

    def at_lags(first: NDArray[np.complex128], second: NDArray[np.complex128]) -> NDArray[np.float64]:
        return np.asarray(scipy.fft.irfft2(np.conj(first) * second, shape)[lags[:, None], lags[None, :]])

    seen = [spectrum(mask) for mask in observed]
    overlap = np.maximum(at_lags(seen[0], seen[1]).round(), 0)
    area = np.maximum(overlap, 1)
    total = np.zeros_like(overlap)
    for plane, other in zip(before, after, strict=True):
        one, two = spectrum(plane), spectrum(other)
        sums = at_lags(one, seen[1]), at_lags(seen[0], two)
        covariance = at_lags(one, two) - sums[0] * sums[1] / area
        variances = (
            at_lags(spectrum(plane**2), seen[1]) - sums[0] ** 2 / area,
            at_lags(seen[0], spectrum(other**2)) - sums[1] ** 2 / area,
        )
        norm = np.sqrt(np.maximum(variances[0], 0) * np.maximum(variances[1], 0))
        total += np.where(norm > 1e-6 * area, covariance / np.maximum(norm, 1e-12), 0)
    return np.where(overlap > MIN_OVERLAP * overlap.max(), total / len(before), 0.0)


def _peaks(surface: NDArray[np.float64], centre: tuple[int, int], count: int) -> list[Peak]:
    """The highest values of a surface of lags around `centre`, to a fraction of a pixel."""
    middle = float(np.median(surface))
    spread = 1.4826 * float(np.median(np.abs(surface - middle)))
    search = surface.shape[0] // 2
    left = surface.copy()
    peaks = []
    for _ in range(count):
        row, col = (int(k) for k in np.unravel_index(int(left.argmax()), left.shape))
        prominence = (left[row, col] - middle) / max(spread, 1e-12) if left[row, col] > 0 else 0.0
        peaks.append(
            Peak(
                row - search + centre[0] + _vertex(surface[:, col], row),
                col - search + centre[1] + _vertex(surface[row], col),
                float(prominence),
            )
        )
        left[max(row - APART, 0) : row + APART + 1, max(col - APART, 0) : col + APART + 1] = -np.inf
    return peaks


def _vertex(values: NDArray[np.float64], at: int) -> float:
    """Where the parabola through a peak and its neighbours is highest, from the peak."""
    if not 0 < at < len(values) - 1:
        return 0.0
    before, peak, after = (float(v) for v in values[at - 1 : at + 2])
    bend = before - 2 * peak + after
    return float(np.clip((before - after) / (2 * bend), -0.5, 0.5)) if bend < 0 else 0.0
