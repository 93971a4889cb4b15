"""Where on earth an image lies: transforms, coordinate systems, tiles, and days."""

from __future__ import annotations

import json
from functools import partial

import numpy as np
import pystac
import rasterio
from affine import Affine
from imagery import write
from odc.geo.geobox import GeoBox
from rasterio import warp
from rasterio.control import GroundControlPoint
from rasterio.enums import Resampling
from rasterio.rpc import RPC

from corpus.case import BANDS, GRID, PAIR, PIXEL, SIDE, Array, Case, Done, Yard, refused
from pipeline.scenes import describe

TRANSFORMS, SYSTEMS, TILES, DAYS = "Transforms", "Coordinate systems", "Tiles", "Days"
T = GRID.transform


def placed(transform: Affine, crs: str | None = "EPSG:32637", **how: object) -> object:
    """Both images under another transform, their pixels as they are."""
    box = GeoBox((SIDE, SIDE), transform, crs or "EPSG:32637")
    return lambda yard: yard.both(box=box, crs=crs, **how)


def south_up(yard: Yard) -> list[object]:
    """Only the after image is stored so, the ground being the same."""
    box = GeoBox((SIDE, SIDE), T * Affine.translation(0, SIDE) * Affine.scale(1, -1), GRID.crs)
    return yard.odd(yard.after[:, ::-1], box)


def mirrored(yard: Yard) -> list[object]:
    box = GeoBox((SIDE, SIDE), T * Affine.translation(SIDE, 0) * Affine.scale(-1, 1), GRID.crs)
    return yard.odd(yard.after[:, :, ::-1], box)


def turned(quarter: int) -> object:
    """The after image is stored turned by quarters, the ground being the same."""

    def make(yard: Yard) -> list[object]:
        middle = SIDE / 2
        turn = (
            Affine.translation(middle, middle)
            * Affine.rotation(90 * quarter)
            * Affine.translation(-middle, -middle)
        )
        return yard.odd(np.rot90(yard.after, quarter, (1, 2)), GeoBox((SIDE, SIDE), T * turn, GRID.crs))

    return make


def pixel_is_point(yard: Yard) -> list[object]:
    """Only the after image says so; GDAL's transform is of areas either way."""
    yard.good()
    with rasterio.open(yard.folder / "after.tif", "r+") as file:
        file.update_tags(AREA_OR_POINT="Point")
    return PAIR


def without_transform(**how: object) -> object:
    def make(yard: Yard) -> list[object]:
        yard.good()
        write(
            yard.folder / "after.tif", yard.after, GRID, names=BANDS, transform=None, **{"crs": None, **how}
        )
        return PAIR

    return make


CORNERS = [
    GroundControlPoint(row, col, *(T * (col, row)))
    for row, col in ((0, 0), (0, SIDE), (SIDE, 0), (SIDE, SIDE))
]
POLYNOMIAL = [1.0] + [0.0] * 19
RPCS = RPC(
    height_off=0.0, height_scale=1.0, lat_off=34.4, lat_scale=1.0, long_off=40.9, long_scale=1.0,
    line_num_coeff=[0.0, 1.0] + [0.0] * 18, line_den_coeff=POLYNOMIAL, line_off=48.0, line_scale=48.0,
    samp_num_coeff=[0.0, 0.0, 1.0] + [0.0] * 17, samp_den_coeff=POLYNOMIAL, samp_off=48.0, samp_scale=48.0,
)  # fmt: skip


def on_the_ground(lon: float, lat: float, crs: str, size: float = PIXEL) -> object:
    """Both images around a place, in a CRS."""
    west, north = warp.transform("EPSG:4326", crs, [lon], [lat])
    half = size * SIDE / 2
    return placed(Affine(size, 0, west[0] - half, 0, -size, north[0] + half), crs)


def reprojected(crs: str, date: str = "after.tif") -> object:
    """One date in another CRS, its pixels resampled to it."""

    def make(yard: Yard) -> list[object]:
        yard.good()
        box = GRID.to_crs(crs)
        values = np.zeros((4, *box.shape.yx), "uint16")
        source = yard.after if date == "after.tif" else yard.before
        warp.reproject(
            source, values, src_transform=T, src_crs="EPSG:32637", dst_transform=box.transform, dst_crs=crs,
            resampling=Resampling.cubic, src_nodata=0, dst_nodata=0,
        )  # fmt: skip
        yard.write(date, values, box)
        return PAIR

    return make


