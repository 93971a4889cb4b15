"""Where images lie that do not say so themselves: plain pictures, or such with a world file alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affine import Affine
from odc.geo import CRS
from odc.geo.geobox import GeoBox
from pyproj import Transformer

from pipeline.errors import GeoreferenceError

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
        lies = not source.transform.is_identity and source.transform.determinant != 0
        if lies and (source.crs is not None or self.crs is not None):
            named = source.crs if source.crs is not None else CRS(str(self.crs))
            return GeoBox((source.height, source.width), source.transform, named), False
        if not lies and self.centre is not None and self.pixel_size is not None:
            return _around(self.centre, self.pixel_size, (source.height, source.width)), True
        raise GeoreferenceError(_mend(path, source, lies))


def _around(centre: tuple[float, float], size: float, shape: tuple[int, int]) -> GeoBox:
    """North up in the UTM zone of the centre, `shape` (rows, columns)."""
    lat, lon = centre
    crs = CRS.utm(lon, lat)
    x, y = Transformer.from_crs("EPSG:4326", str(crs), always_xy=True).transform(lon, lat)
    rows, cols = shape
    return GeoBox(shape, Affine(size, 0, x - cols * size / 2, 0, -size, y + rows * size / 2), crs)


def _mend(path: Path, source: Any, lies: bool) -> str:
    """What is missing, and how to say it."""
    if lies:
        return f"{path}: no coordinate reference system; name it, e.g. --source-crs EPSG:32637{_IN_A_FILE}"
    if source.gcps[0] or source.rpcs:
        known = "ground control points" if source.gcps[0] else "rational polynomials (RPC)"
        return f"{path}: not rectified, only {known}; rectify it, e.g. gdalwarp {path.name} rectified.tif"
    return (
        f"{path}: no position on the ground; say where its middle lies and how large a pixel is,"
        f" e.g. --at 34.4123,40.9321 --pixel-size 0.5{_IN_A_FILE}"
    )


NOWHERE = Place()
"""Nothing is said: images must say it themselves."""
