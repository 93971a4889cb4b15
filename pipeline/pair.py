"""Two dates of the same ground on one grid: what the detector looks at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Pair:
    """A window of both images, aligned and normalised.

    `before`, `after`: (band, y, x) float32, the same bands in the same order, NaN where not observed.
    `observed`: (y, x) bool, true where both dates were observed. `own_light`: the after image in its own
    light, where that is another than `after` has.
    """

    before: Float
    after: Float
    observed: Mask
    own_light: Float | None = None

    def as_delivered(self) -> Float:
        """The after image in its own light: aligned, and no more."""
        return self.after if self.own_light is None else self.own_light

    @classmethod
    def of(cls, before: Float, after: Float) -> Pair:
        """Pair up two images; a pixel counts as observed where no band of either date is NaN."""
        return cls(before, after, _on_both(before, after))

    def window(self, rows: slice, cols: slice) -> Pair:
        """A part of the pair."""
        own = None if self.own_light is None else self.own_light[:, rows, cols]
        return Pair(self.before[:, rows, cols], self.after[:, rows, cols], self.observed[rows, cols], own)

    def pixels(self) -> tuple[Float, Float]:
        """The observed pixels of both dates as (band, n)."""
        return self.before[:, self.observed], self.after[:, self.observed]

    def at(self, places: NDArray[np.intp]) -> tuple[Float, Float]:
        """Both dates at some pixels, counted row by row, as (band, n)."""
        rows, cols = np.unravel_index(places, self.observed.shape)
        return self.before[:, rows, cols], self.after[:, rows, cols]


def _on_both(before: Float, after: Float) -> Mask:
    """Where (y, x) no band of either image is NaN."""
    seen = np.ones(before.shape[1:], bool)
    _leave_out(before, seen)
    _leave_out(after, seen)
    return seen


@njit(nogil=True, cache=True)
def _leave_out(image: Float, seen: Mask) -> None:  # pragma: no cover
    for b in range(image.shape[0]):
        for i in range(image.shape[1]):
            line, known = image[b, i], seen[i]
            for j in range(len(line)):
                known[j] &= not np.isnan(line[j])


def thinned(pairs: Sequence[Pair], most: int) -> list[NDArray[np.intp]]:
    """Every so many of the observed pixels of all pairs together, `most` of them or some more: of each pair,
    counted row by row.
    """
    step, passed, out = max(1, sum(int(pair.observed.sum()) for pair in pairs) // most), 0, []
    for pair in pairs:
        seen = np.flatnonzero(pair.observed)
        out.append(seen[-passed % step :: step])
        passed += len(seen)
    return out
