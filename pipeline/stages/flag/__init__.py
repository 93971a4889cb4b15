"""Stage 5, flag: from probabilities to findings - objects with an outline, a kind, a direction and a
confidence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from odc.geo import Geometry
from odc.geo.geobox import GeoBox
from scipy import ndimage
from shapely.geometry.base import BaseGeometry

from pipeline.grid import pixel_size
from pipeline.pair import Pair
from pipeline.stages.flag.classify import Verdict, classify
from pipeline.stages.flag.measure import RING_PX, Measures, crowds, measure
from pipeline.stages.flag.outline import outline
from pipeline.stages.flag.segment import Labels, segment_changes
from pipeline.stages.flag.zones import zone_of

WindowReader = Callable[[slice, slice], Pair]

_SMALLEST_PX = 3.0  # of fewer pixels neither shape nor surroundings can be told
_MARGIN_PX = RING_PX + 4


@dataclass(frozen=True)
class Candidate:
    """An object before it is decided whether it is a finding."""

    measures: Measures
    geometry: BaseGeometry


@dataclass(frozen=True)
class Flag:
    """Keep the objects that are probably construction, fewest false ones first."""

    min_confidence: float = 0.5  # findings less sure than this are left out
    min_area_m2: float = 25.0  # and so are smaller ones
    max_false_per_km2: float = (
        5.0  # the least sure are left out until no more false ones than this are expected
    )

    def __call__(
        self,
        percent: NDArray[np.uint8],
        images: WindowReader,
        grid: GeoBox,
        bands: Sequence[str],
        zones: Mapping[str, Geometry] | None = None,
    ) -> gpd.GeoDataFrame:
        """Findings in the grid's CRS, the surest first.

        `percent`: probability of change (y, x), 255 = not observed. `images` gives any window of the two
        images.
        """
        found = [
            (candidate, classify(candidate.measures))
            for candidate in self.candidates(percent, images, grid, bands)
        ]
        observed_km2 = float((percent != 255).sum()) * pixel_size(grid) ** 2 / 1e6
        return _table(self._worth_reporting(found, observed_km2), grid, zones or {})

    def candidates(
        self, percent: NDArray[np.uint8], images: WindowReader, grid: GeoBox, bands: Sequence[str]
    ) -> list[Candidate]:
        """Every object that is large enough, measured and outlined."""
        pixel = pixel_size(grid)
        labels, _ = segment_changes(percent, max(self.min_area_m2 / pixel**2, _SMALLEST_PX))
        windows = [_grown(window, labels.shape) for window in ndimage.find_objects(labels)]
        measured = [
            _measure(images(*window), labels[window], number, percent[window], bands, pixel)
            for number, window in enumerate(windows, start=1)
        ]
        shapes = [outline(labels[window] == i, grid[window]) for i, window in enumerate(windows, start=1)]
        crowd = crowds(np.array([shape.centroid.coords[0] for shape in shapes]).reshape(-1, 2))
        return [
            Candidate(replace(measures, crowd=float(n)), shape)
            for measures, n, shape in zip(measured, crowd, shapes, strict=True)
        ]

    def _worth_reporting(
        self, found: Sequence[tuple[Candidate, Verdict]], observed_km2: float
    ) -> list[tuple[Candidate, Verdict]]:
        """The surest first, for as long as the false ones to be expected among them stay under the limit."""
        sure = [pair for pair in found if pair[1].confidence >= self.min_confidence]
        sure.sort(key=lambda pair: (-pair[1].confidence, *pair[0].geometry.bounds))
        expected_false = np.cumsum([1 - verdict.confidence for _, verdict in sure])
        allowed = max(self.max_false_per_km2 * observed_km2, 1.0)
        return sure[: int((expected_false <= allowed).sum())]


def _grown(window: tuple[slice, slice], shape: tuple[int, ...]) -> tuple[slice, slice]:
    rows, cols = (
        slice(max(0, part.start - _MARGIN_PX), min(size, part.stop + _MARGIN_PX))
        for part, size in zip(window, shape, strict=True)
    )
    return rows, cols


def _measure(
    pair: Pair, labels: Labels, number: int, percent: NDArray[np.uint8], bands: Sequence[str], pixel: float
) -> Measures:
    free = pair.observed & (labels == 0)
    return measure(pair, (labels == number) & pair.observed, free, percent.astype(np.float32), bands, pixel)


def _table(
    found: Sequence[tuple[Candidate, Verdict]], grid: GeoBox, zones: Mapping[str, Geometry]
) -> gpd.GeoDataFrame:
    shapes = [candidate.measures.shape for candidate, _ in found]
    outlines = [candidate.geometry for candidate, _ in found]
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
