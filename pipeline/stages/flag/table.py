"""Things worth reporting as a table: one row a finding, in the grid's CRS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from odc.geo import Geometry
from odc.geo.geobox import GeoBox
from shapely.geometry.base import BaseGeometry

from pipeline.stages.flag.outline import centre
from pipeline.stages.flag.things import Thing
from pipeline.stages.flag.zones import zone_of

_SUREST = 0.99  # some thousands of findings were kept out to fit confidence: they can show no more
CENTRE_LINE = "centre_line"
"""Beside the contract's columns: (Multi)LineString of a road in the grid's CRS, None for anything else."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """A thing with its outline in the grid's CRS, metres."""

    thing: Thing
    outline: BaseGeometry

    @property
    def place(self) -> tuple[float, ...]:
        """An order of things that are equally sure."""
        return tuple(self.outline.bounds)


def table(found: Sequence[Drawn], grid: GeoBox, zones: Mapping[str, Geometry]) -> gpd.GeoDataFrame:
    """Columns id, kind, direction, confidence, area_m2, length_m, width_m, zone, centre_line, geometry."""
    things = [each.thing for each in found]
    outlines = [each.outline for each in found]
    columns = {
        "id": pd.Series(np.arange(1, len(found) + 1), dtype="int64"),
        "kind": pd.Series([thing.kind for thing in things], dtype="str"),
        "direction": pd.Series([thing.direction for thing in things], dtype="str"),
        "confidence": pd.Series(
            [round(min(thing.confidence, _SUREST), 3) for thing in things], dtype="float64"
        ),
        "area_m2": pd.Series([round(outline.area, 1) for outline in outlines], dtype="float64"),
        "length_m": pd.Series([round(thing.shape.length_m, 1) for thing in things], dtype="float64"),
        "width_m": pd.Series([round(thing.shape.width_m, 1) for thing in things], dtype="float64"),
        "zone": pd.Series(zone_of(outlines, zones, grid), dtype="object"),
        CENTRE_LINE: pd.Series([centre(thing, grid) for thing in things], dtype="object"),
    }
    return gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries(outlines, crs=str(grid.crs)), crs=str(grid.crs))
