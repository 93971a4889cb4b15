"""Where images lie that do not say so themselves: plain pictures, or such with a world file alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from odc.geo import CRS
from odc.geo.geobox import GeoBox
from pyproj import Transformer

from pipeline.errors import GeoreferenceError

_TURN, _QUARTER = 541.0, 90.01  # degrees: images across the antimeridian may count on
_WORLD = 5e7  # metres or feet from the origin of a projection
_IN_A_FILE = " (source.place in a site file)"


@dataclass(frozen=True)
class Place:
    """What the user says of such images.

    `centre`: latitude and longitude (degrees) of the picture's middle; `pixel_size`: metres; north is up.
    `crs`: of images that have a transform, as from a world file, and no CRS.
    """

    centre: tuple[float, float] | None = None
    pixel_size: float | None = None
    crs: str | None = None

    def grid(self, path: Path, source: Any) -> tuple[GeoBox, bool]:
        """An opened raster's grid, and whether it is but what the user says. Raises GeoreferenceError."""
        lies = not source.transform.is_identity and _is_possible(source.transform)
        if lies and (source.crs is not None or self.crs is not None):
            crs = CRS(source.crs if source.crs is not None else str(self.crs))
            _check(path, crs, source)
            return GeoBox((source.height, source.width), source.transform, crs), False
        if not lies and self.centre is not None and self.pixel_size is not None:
            return _around(self.centre, self.pixel_size, (source.height, source.width)), True
        raise GeoreferenceError(_mend(path, source, lies))


def _is_possible(transform: Affine) -> bool:
    return all(map(math.isfinite, transform)) and transform.determinant != 0


def _check(path: Path, crs: CRS, source: Any) -> None:
    """Raises GeoreferenceError where this is no place on Earth."""
    if not (crs.geographic or crs.projected):
        raise GeoreferenceError(
            f"{path}: no coordinate reference system of the ground, but {crs}; set the one that it has"
        )
    reach = np.abs(source.bounds)
    if crs.geographic and (reach[[0, 2]].max() > _TURN or reach[[1, 3]].max() > _QUARTER):
        raise GeoreferenceError(
            f"{path}: its CRS is in degrees, its place {source.transform.c:g}, {source.transform.f:g} is not;"
            f" set the CRS that it has, e.g. gdal_edit.py -a_srs EPSG:32637 {path.name}"
        )
    if not crs.geographic and reach.max() > _WORLD:
        raise GeoreferenceError(
            f"{path}: reaches {reach.max() / 1e3:.0f} km from the origin of its CRS, which is not on earth; "
            f"set its place, e.g. gdal_edit.py -a_ullr WEST NORTH EAST SOUTH {path.name}"
        )


def _around(centre: tuple[float, float], size: float, shape: tuple[int, int]) -> GeoBox:
    """North up in the UTM zone of the centre, `shape` (rows, columns)."""
    lat, lon = centre
    crs = CRS.utm(lon, lat)
    x, y = Transformer.from_crs("EPSG:4326", str(crs), always_xy=True).transform(lon, lat)
    rows, cols = shape
    return GeoBox(shape, Affine(size, 0, x - cols * size / 2, 0, -size, y + rows * size / 2), crs)


def _mend(path: Path, source: Any, lies: bool) -> str:
    """What is missing, and how to say it."""
    if not _is_possible(source.transform):
        return (
            f"{path}: no position on the ground (impossible transform);"
            f" set it, e.g. gdal_edit.py -a_ullr WEST NORTH EAST SOUTH {path.name}"
        )
    if lies:
        return f"{path}: no coordinate reference system; name it, e.g. --source-crs EPSG:32637{_IN_A_FILE}"
    if source.gcps[0] or source.rpcs:
        known = "ground control points" if source.gcps[0] else "rational polynomials (RPC)"
        return f"{path}: has only {known} for a place; set it, e.g. gdalwarp {path.name} rectified.tif"
    unnamed = " and no reference system" if source.crs is None else ""
    return (
        f"{path}: no position on the ground{unnamed}; give its middle and the size of a pixel,"
        f" e.g. --at 34.4123,40.9321 --pixel-size 0.5{_IN_A_FILE}"
    )


NOWHERE = Place()
"""Nothing is said: images must say it themselves."""
