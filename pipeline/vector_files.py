"""Vector files that others drew: areas, zones, truth.

GDAL would open whatever a file says it is, also one that names other files and servers (OGR VRT, WFS) or
tells it what to run (GDALG). So GeoJSON (RFC 7946, and the `crs` of its predecessor of 2008) is read without
GDAL, and of the other formats only the few of `trust.VECTORS`, known by suffix and first bytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import pyproj
import shapely
from geopandas.array import from_shapely
from pyproj.exceptions import CRSError

from pipeline.errors import NotAllowedError, SourceNotFoundError, SourceUnreadableError
from pipeline.texts import parsed_json, read_text
from pipeline.trust import VECTORS

_LONLAT = "EPSG:4326"
_SHAPES = {
    "Point",
    "MultiPoint",
    "LineString",
    "MultiLineString",
    "Polygon",
    "MultiPolygon",
    "GeometryCollection",
}
_MARKS = {
    "GeoPackage": (b"SQLite format 3\x00",),
    "Shapefile": (b"\x00\x00\x27\x0a",),
    "FlatGeobuf": (b"fgb",),
    "KML": (b"<?xml", b"<kml", b"\xef\xbb\xbf<?xml"),
}
_ENTITIES = (b"<!DOCTYPE", b"<!ENTITY")
_FAULTS = (
    ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OSError,
    shapely.errors.ShapelyError, pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError,
)  # fmt: skip


def read_features(path: Path) -> gpd.GeoDataFrame:
    """All features, with their CRS (longitude and latitude where the file names none).

    Raises SourceNotFoundError, SourceUnreadableError, or NotAllowedError for a format that is not read.
    """
    if not path.is_file():
        raise SourceNotFoundError(f"{path}: no such file")
    format_ = VECTORS.get(path.suffix.lower())
    if format_ is None:
        there = ", ".join(dict.fromkeys(VECTORS.values()))
        raise NotAllowedError(
            f"{path}: not a kind of file that areas are read from; "
            f"save it as one of {there} ({', '.join(VECTORS)})"
        )
    try:
        frame = _geojson(path) if format_ == "GeoJSON" else _other(path, format_)
    except _FAULTS as error:
        told = " ".join(str(error).split()) or type(error).__name__
        raise SourceUnreadableError(
            f"{path}: cannot be read as {format_} ({told}); check the file"
        ) from error
    if not np.isfinite(shapely.get_coordinates(frame.geometry.array)).all():
        raise SourceUnreadableError(f"{path}: coordinates that are no numbers; check the file")
    return frame


def _geojson(path: Path) -> gpd.GeoDataFrame:
    document = parsed_json(read_text(path))
    kind = document.get("type") if isinstance(document, dict) else None
    if kind == "FeatureCollection":
        features = document["features"]
    elif kind == "Feature":
        features = [document]
    elif kind in _SHAPES:
        features = [{"type": "Feature", "properties": {}, "geometry": document}]
    else:
        raise ValueError("no FeatureCollection, Feature or geometry")
    shapes = from_shapely([_shape(each.get("geometry")) for each in features])
    rows = [
        {**(each.get("properties") or {}), "geometry": shape}
        for each, shape in zip(features, shapes, strict=True)
    ]
    return gpd.GeoDataFrame(
        rows, columns=None if rows else ["geometry"], geometry="geometry", crs=_crs(document.get("crs"))
    )


def _shape(given: Any) -> shapely.Geometry | None:
    return None if given is None else shapely.geometry.shape(given)


def _crs(told: Any) -> str:
    if told is None:
        return _LONLAT
    try:
        name = str(told["properties"]["name"])
        pyproj.CRS.from_user_input(name)
    except (KeyError, TypeError, CRSError):
        raise ValueError("its crs names no coordinate reference system") from None
    return name


def _other(path: Path, format_: str) -> gpd.GeoDataFrame:
    with path.open("rb") as stream:
        head = stream.read(1024)
        rest = stream.read() if format_ == "KML" else b""
    if not head.startswith(_MARKS[format_]):
        raise ValueError("its first bytes are those of something else")
    if any(mark in head + rest for mark in _ENTITIES):
        raise ValueError("it declares entities of its own")
    frame = gpd.read_file(path)
    return frame if isinstance(frame, gpd.GeoDataFrame) else gpd.GeoDataFrame(geometry=[], crs=_LONLAT)
