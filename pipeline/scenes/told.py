"""What is said of images instead of their own metadata."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pystac

from pipeline.scenes.counts import UNTOLD, Counts
from pipeline.scenes.describe import describe, describe_items
from pipeline.scenes.place import NOWHERE, Place


@dataclass(frozen=True)
class Told:
    """Names of bands, scale, offset and nodata of counts, and where images lie; the rest is left to them."""

    bands: tuple[str, ...] | None = None
    counts: Counts = UNTOLD
    place: Place = NOWHERE

    def files(self, source: str | Path | Sequence[Path], date: str | None = None) -> list[pystac.Item]:
        """`describe` with what is told."""
        return describe(source, date=date, **vars(self))

    def items(self, items: Sequence[pystac.Item]) -> list[pystac.Item]:
        """`describe_items` with what is told."""
        return describe_items(items, bands=self.bands, counts=self.counts)
