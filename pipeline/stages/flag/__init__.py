"""Stage 5, flag: from probabilities to findings - objects with an outline, a kind, a direction and a
confidence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray
from odc.geo import Geometry
from odc.geo.geobox import GeoBox

from pipeline.grid import pixel_size
from pipeline.sight import can_be_told, too_narrow
from pipeline.stages.detect.detector import CHANGE, NOT_OBSERVED, LayerReader
from pipeline.stages.flag.candidates import WindowReader, find_patches
from pipeline.stages.flag.confidence import judge_objects
from pipeline.stages.flag.exclude import Excluded, Without
from pipeline.stages.flag.known import Known, has_kinds
from pipeline.stages.flag.objects import find_objects
from pipeline.stages.flag.outline import outline
from pipeline.stages.flag.segment import Strip, strips
from pipeline.stages.flag.table import Drawn, table
from pipeline.stages.flag.things import Thing
from pipeline.stages.flag.verdicts import judge

_UNGROUPED = 0.2  # how far change counts that forms no object, or one too small to tell anything about


@dataclass(frozen=True, eq=False)
class Flagged:
    """`percent`: some rows (y, x) of the probability of new construction, 255 = not observed, now that it is
    known of what object each pixel is part. `excluded`: the ground on which nothing is a finding."""

    percent: Strip
    excluded: Excluded
    _draw: Callable[[], gpd.GeoDataFrame]

    @cached_property
    def findings(self) -> gpd.GeoDataFrame:
        """In the grid's CRS, the surest first; their outlines are drawn when they are first asked for."""
        return self._draw()


@dataclass(frozen=True)
class Flag:
    """Keep the objects that are probably construction, fewest false ones first."""

    min_confidence: float = 0.5
    """findings less sure than this are left out"""
    min_area_m2: float = 25.0
    """and so are smaller ones"""
    max_false_per_km2: float = 200.0
    """and the least sure, until no more false ones than this are expected"""

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
        exclude: Mapping[str, Geometry] | None = None,
    ) -> Flagged:
        """`layers`, `images` give any window of what was detected, and of both dates. Nothing in the areas
        `exclude` is a finding: what reaches into one ends at its border.
        """
        excluded = Excluded.of(exclude or {}, grid)
        looked_at = Without(layers, excluded) if excluded else layers
        pixel = pixel_size(grid)
        least_px, known, many = self.min_area_m2 / pixel**2, Known.of(looked_at, pixel), has_kinds(looked_at)
        if many:
            things = judge_objects(find_objects(looked_at, grid, known.levels, least_px), known)
        else:
            patches = find_patches(looked_at, images, grid, bands, known.levels, least_px)
            things = [each for patch in patches for each in judge(patch, known, pixel, self.min_confidence)]
        things = [replace(thing, kind=_told(thing.kind, pixel)) for thing in things]

        def drawn() -> gpd.GeoDataFrame:
            observed_km2 = _observed(looked_at, int(grid.shape[0])) * pixel**2 / 1e6
            return table(self._worth_reporting(things, grid, observed_km2), grid, zones or {})

        return Flagged(_Settled(layers, things, 1.0 if many else _UNGROUPED), excluded, drawn)

    def _worth_reporting(self, things: Sequence[Thing], grid: GeoBox, observed_km2: float) -> list[Drawn]:
        """The surest first, for as long as the false ones to be expected among them stay under the limit."""
        drawn = [
            Drawn(thing, outline(thing, grid))
            for thing in things
            if thing.confidence >= self.min_confidence and not too_narrow(thing.kind, thing.shape.width_m)
        ]
        large = [each for each in drawn if round(each.outline.area, 6) >= self.min_area_m2]
        large.sort(key=lambda each: (-each.thing.confidence, *each.place))
        expected_false = np.cumsum([1 - each.thing.confidence for each in large])
        allowed = max(self.max_false_per_km2 * observed_km2, 1.0)  # one doubtful finding is no flood of them
        return large[: int((expected_false <= allowed).sum())]


def _told(kind: str, resolution: float) -> str:
    """The kind, or `other` where a pixel is too coarse to tell it from others."""
    return kind if can_be_told(kind, resolution) else "other"


def _observed(layers: LayerReader, height: int) -> float:
    """Pixels observed on both dates."""
    return float(sum((layers.layer(CHANGE, rows) != NOT_OBSERVED).sum() for rows in strips(height)))


@dataclass(frozen=True, eq=False)
class _Settled:
    """Each pixel's probability times that of its thing being new construction; `ungrouped` for no thing."""

    layers: LayerReader
    things: Sequence[Thing]
    ungrouped: float

    def __call__(self, rows: slice) -> NDArray[np.uint8]:
        lessened = np.rint(np.arange(256) * np.float32(self.ungrouped)).astype(np.uint8)
        lessened[NOT_OBSERVED] = NOT_OBSERVED
        settled = np.asarray(lessened[self.layers.layer(CHANGE, rows)])
        for thing in self.things:
            top, bottom = max(thing.window[0].start, rows.start), min(thing.window[0].stop, rows.stop)
            if thing.found_in == CHANGE and top < bottom:
                own = slice(top - thing.window[0].start, bottom - thing.window[0].start)
                percent, inside = thing.percent[own], thing.inside[own]
                new = np.rint(percent * np.float32(thing.new)).astype(np.uint8)
                part = settled[top - rows.start : bottom - rows.start, thing.window[1]]
                part[inside] = np.where(percent == NOT_OBSERVED, percent, new)[inside]
        return settled
