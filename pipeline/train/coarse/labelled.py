"""Pairs with known truth, aligned and normalised as a comparison does it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from odc.geo.geobox import GeoBox
from rasterio.warp import Resampling, reproject

from pipeline.pair import Mask, Pair
from pipeline.train.compared import compared


@dataclass(frozen=True, eq=False)
class Labelled:
    """`truth`: (y, x) bool, something was constructed here. `share`: what it counts for beside the others."""

    name: str
    pair: Pair
    bands: tuple[str, ...]
    truth: Mask
    share: float = 1.0

    def only(self, use: tuple[str, ...]) -> Labelled:
        """The same with fewer bands."""
        at = [i for i, name in enumerate(self.bands) if name in use]
        pair = Pair(self.pair.before[at], self.pair.after[at], self.pair.observed)
        return Labelled(self.name, pair, tuple(self.bands[i] for i in at), self.truth, self.share)


def labelled(folder: Path) -> Iterator[Labelled]:
    """Every case below `folder` (`before/`, `after/`, `truth.tif`: 1 where something was built), by name."""
    for case in sorted(path.parent for path in folder.glob("*/truth.tif")):
        yield read(case)


def read(case: Path) -> Labelled:
    """Compare one case with the program's defaults, and put its truth on the grid of the comparison."""
    pair, bands, grid = compared(case)
    return Labelled(case.name, pair, bands, _truth(case / "truth.tif", grid))


def _truth(path: Path, grid: GeoBox) -> Mask:
    changed = np.zeros(tuple(grid.shape), np.uint8)
    with rasterio.open(path) as file:
        reproject(
            rasterio.band(file, 1),
            changed,
            dst_crs=str(grid.crs),
            dst_transform=grid.transform,
            resampling=Resampling.nearest,
        )
    return np.asarray(changed == 1)
