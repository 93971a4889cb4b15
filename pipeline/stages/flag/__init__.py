"""Stage 5, flag: from probabilities to findings - objects with an outline, a kind, a direction and a
confidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from odc.geo import Geometry
from odc.geo.geobox import GeoBox

from pipeline.grid import pixel_size
from pipeline.stages.detect.detector import CHANGE, NOT_OBSERVED, LayerReader
from pipeline.stages.flag.candidates import WindowReader, find_patches
from pipeline.stages.flag.outline import outline
from pipeline.stages.flag.things import Thing
from pipeline.stages.flag.verdicts import judge
from pipeline.stages.flag.zones import zone_of

_UNGROUPED = 0.2  # how far change counts that forms no object, or one too small to tell anything about


@dataclass(frozen=True, eq=False)
class Flagged:
    """`findings` in the grid's CRS, the surest first. `percent` (y, x): probability of new construction,
    255 = not observed, now that it is known of what object each pixel is part."""

    findings: gpd.GeoDataFrame
    percent: NDArray[np.uint8]


@dataclass(frozen=True)
class Flag:
    """Keep the objects that are probably construction, fewest false ones first."""

    min_confidence: float = 0.5  # findings less sure than this are left out
    min_area_m2: float = 25.0  # and so are smaller ones
    max_false_per_km2: float = 5.0  # and the least sure, until no more false ones than this are expected

    def __post_init__(self) -> None:
        for name, low, high in (
            ("min_confidence", 0, 1),
            ("min_area_m2", 0, np.inf),
            ("max_false_per_km2", 0, np.inf),
        ):
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} is {getattr(self, name)}; it must lie between {low} and {high}")

    def __call__(
        self,
        layers: LayerReader,
        images: WindowReader,
        grid: GeoBox,
        bands: Sequence[str],
        zones: Mapping[str, Geometry] | None = None,
    ) -> Flagged:
        """`layers`, `images` give any window of what was detected, and of both dates."""
        percent, pixel = layers.layer(CHANGE), pixel_size(grid)
        patches = find_patches(percent, images, grid, bands, self.min_area_m2 / pixel**2)
        things = [thing for patch in patches for thing in judge(patch, pixel, self.min_confidence)]
        observed_km2 = float((percent != NOT_OBSERVED).sum()) * pixel**2 / 1e6
        findings = _table(self._worth_reporting(things, observed_km2), grid, zones or {})
        return Flagged(findings, _settled(percent, things))

    def _worth_reporting(self, things: Sequence[Thing], observed_km2: float) -> list[Thing]:
        """The surest first, for as long as the false ones to be expected among them stay under the limit."""
        sure = [
            thing
            for thing in things
            if thing.confidence >= self.min_confidence and thing.shape.area_m2 >= self.min_area_m2
        ]
        sure.sort(key=lambda thing: (-thing.confidence, thing.window[0].start, thing.window[1].start))
        expected_false = np.cumsum([1 - thing.confidence for thing in sure])
        allowed = max(self.max_false_per_km2 * observed_km2, 1.0)  # one doubtful finding is no flood of them
        return sure[: int((expected_false <= allowed).sum())]


def _settled(percent: NDArray[np.uint8], things: Sequence[Thing]) -> NDArray[np.uint8]:
    """Each pixel's probability times that of its thing being new construction."""
    share = np.full(percent.shape, _UNGROUPED, np.float32)
    for thing in things:
        share[thing.window][thing.inside] = thing.new
    settled = np.rint(percent * share).astype(np.uint8)
    return np.where(percent == NOT_OBSERVED, percent, settled)


def _table(found: Sequence[Thing], grid: GeoBox, zones: Mapping[str, Geometry]) -> gpd.GeoDataFrame:
    outlines = [outline(thing.inside, grid[thing.window]) for thing in found]
    columns = {
        "id": pd.Series(np.arange(1, len(found) + 1), dtype="int64"),
        "kind": pd.Series([thing.kind for thing in found], dtype="str"),
        "direction": pd.Series([thing.direction for thing in found], dtype="str"),
        "confidence": pd.Series([round(thing.confidence, 3) for thing in found], dtype="float64"),
        "area_m2": pd.Series([round(thing.shape.area_m2, 1) for thing in found], dtype="float64"),
        "length_m": pd.Series([round(thing.shape.length_m, 1) for thing in found], dtype="float64"),
        "width_m": pd.Series([round(thing.shape.width_m, 1) for thing in found], dtype="float64"),
        "zone": pd.Series(zone_of(outlines, zones, grid), dtype="object"),
    }
    return gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries(outlines, crs=str(grid.crs)), crs=str(grid.crs))
