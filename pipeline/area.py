"""Areas of interest and zones: from a file or a box to one polygon on the ground."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import shapely
from odc.geo import Geometry
from odc.geo.geom import box

from pipeline.errors import AreaError, SourceUnreadableError
from pipeline.vector_files import read_features

LONLAT = "EPSG:4326"


def read_area(area: str | Path | Sequence[float]) -> Geometry:
    """One polygon or multipolygon, with its CRS.

    area: a vector file (GeoJSON, GeoPackage, ...; all its polygons together), or a box of west, south, east,
    north in degrees,
        as numbers or as text "west,south,east,north". Raises AreaError.
    """
    if isinstance(area, str | Path):
        numbers = _numbers(str(area))
        return _from_file(Path(area)) if numbers is None else _from_box(numbers)
    return _from_box(list(area))


def _numbers(text: str) -> list[float] | None:
    try:
        return [float(part) for part in text.split(",")] if "," in text else None
    except ValueError:
        return None


def _from_box(bounds: Sequence[float]) -> Geometry:
    if len(bounds) != 4:
        raise AreaError(f"area {list(bounds)}: a box has four numbers: west, south, east, north in degrees.")
    west, south, east, north = bounds
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= 90 and -90 <= north <= 90):
        raise AreaError(
            f"area {list(bounds)}: not degrees; give west, south, east, north in longitude and latitude."
        )
    if not (west < east and south < north):
        raise AreaError(f"area {list(bounds)}: empty; the order is west, south, east, north.")
    return box(west, south, east, north, LONLAT)


def _from_file(file: Path) -> Geometry:
    if not os.path.isfile(file):  # noqa: PTH113 (which says no to names that no file can have)
        raise AreaError(f"{file}: no such file; name a GeoJSON file, or a box west,south,east,north.")
    try:
        frame = read_features(file)
    except SourceUnreadableError as error:
        raise AreaError(str(error)) from error
    shapes = [shape for shape in frame.geometry if shape is not None and not shape.is_empty]
    if not shapes:
        raise AreaError(f"{file}: holds no area; draw a polygon in it.")
    lonlat = frame.crs is None or frame.crs.is_geographic
    for shape in shapes:
        _check_shape(file, shape, lonlat)
    crs = (
        frame.crs.to_wkt() if frame.crs is not None and frame.crs.to_epsg() is None else (frame.crs or LONLAT)
    )
    return Geometry(shapely.force_2d(shapely.union_all(shapes)), crs)


def _check_shape(file: Path, shape: shapely.Geometry, lonlat: bool) -> None:
    if shape.geom_type not in {"Polygon", "MultiPolygon"}:
        raise AreaError(f"{file}: holds a {shape.geom_type}, not an area; draw a polygon.")
    if not shape.is_valid:
        reason = shapely.is_valid_reason(shape)
        raise AreaError(
            f"{file}: the polygon is not valid ({reason}); redraw it so that its edges do not cross."
        )
    if shape.area == 0:
        raise AreaError(f"{file}: the polygon has no area; redraw it.")
    west, south, east, north = shape.bounds
    if lonlat and not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise AreaError(
            f"{file}: coordinates such as {west:g}, {south:g} are not degrees; save it in EPSG:4326."
        )
