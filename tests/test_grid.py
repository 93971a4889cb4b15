"""Grids: which pixels there are, whole ones only, and where they lie."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from affine import Affine
from imagery import grid, noise, write
from odc.geo import Geometry
from odc.geo.geobox import GeoBox
from odc.geo.geom import box

from pipeline.area import read_area
from pipeline.errors import AreaError, GeoreferenceError, NoOverlapError
from pipeline.grid import blocks, crop, native_grid, resolution_m, same_pixels, site_grid, to_lonlat
from pipeline.scenes import describe


def test_native_grid_is_the_union_of_tiles(tmp_path: Path) -> None:
    whole = grid(90, 120)
    for name, part in {"a": whole[:50, :64], "b": whole[60:, 100:]}.items():
        write(tmp_path / f"{name}.tif", noise(part, 1), part)
    assert native_grid(describe(tmp_path), ("pan",)) == whole


def test_native_grid_is_the_finest_of_several(tmp_path: Path) -> None:
    fine, coarse = grid(40, 40, size=10), grid(30, 30, size=20)
    write(tmp_path / "B11.tif", noise(coarse, 1), coarse)
    write(tmp_path / "B04.tif", noise(fine, 1), fine)
    items = describe(tmp_path)
    assert native_grid(items, ("red", "swir16")) == GeoBox((60, 60), fine.transform, fine.crs)
    assert native_grid(items, ("red",)) == fine
    assert native_grid(items, ("swir16",)) == coarse


def test_tiles_out_of_phase_are_covered_whole(tmp_path: Path) -> None:
    first, second = grid(40, 40), grid(40, 40, west=600001.0, north=3810081.0)  # half a pixel off
    for name, part in {"a": first, "b": second}.items():
        write(tmp_path / f"{name}.tif", noise(part, 1), part)
    native = native_grid(describe(tmp_path), ("pan",))
    assert same_pixels(native, first)
    assert not same_pixels(native, second)
    assert native.shape == (81, 41)
    assert native.extent.contains(second.extent)


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (Affine.translation(3, -2), True),
        (Affine.translation(0.004, 0), True),
        (Affine.translation(0.02, 0), False),
        (Affine.scale(1.001), False),
        (Affine.scale(1, -1), False),
        (Affine.rotation(0.1), False),
    ],
)
def test_same_pixels(change: Affine, same: bool) -> None:
    whole = grid()
    assert same_pixels(whole, GeoBox(whole.shape, whole.transform * change, whole.crs)) is same


def test_site_grid_keeps_the_images_pixels() -> None:
    before = grid(90, 120)
    assert site_grid(before, None) == before
    area = box(600010.3, 3809900.0, 600100.0, 3809950.9, before.crs)
    cut = site_grid(before, area)
    assert cut.boundingbox.bbox == (600010, 3809900, 600100, 3809952)
    assert same_pixels(before, cut)


def test_site_grid_is_north_up() -> None:
    before = grid(90, 120)
    assert site_grid(before.flipy(), None) == before
    assert site_grid(before.flipx(), None) == before
    turned = GeoBox(before.shape, before.transform * Affine.rotation(30), before.crs)
    north_up = site_grid(turned, None)
    assert (north_up.transform.b, north_up.transform.d) == (0, 0)
    assert north_up.transform.a == -north_up.transform.e == pytest.approx(2)
    assert north_up.extent.buffer(1e-6).contains(turned.extent)


def test_site_grid_of_degrees_is_utm_in_square_metres() -> None:
    degrees = GeoBox((300, 300), Affine(9.4e-5, 0, 40.95, 0, -9.4e-5, 34.43), "EPSG:4326")
    site = site_grid(degrees, None)
    assert site.crs.to_epsg() == 32637
    size = site.transform.a
    assert size == -site.transform.e
    assert size == pytest.approx(9.4e-5 * 111_100 * math.sqrt(math.cos(math.radians(34.43))), rel=0.01)
    assert site.transform.c / size == pytest.approx(round(site.transform.c / size))
    assert to_lonlat(site.extent).boundingbox.left <= 40.95
    area = box(40.96, 34.41, 40.97, 34.42, "EPSG:4326")
    assert same_pixels(site, site_grid(degrees, area))
    assert (
        site_grid(GeoBox((9, 9), Affine(1e-4, 0, 40.95, 0, -1e-4, -34.4), "EPSG:4326"), None).crs.to_epsg()
        == 32737
    )


def test_metres_that_are_none_are_not_measured_in() -> None:
    mercator = GeoBox((50, 50), Affine(10, 0, 4558000, 0, -10, 4085000), "EPSG:3857")
    site = site_grid(mercator, None)
    assert site.crs.to_epsg() == 32637
    assert resolution_m(mercator) == pytest.approx(10 * math.cos(math.radians(34.4)), rel=0.01)
    with pytest.raises(GeoreferenceError, match="EPSG:3857 is not measured in true metres"):
        site_grid(mercator, None, crs="EPSG:3857")


def test_site_grid_as_the_user_wants_it() -> None:
    site = site_grid(grid(), None, crs="EPSG:32638", resolution=5)
    assert site.crs.to_epsg() == 32638
    assert (site.transform.a, site.transform.e) == (5, -5)
    assert site.transform.c % 5 == 0
    coarser = site_grid(grid(), None, resolution=6)
    assert coarser.crs == grid().crs
    assert coarser.transform.a == 6


def test_crop() -> None:
    whole = grid(90, 120)
    inner = whole[30:40, 50:70]
    assert crop(whole, inner.extent) == inner
    assert crop(whole, inner.extent, 5) == whole[25:45, 45:75]
    assert crop(whole, inner.extent, 1000) == whole
    assert crop(whole, to_lonlat(inner.extent), 1).extent.contains(inner.extent)
    with pytest.raises(NoOverlapError, match="lies outside the image"):
        crop(whole, grid(10, 10, west=700000).extent)
    with pytest.raises(NoOverlapError):
        crop(whole, grid(10, 10, west=600240).extent)  # its edge touches


def test_a_wide_area_in_degrees_is_not_cut_at_its_bulge() -> None:
    whole = GeoBox((3000, 3000), Affine(100, 0, 350000, 0, -100, 6700000), "EPSG:32637")
    area = box(37, 59, 41, 60, "EPSG:4326")
    corners_reach = min(y for _, y in Geometry(area.geom, area.crs).to_crs(whole.crs).exterior.points)
    assert crop(whole, area).boundingbox.bottom < corners_reach - 1500  # the parallel sags between them


def test_blocks_cover_each_pixel_once() -> None:
    whole = grid(70, 100)
    cut = blocks(whole, 32)
    assert cut[0] == (slice(0, 32), slice(0, 32))
    assert cut[1] == (slice(0, 32), slice(32, 64))
    assert cut[-1] == (slice(64, 70), slice(96, 100))
    assert sum((r.stop - r.start) * (c.stop - c.start) for r, c in cut) == 70 * 100


# Areas


def geojson(path: Path, geometry: dict[str, Any] | None, **more: Any) -> Path:
    path.write_text(
        json.dumps(
            {
                "type": "FeatureCollection",
                "features": [{"type": "Feature", "properties": {}, "geometry": geometry}],
                **more,
            }
        )
    )
    return path


def polygon(*ring: tuple[float, float]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


def test_areas(tmp_path: Path) -> None:
    square = polygon((40, 34), (41, 34), (41, 35), (40, 35))
    expected = box(40, 34, 41, 35, "EPSG:4326")
    for area in (geojson(tmp_path / "a.geojson", square), [40, 34, 41, 35], "40,34,41,35"):
        read = read_area(area)
        assert isinstance(read, Geometry)
        assert read.crs == expected.crs
        assert read.geom.equals(expected.geom)


@pytest.mark.parametrize(
    ("geometry", "message"),
    [
        (None, "holds no area"),
        ({"type": "Point", "coordinates": [40, 34]}, "holds a Point, not an area; draw a polygon"),
        (
            polygon((40, 34), (41, 35), (41, 34), (40, 35)),
            "not valid .*Self-intersection.*edges do not cross",
        ),
        (polygon((600000, 3810000), (600100, 3810000), (600100, 3810100)), "are not degrees"),
    ],
)
def test_files_that_hold_no_area(tmp_path: Path, geometry: dict[str, Any] | None, message: str) -> None:
    path = geojson(tmp_path / "a.geojson", geometry)
    with pytest.raises(AreaError, match=rf"a\.geojson: .*{message}"):
        read_area(path)


def test_no_features_no_file_and_no_vector_file(tmp_path: Path) -> None:
    (tmp_path / "empty.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    (tmp_path / "text.geojson").write_text("hello")
    for name, message in (
        ("empty", "holds no area"),
        ("text", "cannot be read as"),
        ("none", "no such file"),
    ):
        with pytest.raises(AreaError, match=rf"{name}\.geojson: {message}"):
            read_area(tmp_path / f"{name}.geojson")


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ([1, 2, 3], "four numbers"),
        ([41, 34, 40, 35], "empty"),
        ([600000, 3e6, 600100, 4e6], "not degrees"),
        ("1,2,3", "four"),
    ],
)
def test_boxes_that_are_none(bounds: Any, message: str) -> None:
    with pytest.raises(AreaError, match=message):
        read_area(bounds)
