"""Two dates of the same ground on one grid: what the detector looks at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
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
        unseen = np.isnan(before).any(axis=0) | np.isnan(after).any(axis=0)
        return cls(before, after, np.logical_not(unseen))

    def window(self, rows: slice, cols: slice) -> Pair:
        """A part of the pair."""
        own = None if self.own_light is None else self.own_light[:, rows, cols]
        return Pair(self.before[:, rows, cols], self.after[:, rows, cols], self.observed[rows, cols], own)

    def pixels(self) -> tuple[Float, Float]:
        """The observed pixels of both dates as (band, n)."""
        return self.before[:, self.observed], self.after[:, self.observed]
