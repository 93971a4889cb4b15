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
from pipeline.stages.flag.candidates import WindowReader, find_patches
from pipeline.stages.flag.verdicts import Judged, judge
from pipeline.stages.flag.zones import zone_of

_NOT_OBSERVED = 255
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
        percent: NDArray[np.uint8],
        images: WindowReader,
        grid: GeoBox,
        bands: Sequence[str],
        zones: Mapping[str, Geometry] | None = None,
    ) -> Flagged:
        """`percent`: probability of change (y, x), 255 = not observed. `images` gives any window of both
        dates.
        """
        patches = find_patches(percent, images, grid, bands)
        things = [thing for patch in patches for thing in judge(patch, grid, self.min_confidence)]
        observed_km2 = float((percent != _NOT_OBSERVED).sum()) * pixel_size(grid) ** 2 / 1e6
        findings = _table(self._worth_reporting(things, observed_km2), grid, zones or {})
        return Flagged(findings, _settled(percent, things))

    def _worth_reporting(self, judged: Sequence[Judged], observed_km2: float) -> list[Judged]:
        """The surest first, for as long as the false ones to be expected among them stay under the limit."""
        sure = [
            (candidate, verdict)
            for candidate, verdict in judged
            if verdict.confidence >= self.min_confidence
            and candidate.measures.shape.area_m2 >= self.min_area_m2
        ]
        sure.sort(key=lambda pair: (-pair[1].confidence, *pair[0].outline.bounds))
        expected_false = np.cumsum([1 - verdict.confidence for _, verdict in sure])
        allowed = max(self.max_false_per_km2 * observed_km2, 1.0)  # one doubtful finding is no flood of them
        return sure[: int((expected_false <= allowed).sum())]


def _settled(percent: NDArray[np.uint8], things: Sequence[Judged]) -> NDArray[np.uint8]:
    """Each pixel's probability times that of its thing being new construction."""
    share = np.full(percent.shape, _UNGROUPED, np.float32)
    for candidate, verdict in things:
        share[candidate.window][candidate.inside] = verdict.new
    settled = np.rint(percent * share).astype(np.uint8)
    return np.where(percent == _NOT_OBSERVED, percent, settled)


def _table(found: Sequence[Judged], grid: GeoBox, zones: Mapping[str, Geometry]) -> gpd.GeoDataFrame:
    shapes = [candidate.measures.shape for candidate, _ in found]
    outlines = [candidate.outline for candidate, _ in found]
    columns = {
        "id": pd.Series(np.arange(1, len(found) + 1), dtype="int64"),
        "kind": pd.Series([verdict.kind for _, verdict in found], dtype="str"),
        "direction": pd.Series([verdict.direction for _, verdict in found], dtype="str"),
        "confidence": pd.Series([round(verdict.confidence, 3) for _, verdict in found], dtype="float64"),
        "area_m2": pd.Series([round(shape.area_m2, 1) for shape in shapes], dtype="float64"),
        "length_m": pd.Series([round(shape.length_m, 1) for shape in shapes], dtype="float64"),
        "width_m": pd.Series([round(shape.width_m, 1) for shape in shapes], dtype="float64"),
        "zone": pd.Series(zone_of(outlines, zones, grid), dtype="object"),
    }
    return gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries(outlines, crs=str(grid.crs)), crs=str(grid.crs))
