"""Areas of interest: shapes that are none, files that are none, and shapes that are odd but right."""

from __future__ import annotations

import json
from typing import Any

import geopandas as gpd
import shapely
from odc.geo import Geometry

from corpus.case import GRID, PIXEL, SIDE, Case, Done, Refused, Yard, refused

SHAPES, FILES = "Areas: shapes", "Areas: files"
FILE = "area.geojson"


def metres(*corners: tuple[float, float]) -> shapely.Polygon:
    """A polygon by metres east and south of the image's corner."""
    return shapely.Polygon([(GRID.transform.c + x, GRID.transform.f - y) for x, y in corners])


def box(left: float, top: float, right: float, bottom: float) -> shapely.Polygon:
    return metres((left, top), (right, top), (right, bottom), (left, bottom))


def lonlat(shape: shapely.Geometry) -> dict[str, Any]:
    """GeoJSON of a shape in the grid's CRS."""
    told: dict[str, Any] = Geometry(shape, GRID.crs).to_crs("EPSG:4326").json
    return told


def text(told: object, name: str = FILE) -> object:
    """A good pair, and an area file of this text, bytes or JSON."""

    def make(yard: Yard) -> list[object]:
        data = (
            told
            if isinstance(told, bytes)
            else told.encode()
            if isinstance(told, str)
            else json.dumps(told).encode()
        )
        (yard.folder / name).write_bytes(data)
        return [*yard.good(), "--aoi", name]

    return make


def area(*shapes: shapely.Geometry) -> object:
    features = [{"type": "Feature", "properties": {}, "geometry": lonlat(shape)} for shape in shapes]
    return text({"type": "FeatureCollection", "features": features})


def geometry(kind: str, coordinates: object) -> object:
    return text({"type": kind, "coordinates": coordinates})


def typed(given: str) -> object:
    return lambda yard: [*yard.good(), "--aoi", given]


def saved(name: str, driver: str, crs: str = "EPSG:32637") -> object:
    def make(yard: Yard) -> list[object]:
        frame = gpd.GeoDataFrame(geometry=[box(4, 30, 94, 94)], crs="EPSG:32637").to_crs(crs)
        frame.to_file(yard.folder / name, driver=driver)
        return [*yard.good(), "--aoi", name]

    return make


def of_2008(crs: str) -> object:
    """GeoJSON as it was before RFC 7946, in metres."""
    shape = shapely.geometry.mapping(box(4, 30, 94, 94))
    return text(
        {
            "type": "Feature",
            "properties": {},
            "geometry": shape,
            "crs": {"type": "name", "properties": {"name": crs}},
        }
    )


def place(yard: Yard) -> list[object]:
    (yard.folder / FILE).mkdir()
    return [*yard.good(), "--aoi", FILE]


SOUTH = box(0, 40, SIDE, SIDE)
BOWTIE = metres((20, 20), (120, 120), (120, 20), (20, 120))
RING = box(6, 30, 90, 92).difference(box(60, 32, 84, 50))
WEST, NORTH = lonlat(box(0, 0, 1, 1))["coordinates"][0][0]
IN_METRES = {"type": "Polygon", "coordinates": [[list(point) for point in SOUTH.exterior.coords]]}
NO_AREA: Refused = refused(FILE, "no area")
VRT = "<OGRVRTDataSource><OGRVRTLayer name='a'><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
PIPELINE = {"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline ! read other.gpkg ! write a"}
BOMB = "<?xml version='1.0'?><!DOCTYPE kml [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]><kml>&b;</kml>"
IN_KML = "<?xml version='1.0'?><kml xmlns='http://www.opengis.net/kml/2.2'><Placemark><Polygon><outerBoundaryIs><LinearRing><coordinates>{}</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark></kml>"
KML = IN_KML.format(" ".join(f"{x},{y}" for x, y in lonlat(SOUTH)["coordinates"][0]))

