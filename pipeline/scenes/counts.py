"""How the numbers stored in a file become amounts of light, as far as it is said."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Counts:
    """Physical value = counts * scale + offset; `nodata` stands for no image, NaN: no number does. What is
    None is not said.
    """

    scale: float | None = None
    offset: float | None = None
    nodata: float | None = None

    def or_else(self, other: Counts) -> Counts:
        """What `other` says where this says nothing."""
        return Counts(
            other.scale if self.scale is None else self.scale,
            other.offset if self.offset is None else self.offset,
            other.nodata if self.nodata is None else self.nodata,
        )

    def stac_nodata(self) -> float | str | None:
        """As STAC has it, in JSON."""
        return self.nodata if self.nodata is None or math.isfinite(self.nodata) else str(self.nodata)


UNTOLD = Counts()


def told_counts(scale: float | None, offset: float | None, nodata: float | str | None) -> Counts:
    """As people say it: a nodata of "none" goes before what files declare. Raises ValueError."""
    value = math.nan if nodata == "none" else None if nodata is None else float(nodata)
    return Counts(scale, offset, value)
