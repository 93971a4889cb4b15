"""What an Item's asset names: the file, as GDAL opens it, and its pixel grid.

Where the Item does not give the grid (projection extension 1 or 2), the file's header is read instead.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import pyproj
import pystac
from affine import Affine
from odc.geo.geobox import GeoBox
from rasterio.errors import NotGeoreferencedWarning

from pipeline.errors import GeoreferenceError
from pipeline.remote import gdal_path, is_url
from pipeline.scenes.opening import read_from
from pipeline.secrecy import without_secrets

_FARTHEST = 1e9  # metres; no place on Earth is further from any other


def asset_href(asset: pystac.Asset) -> str:
    """The path of the file; of a remote one the name by which GDAL opens it."""
    return gdal_name(asset.get_absolute_href() or asset.href)


def gdal_name(href: str) -> str:
    """The name by which GDAL opens what is at a path or URL."""
    return str(gdal_path(href, alone=True)) if is_url(href) else href.removeprefix("file://")


def asset_grid(item: pystac.Item, asset: pystac.Asset) -> GeoBox:
    """The pixel grid. Raises GeoreferenceError or SourceUnreadableError where only the file can tell it."""

    def field(name: str) -> Any:
        value = asset.extra_fields.get(name)
        return value if value is not None else item.properties.get(name)

    shape, transform = field("proj:shape"), field("proj:transform")
    crs = field("proj:code") or field("proj:epsg") or field("proj:wkt2") or field("proj:projjson")
    if shape and transform and crs:
        known = pyproj.CRS.from_json_dict(crs) if isinstance(crs, dict) else crs
        rows, cols = (int(size) for size in shape)
        box = GeoBox((rows, cols), Affine(*transform[:6]), known)
        if (
            min(rows, cols) < 1
            or not math.isfinite(box.transform.determinant)
            or box.transform.determinant == 0
            or max(map(abs, transform[:6])) > _FARTHEST
        ):
            raise GeoreferenceError(
                f"{without_secrets(asset.href)}: its STAC Item gives a shape {shape} and a transform "
                f"{transform} that no image has; mend the Item"
            )
        return box
    return _header(asset_href(asset))[0]


def asset_dtypes(asset: pystac.Asset) -> tuple[str, ...]:
    """Of the file's bands, read from it."""
    return _header(asset_href(asset))[1]


def _header(href: str) -> tuple[GeoBox, tuple[str, ...]]:
    def grid_and_dtypes(source: Any) -> tuple[GeoBox, tuple[str, ...]]:
        if source.crs is None or source.transform.is_identity:
            raise GeoreferenceError(
                f"{href}: no coordinate reference system or transform; set it with gdal_edit.py."
            )
        return GeoBox.from_rio(source), tuple(source.dtypes)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # said by an error of our own
        return read_from(href, grid_and_dtypes)
