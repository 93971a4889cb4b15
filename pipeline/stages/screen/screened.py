"""What the screen leaves behind: which parts of each date are not usable, on a coarse lattice of the grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.pair import Pair

Bits = NDArray[np.bool_]
Why = Literal[
    "screened", "mask given", "switched off", "too few bands", "nothing observed", "no common ground"
]


@dataclass(frozen=True, eq=False)
class Lattice:
    """One date. `cloud`, `shadow`: (y, x) bool, a cell for `factor` x `factor` pixels of the grid.

    `unusable` holds both with the margin around them. `used` says whether the date was screened, `why` why
    or why not; `seen` is how many cells were observed.
    """

    why: Why
    cloud: Bits
    shadow: Bits
    unusable: Bits
    seen: int

    @classmethod
    def clear(cls, why: Why, shape: tuple[int, int], seen: int = 0) -> Lattice:
        """Nothing is screened."""
        none = np.zeros(shape, np.bool_)
        return cls(why, none, none, none, seen)

    @property
    def used(self) -> bool:
        """Whether this date was looked at."""
        return self.why == "screened"

    def as_dict(self) -> dict[str, Any]:
        """For run.json. Shares are of the observed cells, without the margin."""
        cells = max(self.seen, 1)
        return {
            "used": self.used,
            "why": self.why,
            "cloud_share": round(float(self.cloud.sum()) / cells, 5),
            "shadow_share": round(float(self.shadow.sum()) / cells, 5),
        }


@dataclass(frozen=True, eq=False)
class Screened:
    """Both dates on lattices of `factor` pixels of the grid. Small, and the same for every block."""

    before: Lattice
    after: Lattice
    factor: int

    def window(self, rows: slice, cols: slice) -> tuple[Bits, Bits]:
        """Not usable on (before, after) in a window of the grid, (y, x) bool; the same for any blocking.

        Pixels beyond the last cell take that cell's value, since a grid need not be a multiple of the factor.
        """
        height, width = self.before.unusable.shape
        y = np.minimum(np.arange(rows.start, rows.stop) // self.factor, height - 1)
        x = np.minimum(np.arange(cols.start, cols.stop) // self.factor, width - 1)
        return self.before.unusable[np.ix_(y, x)], self.after.unusable[np.ix_(y, x)]

    def hide(self, pair: Pair, rows: slice, cols: slice) -> Pair:
        """A window of both dates, NaN on each where it is not usable."""
        hidden = self.window(rows, cols)
        if not any(unusable.any() for unusable in hidden):
            return pair
        images = [
            np.where(unusable, np.float32(np.nan), image)
            for image, unusable in zip((pair.before, pair.after), hidden, strict=True)
        ]
        return Pair.of(images[0], images[1])

    @property
    def any(self) -> bool:
        """Whether anything at all is screened."""
        return bool(self.before.unusable.any() or self.after.unusable.any())

    def as_dict(self) -> dict[str, Any]:
        """For run.json."""
        return {
            "factor": self.factor,
            "before": self.before.as_dict(),
            "after": self.after.as_dict(),
        }
