"""Ground on which nothing is a finding: a quarry, a farm, a parade ground.

It is taken out before objects are formed, so that a road which runs on into it is found, and measured, up to
its border. The images and `change.tif` show that ground as any other: it was observed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from odc.geo import Geometry
from odc.geo.geobox import GeoBox
from rasterio.features import geometry_mask
from shapely.geometry.base import BaseGeometry

from pipeline.pair import Mask
from pipeline.stages.detect.detector import NOT_OBSERVED, LayerReader


@dataclass(frozen=True, eq=False)
class Excluded:
    """Areas of a site by name, in the grid's CRS."""

    areas: Mapping[str, BaseGeometry]
    grid: GeoBox

    @classmethod
    def of(cls, areas: Mapping[str, Geometry], grid: GeoBox) -> Excluded:
        """Those of the areas that share ground with the grid."""
        assert grid.crs is not None
        extent = grid.extent.geom
        placed = {name: areas[name].to_crs(grid.crs).geom for name in sorted(areas)}
        return cls({name: area for name, area in placed.items() if area.intersects(extent)}, grid)

    def __bool__(self) -> bool:
        return bool(self.areas)

    def mask(self, rows: slice, cols: slice) -> Mask:
        """True at the pixels (y, x) of a window that an area touches."""
        part = self.grid[rows, cols]
        near = [area for area in self.areas.values() if area.intersects(part.extent.geom)]
        if not near:
            return np.zeros(part.shape, np.bool_)
        touched: Mask = geometry_mask(near, part.shape, part.transform, all_touched=True, invert=True)
        return touched

    def as_dict(self) -> dict[str, Any]:
        """As in run.json: the areas, and the share of the grid that they take."""
        extent = self.grid.extent.geom
        share = shapely.union_all(list(self.areas.values())).intersection(extent).area / extent.area
        return {"areas": sorted(self.areas), "share": round(float(share), 4)}


@dataclass(frozen=True, eq=False)
class Without:
    """A `LayerReader` that has seen nothing of the excluded ground."""

    layers: LayerReader
    excluded: Excluded

    @property
    def detector(self) -> str:
        return self.layers.detector

    @property
    def names(self) -> tuple[str, ...]:
        return self.layers.names

    def __call__(self, rows: slice, cols: slice) -> NDArray[np.uint8]:
        return self._blank(self.layers(rows, cols), rows, cols)

    def layer(self, name: str, rows: slice) -> NDArray[np.uint8]:
        return self._blank(self.layers.layer(name, rows), rows, slice(0, int(self.excluded.grid.shape[1])))

    def _blank(self, layers: NDArray[np.uint8], rows: slice, cols: slice) -> NDArray[np.uint8]:
        return np.where(self.excluded.mask(rows, cols), np.uint8(NOT_OBSERVED), layers)