CASES = [
    Case(SHAPES, "a part of the image", area(SOUTH), Done()),
    Case(SHAPES, "wider than the image", area(box(-500, -500, 700, 700)), Done()),
    Case(SHAPES, "half beyond the image", area(box(10, 40, 900, 900)), Done()),
    Case(SHAPES, "in two parts", area(shapely.union_all([box(10, 40, 46, 90), box(52, 40, 90, 90)])), Done()),
    Case(SHAPES, "two features that overlap", area(box(10, 40, 60, 90), box(24, 40, 90, 90)), Done()),
    Case(SHAPES, "with a hole", area(RING), Done()),
    Case(SHAPES, "with heights", text(shapely.geometry.mapping(shapely.force_3d(shapely.geometry.shape(lonlat(SOUTH)), 100.0))), Done()),
    Case(SHAPES, "without the building", area(box(0, 0, SIDE, 40)), Done(found=False)),
    Case(SHAPES, "smaller than a pixel", area(box(70.2, 20.2, 70.2 + PIXEL / 3, 20.5)), Done(found=False)),
    Case(SHAPES, "beside the image", area(box(4000, 4000, 5000, 5000)), refused("outside")),
    Case(SHAPES, "crossing itself", area(BOWTIE), refused(FILE, "cross")),
    Case(SHAPES, "a point", geometry("Point", [WEST, NORTH]), refused(FILE, "Point")),
    Case(SHAPES, "a line", geometry("LineString", [[WEST, NORTH], [WEST + 1, NORTH]]), refused(FILE, "LineString")),
    Case(SHAPES, "a ring of no area", geometry("Polygon", [[[WEST, NORTH], [WEST + 0.001, NORTH], [WEST, NORTH]]]), refused(FILE)),
    Case(SHAPES, "a ring of two points", geometry("Polygon", [[[WEST, NORTH], [WEST, NORTH]]]), refused(FILE)),
    Case(SHAPES, "an empty polygon", geometry("Polygon", []), NO_AREA),
    Case(SHAPES, "no features", text({"type": "FeatureCollection", "features": []}), NO_AREA),
    Case(SHAPES, "a feature without a shape", text({"type": "Feature", "properties": {}, "geometry": None}), NO_AREA),
    Case(SHAPES, "latitude before longitude", typed("34.4,40.9,34.5,41.0"), refused("outside")),
    Case(SHAPES, "metres without a CRS", text(IN_METRES), refused(FILE, "not degrees")),
    Case(SHAPES, "coordinates of NaN", text('{"type": "Polygon", "coordinates": [[[NaN, 1], [2, 3], [4, 5], [NaN, 1]]]}'), refused(FILE, "NaN")),
    Case(SHAPES, "coordinates of 1e999", text('{"type": "Polygon", "coordinates": [[[1e999, 1], [2, 3], [4, 5], [1e999, 1]]]}'), refused(FILE, "no numbers")),
    Case(SHAPES, "coordinates that are words", geometry("Polygon", [[["a", "b"], ["c", "d"]]]), refused(FILE, "read")),
    Case(SHAPES, "box of three numbers", typed("40,34,41"), refused("40", "four numbers")),
    Case(SHAPES, "box of NaN", typed("nan,34,41,35"), refused("nan")),
    Case(SHAPES, "box, its corners turned", typed("41,34,40,35"), refused("41", "west, south, east, north")),
    Case(FILES, "GeoPackage in metres", saved("area.gpkg", "GPKG"), Done()),
    Case(FILES, "Shapefile in degrees", saved("area.shp", "ESRI Shapefile", "EPSG:4326"), Done()),
    Case(FILES, "FlatGeobuf", saved("area.fgb", "FlatGeobuf"), Done()),
    Case(FILES, "KML", text(KML, "area.kml"), Done()),
    Case(FILES, "GeoJSON of 2008, in metres", of_2008("urn:ogc:def:crs:EPSG::32637"), Done()),
    Case(FILES, "GeoJSON of 2008, of no known CRS", of_2008("urn:ogc:def:crs:NONE::1"), refused(FILE, "coordinate reference system")),
    Case(FILES, "with a byte order mark", text(b"\xef\xbb\xbf" + json.dumps(lonlat(SOUTH)).encode()), Done()),
    Case(FILES, "in UTF-16", text(json.dumps(lonlat(SOUTH)).encode("utf-16")), refused(FILE, "read")),
    Case(FILES, "not there", typed(FILE), refused(FILE, "no such file")),
    Case(FILES, "a folder", place, refused(FILE, "no such file")),
    Case(FILES, "empty", text(""), refused(FILE, "read")),
    Case(FILES, "cut short", text(json.dumps(lonlat(SOUTH))[:60]), refused(FILE, "read")),
    Case(FILES, "a list", text([1, 2, 3]), refused(FILE, "read")),
    Case(FILES, "features that are numbers", text({"type": "FeatureCollection", "features": [1, 2]}), refused(FILE, "read")),
    Case(FILES, "nested 100 000 deep", text("[" * 100_000), refused(FILE, "read")),
    Case(FILES, "TopoJSON", text({"type": "Topology", "objects": {}, "arcs": []}), refused(FILE, "read")),
    Case(FILES, "names other files (OGR VRT)", text(VRT), refused(FILE, "read")),
    Case(FILES, "tells GDAL what to run (GDALG)", text(PIPELINE), refused(FILE, "read")),
    Case(FILES, "OGR VRT by its own name", text(VRT, "area.vrt"), refused("area.vrt", "not a kind of file")),
    Case(FILES, "GeoPackage that is text", text("none", "area.gpkg"), refused("area.gpkg", "something else")),
    Case(FILES, "KML that declares entities", text(BOMB, "area.kml"), refused("area.kml", "entities")),
]  # fmt: skip