CASES = [
    Case(TRANSFORMS, "south up", south_up, Done()),
    Case(TRANSFORMS, "east to west", mirrored, Done()),
    *(Case(TRANSFORMS, f"stored turned by {90 * n} degrees", turned(n), Done()) for n in (1, 2, 3)),
    Case(TRANSFORMS, "rotated by 30 degrees", placed(T * Affine.rotation(30)), Done(found=True, seen=None)),
    Case(TRANSFORMS, "sheared", placed(T * Affine.shear(10, 0)), Done(found=True, seen=None)),
    Case(TRANSFORMS, "pixels twice as high as wide", placed(T * Affine.scale(1, 2)), Done(seen=None)),
    Case(TRANSFORMS, "pixel is point", pixel_is_point, Done()),
    Case(TRANSFORMS, "ground control points only", without_transform(gcps=CORNERS, crs="EPSG:32637"), refused("after.tif", "gdalwarp")),
    Case(TRANSFORMS, "rational polynomials only", without_transform(rpcs=RPCS), refused("after.tif", "gdalwarp")),
    Case(TRANSFORMS, "no transform", without_transform(crs="EPSG:32637"), refused("after.tif", "position")),
    Case(TRANSFORMS, "pixels of no width", placed(Affine(0, 0, 600_000, 0, -1, 3_810_000)), refused("before.tif", "set it")),
    Case(TRANSFORMS, "a transform of NaN", placed(Affine(1, 0, float("nan"), 0, -1, 3_810_000)), refused("before.tif", "position")),
    Case(TRANSFORMS, "an infinite transform", placed(Affine(1, 0, float("inf"), 0, -1, 3_810_000)), refused("before.tif", "position")),
    Case(TRANSFORMS, "pixels of a thousand kilometres", placed(Affine(1e6, 0, 600_000, 0, -1e6, 3_810_000)), refused("before.tif")),
    Case(SYSTEMS, "no CRS", without_transform(), refused("after.tif", "reference system")),
    Case(SYSTEMS, "metres called degrees", placed(T, "EPSG:4326"), refused("before.tif", "degrees")),
    Case(SYSTEMS, "a local CRS", placed(T, 'LOCAL_CS["yard",UNIT["metre",1]]'), refused("before.tif", "reference system")),
    Case(SYSTEMS, "a geocentric CRS", placed(T, "EPSG:4978"), refused("before.tif", "reference system")),
    Case(SYSTEMS, "degrees", reprojected("EPSG:4326", "before.tif"), Done(seen=None)),
    Case(SYSTEMS, "after image in degrees", reprojected("EPSG:4326"), Done(seen=None)),
    Case(SYSTEMS, "after image in the next UTM zone", reprojected("EPSG:32638"), Done(seen=None)),
    Case(SYSTEMS, "after image in Web Mercator", reprojected("EPSG:3857"), Done(seen=None)),
    Case(SYSTEMS, "Web Mercator", on_the_ground(40.9, 34.4, "EPSG:3857"), Done(seen=None)),
    Case(SYSTEMS, "feet", on_the_ground(-122.4, 37.8, "EPSG:2227", 3.28), Done(seen=None)),
    Case(SYSTEMS, "the north pole", on_the_ground(0.0, 90.0, "EPSG:3995"), Done(seen=None)),
    Case(SYSTEMS, "the south pole", on_the_ground(0.0, -90.0, "EPSG:3031"), Done(seen=None)),
    Case(SYSTEMS, "near a pole, in degrees", placed(Affine(5.7e-3, 0, 12.0, 0, -1e-5, 89.9), "EPSG:4326"), Done(seen=None)),
    Case(SYSTEMS, "across the antimeridian, in metres", on_the_ground(180.0, -17.0, "EPSG:32701"), Done()),
    Case(SYSTEMS, "across the antimeridian, in degrees", on_the_ground(180.0, -17.0, "EPSG:4326", 1e-5), Done(found=None, seen=None)),
]  # fmt: skip


# Tiles


def tiles(yard: Yard, *parts: tuple[str, Array, tuple[slice, slice]]) -> list[object]:
    """A good before.tif, and an after image of tiles in a folder."""
    yard.write("before.tif", yard.before)
    for name, values, (rows, cols) in parts:
        yard.write(f"after/{name}.tif", values[:, rows, cols], GRID[rows, cols])
    return ["compare", "before.tif", "after"]


ALL = slice(0, SIDE)
HALVES = (ALL, slice(0, 48)), (ALL, slice(48, SIDE))


def disagreeing(names: tuple[str, str]) -> object:
    """Two tiles of all the ground: one with the building, one without. The first by name counts."""

    def make(yard: Yard) -> list[object]:
        return tiles(yard, (names[0], yard.after, (ALL, ALL)), (names[1], yard.before, (ALL, ALL)))

    return make


def unlike(yard: Yard) -> list[object]:
    """One tile has half the resolution of the other."""
    tiles(yard, ("a", yard.after, HALVES[0]))
    east = yard.after[:, :, 48:].reshape(4, 48, 2, 24, 2).mean(axis=(2, 4)).astype("uint16")
    yard.write("after/b.tif", east, GRID[:, 48:].zoom_out(2))
    return ["compare", "before.tif", "after"]


