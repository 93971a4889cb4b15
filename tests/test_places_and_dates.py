"""Images that do not say where they lie, folders of several dates, and coordinates as people write them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from imagery import grid, noise, write
from odc.geo.geobox import GeoBox
from PIL import Image
from pyproj import Geod

from pipeline.coordinates import latitude_longitude, metres
from pipeline.errors import AreaError, GeoreferenceError, SourceNotFoundError, SourceUnreadableError
from pipeline.grid import native_grid, to_lonlat
from pipeline.scenes import Place, acquired, band_names, describe, is_placed
from pipeline.scenes.by_date import last_two_dates, of_one_date

HERE = (34.4123, 40.9321)


def picture(path: Path, rows: int = 40, cols: int = 60) -> Path:
    """A plain picture, as of a screen."""
    values = np.random.default_rng(1).integers(0, 255, (rows, cols, 3)).astype("uint8")
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)
    return path


def placed(path: Path, place: Place) -> GeoBox:
    items = describe(path, place=place)
    return native_grid(items, band_names(items))


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
@pytest.mark.parametrize("here", [HERE, (-33.9, 18.4), (59.9, -179.9)])
def test_a_plain_picture_lies_where_it_is_said_to(
    tmp_path: Path, name: str, here: tuple[float, float]
) -> None:
    found = placed(picture(tmp_path / name), Place(here, 0.5))
    assert (found.shape.yx, found.transform.a, found.transform.e) == ((40, 60), 0.5, -0.5)
    ((lon, lat),) = to_lonlat(found.extent).centroid.points
    assert Geod(ellps="WGS84").inv(here[1], here[0], lon, lat)[2] < 0.01  # metres
    assert found.crs is not None
    assert found.crs.projected


def test_that_the_user_said_it_is_kept(tmp_path: Path) -> None:
    own = grid(20, 20)
    path = write(tmp_path / "a.tif", noise(own), own)
    assert is_placed(describe(picture(tmp_path / "a.png"), place=Place(HERE, 0.5)))
    assert not is_placed(describe(path, place=Place(HERE, 0.5)))


def test_a_picture_with_a_world_file_wants_its_crs_alone(tmp_path: Path) -> None:
    path = picture(tmp_path / "a.png")
    (tmp_path / "a.pgw").write_text("2\n0\n0\n-2\n600001\n3809999\n")
    found = placed(path, Place(crs="EPSG:32637"))
    assert found == GeoBox((40, 60), Affine(2, 0, 600000, 0, -2, 3810000), "EPSG:32637")
    with pytest.raises(GeoreferenceError, match="--source-crs"):
        describe(path, place=Place(HERE, 0.5))


def test_what_an_image_says_itself_goes_before(tmp_path: Path) -> None:
    own = grid(20, 20)
    path = write(tmp_path / "a.tif", noise(own), own)
    assert placed(path, Place(HERE, 0.5, "EPSG:32638")) == own


def test_several_pictures_of_a_date_have_not_one_middle(tmp_path: Path) -> None:
    for name in ("2019-09-09_a", "2019-09-09_b"):
        picture(tmp_path / f"{name}.png")
    with pytest.raises(GeoreferenceError, match="2 images of one date"):
        describe(tmp_path, place=Place(HERE, 0.5))
    (tmp_path / "2019-09-09_b.png").rename(tmp_path / "2019-09-21_b.png")
    assert [acquired(item) for item in describe(tmp_path, place=Place(HERE, 0.5))] == [
        "2019-09-09",
        "2019-09-21",
    ]


@pytest.fixture
def tiles(tmp_path: Path) -> Path:
    """A folder of three dates, two tiles each, and an area beside them."""
    box = grid(40, 40)
    for day in ("2019-08-20", "2019-09-09", "2019-09-21"):
        for name, part in (("west", box[:, :20]), ("east", box[:, 20:])):
            write(tmp_path / "tiles" / day / f"{name}.tif", noise(part), part)
    (tmp_path / "tiles" / "area.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    return tmp_path / "tiles"


def test_the_last_two_dates_of_a_folder(tiles: Path) -> None:
    items = describe(tiles)
    for given, expected in (
        ((None, None), ("2019-09-09", "2019-09-21")),
        (("2019-08-20", None), ("2019-08-20", "2019-09-21")),
        ((None, "2019-09-09"), ("2019-08-20", "2019-09-09")),
    ):
        pair = last_two_dates("tiles", items, *given)
        assert tuple({acquired(item) for item in one} for one in pair) == tuple({day} for day in expected)
        assert [len(one) for one in pair] == [2, 2]
    for before, after, told in (
        ("2019-09-21", None, "images of 2019-08-20, 2019-09-09, 2019-09-21 only"),
        ("2019-08-20", "2019-09-10", "no images of 2019-09-10"),
    ):
        with pytest.raises(SourceNotFoundError, match=told):
            last_two_dates("tiles", items, before, after)


def test_several_dates_of_one_ground_are_no_image(tiles: Path) -> None:
    with pytest.raises(SourceNotFoundError, match=r"3 dates \(2019-08-20, 2019-09-09, 2019-09-21\); choose"):
        of_one_date("tiles", describe(tiles), None, "choose one")
    assert {acquired(item) for item in of_one_date("tiles", describe(tiles), "2019-09-09", "")} == {
        "2019-09-09"
    }


def test_strips_of_neighbouring_days_are_one_image(tiles: Path) -> None:
    strips = [tiles / "2019-09-09" / "west.tif", tiles / "2019-09-21" / "east.tif"]
    assert len(of_one_date("strips", describe(strips), None, "")) == 2
    assert {acquired(item) for item in of_one_date("strips", describe(strips), "2019-09-10", "")} == {
        "2019-09-10"
    }


def test_an_archive_is_to_be_unpacked(tmp_path: Path) -> None:
    (tmp_path / "S2A_MSIL2A.SAFE.zip").write_bytes(b"PK")
    with pytest.raises(SourceUnreadableError, match=r"zip: an archive; unpack it"):
        describe(tmp_path / "S2A_MSIL2A.SAFE.zip")


@pytest.mark.parametrize(
    "text",
    [
        "34.4123,40.9321",
        " 34.4123 40.9321 ",
        "34.4123°N, 40.9321°E",
        "40.9321 E 34.4123 N",
        "N34.4123 E40.9321",
        "34°24'44.28\"N 40°55'55.56\"E",
        "34 24 44.28 N, 40 55 55.56 E",
        "34° 24′ 44.28″ N, 40° 55′ 55.56″ E",
        "34d24m44.28s 40d55m55.56s",
        "34° 24.738' N 40° 55.926' E",
    ],
)
def test_coordinates_as_people_write_them(text: str) -> None:
    assert latitude_longitude(text) == pytest.approx(HERE, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-33.9,18.4", (-33.9, 18.4)),
        ("33.9S 18.4W", (-33.9, -18.4)),
        ("0.5 S 0.25 E", (-0.5, 0.25)),
        ("−0.5, 0.25", (-0.5, 0.25)),
        ("-0.5,-0.25", (-0.5, -0.25)),
    ],
)
def test_south_and_west(text: str, expected: tuple[float, float]) -> None:
    assert latitude_longitude(text) == pytest.approx(expected)


def test_a_grid_reference() -> None:
    import mgrs

    reference = mgrs.MGRS().toMGRS(*HERE)
    assert latitude_longitude(reference) == pytest.approx(HERE, abs=2e-5)
    assert latitude_longitude(f"{reference[:3]} {reference[3:5]} {reference[5:]}") == latitude_longitude(
        reference
    )


@pytest.mark.parametrize("text", ["", "34.4", "here", "91,0", "0,181", "34N 35N", "1,2,3", "34;", "99ZZZ12"])
def test_what_are_no_coordinates(text: str) -> None:
    with pytest.raises(AreaError, match=r"write them as|a latitude"):
        latitude_longitude(text)


def test_distances() -> None:
    assert [metres(text) for text in ("500m", "2km", "1.5 KM")] == [500, 2000, 1500]
    for text in ("2", "0m", "-1km", "2 miles", ""):
        with pytest.raises(AreaError, match="as 500m or 2km"):
            metres(text)