def two_zones(yard: Yard) -> list[object]:
    reprojected("EPSG:32638")(yard)  # type: ignore[operator]
    (yard.folder / "after").mkdir()
    (yard.folder / "after.tif").rename(yard.folder / "after" / "b.tif")
    return tiles(yard, ("a", yard.after, HALVES[0]))


def elsewhere(yard: Yard) -> list[object]:
    far = GeoBox((SIDE, SIDE), T * Affine.translation(50_000, 0), GRID.crs)
    return yard.odd(box=far)


def by_one_pixel(yard: Yard) -> list[object]:
    return yard.odd(box=GeoBox((SIDE, SIDE), T * Affine.translation(SIDE - 1, 0), GRID.crs))


CASES += [
    Case(TILES, "two tiles", lambda yard: tiles(yard, ("a", yard.after, HALVES[0]), ("b", yard.after, HALVES[1])), Done()),
    Case(TILES, "two tiles that overlap", lambda yard: tiles(yard, ("a", yard.after, (ALL, slice(0, 66))), ("b", yard.after, (ALL, slice(30, SIDE)))), Done()),
    Case(TILES, "one tile of two", lambda yard: tiles(yard, ("a", yard.after, HALVES[0])), Done(seen=0.5)),
    Case(TILES, "a gap between tiles", lambda yard: tiles(yard, ("a", yard.after, HALVES[0]), ("b", yard.after, (ALL, slice(72, SIDE)))), Done(seen=0.75)),
    Case(TILES, "tiles that disagree, the first with the building", disagreeing(("a", "b")), Done()),
    Case(TILES, "tiles that disagree, the first without the building", disagreeing(("b", "a")), Done(found=False)),
    Case(TILES, "tiles of two resolutions", unlike, Done(seen=None)),
    Case(TILES, "tiles of two UTM zones", two_zones, Done(seen=None)),
    Case(TILES, "images of other ground", elsewhere, refused("after.tif", "before.tif", "outside")),
    Case(TILES, "images that share one column", by_one_pixel, refused("windows match well")),
]  # fmt: skip


# Days


def dated(before: str, after: str) -> object:
    """What both images say of the day they were taken."""

    def make(yard: Yard) -> list[object]:
        yard.write("before.tif", yard.before, tags={"ACQUISITION_DATE": before})
        yard.write("after.tif", yard.after, tags={"ACQUISITION_DATE": after})
        return PAIR

    return make


def two_days_as_one(yard: Yard) -> list[object]:
    tiles(yard, ("2019-09-21", yard.after, HALVES[0]), ("2019-09-22", yard.after, HALVES[1]))
    return ["compare", "before.tif", "after"]


def item(yard: Yard, moment: object) -> list[object]:
    """The after image as a STAC Item of a moment."""
    yard.good()
    (told,) = describe(yard.folder / "after.tif", date="2019-09-21")
    document = told.to_dict()
    document["properties"]["datetime"] = moment
    (yard.folder / "after.json").write_text(json.dumps(document))
    assert isinstance(told, pystac.Item)
    return ["compare", "before.tif", "after.json"]


def twice(yard: Yard) -> list[object]:
    """A site of which one day lies in two folders, in both ways of writing it."""
    for day, values in (("2019-09-09", yard.before), ("2019-09-21", yard.after), ("20190921", yard.after)):
        yard.write(f"images/{day}/tile.tif", values)
    (yard.folder / "yard.yaml").write_text("id: yard\nsource: {files: 'images/{date}/*.tif'}\n")
    return ["run", "yard.yaml"]


CASES += [
    Case(DAYS, "no dates", dated("", ""), Done()),
    Case(DAYS, "dates that do not exist", dated("2019-02-30", "2019-13-45"), Done()),
    Case(DAYS, "both of one day", dated("2019-09-09", "2019-09-09"), Done()),
    Case(DAYS, "after taken before before", dated("2019-09-21", "2019-09-09"), Done()),
    Case(DAYS, "tiles of two days as one date", two_days_as_one, Done()),
    Case(DAYS, "one day in two folders", twice, Done()),
    Case(DAYS, "a time zone 14 hours east", partial(item, moment="2019-09-22T01:00:00+14:00"), Done()),
    Case(DAYS, "a time without a zone", partial(item, moment="2019-09-21T08:16:01"), Done()),
    Case(DAYS, "a time that is none", partial(item, moment="yesterday"), refused("after.json", "STAC Item")),
    Case(DAYS, "a time of null", partial(item, moment=None), refused("after.json", "STAC Item")),
    Case(DAYS, "a time that is a number", partial(item, moment=1_569_000_000), refused("after.json", "STAC Item")),
]  # fmt: skip
