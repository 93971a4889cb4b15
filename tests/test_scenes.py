"""Scenes: which files a source means, and what their Items say of bands, dates, scale and place."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pystac
import pytest
import rasterio
from affine import Affine
from imagery import grid, noise, write
from odc.geo.geobox import GeoBox

from pipeline.errors import (
    BandError,
    GeoreferenceError,
    GroundbreakError,
    SourceNotFoundError,
    SourceUnreadableError,
)
from pipeline.scenes import acquired, band_names, band_sources, describe, is_made
from pipeline.scenes.counts import Counts
from pipeline.scenes.dates import find_date
from pipeline.scenes.names import common_name, name_bands
from pipeline.stages.load import Load

BOX = grid(20, 24)


def image(path: Path, bands: int = 1, dtype: str = "uint16", **given: Any) -> Path:
    return write(path, noise(BOX, bands, dtype), BOX, **given)


def names(path: Path, **given: Any) -> list[str]:
    (item,) = describe(path, **given)
    return list(band_sources(item))


# Which files


def test_a_folder_means_its_images_only(tmp_path: Path) -> None:
    for name in (
        "b.tif",
        "A.TIF",
        "c.jp2.aux.xml",
        ".hidden.tif",
        "b.tif.ovr",
        "notes.txt",
        "b_udm.tif",
        "quicklook.png",
    ):
        (tmp_path / name).touch()
    image(tmp_path / "b.tif")
    image(tmp_path / "A.TIF")
    image(tmp_path / "deeper" / "z.tif")
    assert [item.id for item in describe(tmp_path)] == ["A", "b"]


def test_a_folder_without_images_is_searched_below(tmp_path: Path) -> None:
    image(tmp_path / "x" / "b.tif")
    image(tmp_path / "y" / "b.tif")
    assert [item.id for item in describe(tmp_path)] == ["x_b", "y_b"]


def test_a_glob_a_file_and_several_paths(tmp_path: Path) -> None:
    a, b = image(tmp_path / "x" / "a.tif"), image(tmp_path / "y" / "b.tif")
    assert [item.id for item in describe(str(tmp_path / "*" / "*.tif"))] == ["x_a", "y_b"]
    assert [item.id for item in describe(tmp_path / "?")] == ["x_a", "y_b"]
    assert [item.id for item in describe([b, a])] == ["x_a", "y_b"]
    assert [item.id for item in describe(a)] == ["a"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("befor", r"befor: no such file or folder \(is before meant\?\); check the path"),
        ("before/*.jp2", r"before/\*\.jp2: no image matches this pattern"),
        ("empty", r"empty: no image in this folder"),
    ],
)
def test_sources_that_name_nothing(tmp_path: Path, source: str, message: str) -> None:
    image(tmp_path / "before" / "a.tif")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceNotFoundError, match=message):
        describe(tmp_path / source)


def test_files_that_are_no_images(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_text("not an image")
    (tmp_path / "b.json").write_text('{"type": "FeatureCollection", "features": [{"type": "Feature"}]}')
    (tmp_path / "c.json").write_text("{")
    with pytest.raises(SourceUnreadableError, match=r"a\.tif: not an image that can be read"):
        describe(tmp_path / "a.tif")
    for name in ("b.json", "c.json"):
        with pytest.raises(SourceUnreadableError, match=rf"{name}: not a STAC Item"):
            describe(tmp_path / name)


def test_images_without_a_place(tmp_path: Path) -> None:
    with pytest.raises(
        GeoreferenceError, match=r"a\.tif: no coordinate reference system; .*--source-crs EPSG"
    ):
        describe(image(tmp_path / "a.tif", crs=None))
    with pytest.raises(GeoreferenceError, match=r"b\.tif: no position .*--at .* --pixel-size"):
        describe(image(tmp_path / "b.tif", transform=Affine.identity()))


# Bands


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Red", "red"),
        ("B4", "red"),
        ("B04", "red"),
        ("B8A", "nir08"),
        ("B08", "nir"),
        ("near infrared", "nir"),
        ("NIR1", "nir"),
        ("Near-IR", "nir"),
        ("red band", "red"),
        ("Band 4 (red)", "red"),
        ("PAN", "pan"),
        ("Coastal Blue", "coastal"),
        ("SWIR 1", "swir16"),
        ("Band 4", None),
        ("", None),
        (None, None),
    ],
)
def test_common_names(text: str | None, name: str | None) -> None:
    assert common_name(text) == name


@pytest.mark.parametrize(
    ("descriptions", "colours", "dtype", "expected"),
    [
        (["Blue", "Green", "Red", "NIR"], ["gray"] + ["undefined"] * 3, "uint16", "blue green red nir"),
        (["red", "elevation"], ["gray", "undefined"], "uint16", "red elevation"),
        ([None] * 3, ["red", "green", "blue"], "uint8", "red green blue"),
        ([None] * 4, ["red", "green", "blue", "undefined"], "uint8", "red green blue nir"),
        ([None] * 4, ["red", "green", "blue", "alpha"], "uint8", "red green blue alpha"),
        ([None] * 4, ["gray"] + ["undefined"] * 3, "uint16", "blue green red nir"),
        ([None] * 4, ["gray"] + ["undefined"] * 3, "uint8", "red green blue nir"),
        ([None], ["gray"], "uint16", "pan"),
        ([None] * 2, ["gray", "alpha"], "uint16", "pan alpha"),
        (["Band 1", "Band 2", "Band 3"], ["gray", "undefined", "undefined"], "uint16", "red green blue"),
        ([None] * 5, ["gray"] + ["undefined"] * 4, "uint16", "band1 band2 band3 band4 band5"),
        (["red", "red"], ["gray", "undefined"], "uint16", "band1 band2"),
    ],
)
def test_names_of_a_files_bands(
    descriptions: list[str | None], colours: list[str], dtype: str, expected: str
) -> None:
    assert name_bands("f", descriptions, colours, dtype, None) == expected.split()


def test_a_guess_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    four = image(tmp_path / "a.tif", 4)
    image(tmp_path / "b.tif", 4)
    with caplog.at_level(logging.WARNING):
        assert names(four, bands=["nir", "red", "green", "blue"])[0] == "nir"
        assert caplog.messages == []
        describe(tmp_path)
    (message,) = caplog.messages
    assert (
        message
        == f"{four} and 1 more: bands are not named; taken as blue,green,red,nir. Name them with --bands."
    )


def test_single_bands_of_one_place_are_not_tiles(tmp_path: Path) -> None:
    for name in ("LC08_L1TP_174036_20190909_B4", "LC08_L1TP_174036_20190909_B5"):
        image(tmp_path / f"{name}.tif")
    with pytest.raises(
        BandError, match="one band a file, but the names do not say which; name the files B02"
    ):
        describe(tmp_path)


def test_the_users_names_go_by_position_or_choose(tmp_path: Path) -> None:
    four = image(tmp_path / "a.tif", 4, names=["w", "x", "y", "z"])
    assert names(four, bands=["nir", "red", "green", "blue"]) == ["nir", "red", "green", "blue"]
    known = image(tmp_path / "b.tif", 4, names=["blue", "green", "red", "nir"])
    assert names(known, bands=["B8", "red"]) == ["blue", "green", "red", "nir"]
    with pytest.raises(
        BandError, match=r"b\.tif: no band 'gren' among blue, green, red, nir; is green meant\?"
    ):
        describe(known, bands=["gren"])
    with pytest.raises(BandError, match="named twice"):
        describe(known, bands=["red", "red", "green", "blue"])


# Files by band


def test_sentinel_2_folder_is_one_item(tmp_path: Path) -> None:
    bands = {
        "B02": "blue",
        "B03": "green",
        "B04": "red",
        "B08": "nir",
        "B8A": "nir08",
        "B11": "swir16",
        "B12": "swir22",
    }
    for band in bands:
        image(tmp_path / f"T37SDA_20190909T081601_{band}_10m.tif")
    image(tmp_path / "T37SDA_20190909T081601_TCI_10m.tif", 3, "uint8")
    (item,) = describe(tmp_path)
    assert item.id == "T37SDA_20190909T081601"
    assert acquired(item) == "2019-09-09"
    sources = band_sources(item)
    assert {key: source.name for key, source in zip(item.assets, sources.values(), strict=True)} == bands
    assert {(source.scale, source.offset, source.nodata) for source in sources.values()} == {(1e-4, 0.0, 0.0)}
    assert {
        (s.scale, s.offset) for s in band_sources(describe(tmp_path, counts=Counts(0.5, 2))[0]).values()
    } == {(0.5, 2.0)}


def test_two_sentinel_2_tiles_in_one_folder_and_the_finest_of_a_band(tmp_path: Path) -> None:
    for tile in ("T37SDA", "T37SDB"):
        for name in ("B04_10m", "B11_20m"):
            image(tmp_path / f"{tile}_20190909T081601_{name}.tif")
    coarse = BOX.zoom_out(2)
    write(tmp_path / "T37SDA_20190909T081601_B04_20m.tif", noise(coarse, 1), coarse)
    first, second = describe(tmp_path)
    assert (first.id, second.id) == ("T37SDA_20190909T081601", "T37SDB_20190909T081601")
    assert band_sources(first)["red"].grid == BOX


def test_tiles_called_b1_are_not_bands(tmp_path: Path) -> None:
    for i, name in enumerate(("A1", "A2", "site_B1", "site_B2")):
        part = grid(20, 24, west=600000 + 48 * i)
        write(tmp_path / f"{name}.tif", noise(part, 1), part)
    assert [list(band_sources(item)) for item in describe(tmp_path)] == [["pan"]] * 4


def test_plain_band_files(tmp_path: Path) -> None:
    for name in ("red", "green", "nir"):
        image(tmp_path / f"site_{name}.tif", dtype="uint8")
    (item,) = describe(tmp_path)
    assert item.id == "site"
    assert band_names([item]) == ("green", "red", "nir")
    assert band_sources(item)["red"].scale == pytest.approx(1 / 255)


def test_offset_of_a_product_comes_from_its_metadata(tmp_path: Path) -> None:
    folder = tmp_path / "S2B_MSIL2A_20230909T081601_N0509.SAFE"
    images = folder / "GRANULE" / "L2A_T37SDA" / "IMG_DATA" / "R10m"
    image(images / "T37SDA_20230909T081601_B04_10m.tif")
    image(folder / "GRANULE" / "L2A_T37SDA" / "QI_DATA" / "MSK_DETFOO_B04.tif")
    (folder / f"{folder.stem}-ql.jpg").touch()  # a quicklook, which lies above the images
    assert band_sources(describe(folder)[0])["red"].offset == 0  # no metadata: not guessed from the date
    (folder / "MTD_MSIL2A.xml").write_text(
        '<a><BOA_QUANTIFICATION_VALUE unit="none">10000</BOA_QUANTIFICATION_VALUE>'
        '<BOA_ADD_OFFSET band_id="0">-1000</BOA_ADD_OFFSET>'
        '<BOA_ADD_OFFSET band_id="1">-1000</BOA_ADD_OFFSET></a>'
    )
    (item,) = describe(folder)
    assert band_sources(item)["red"].offset == pytest.approx(-0.1)
    assert band_sources(describe(folder, counts=Counts(offset=0.0))[0])["red"].offset == 0


# Dates and what is made


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2019-09-09T08:16:01Z", "2019-09-09"),
        ("2019:09:09 08:16:01", "2019-09-09"),
        ("T37SDA_20190909T081601_B04", "2019-09-09"),
        ("20190909081601", "2019-09-09"),
        ("site_2019_09_09.tif", "2019-09-09"),
        ("m_3607717_sw_18_1_20160620", "2016-06-20"),
        ("20190230 then 20190301", "2019-03-01"),
        ("2019-0909", None),
        ("120190909", None),
        ("boukamal", None),
    ],
)
def test_dates_in_text(text: str, day: str | None) -> None:
    assert find_date(text) == day


def test_which_date_counts(tmp_path: Path) -> None:
    def day(path: Path, **given: Any) -> str | None:
        return acquired(describe(path, **given)[0])

    tags = {"ACQUISITIONDATETIME": "2018-01-02T03:04:05Z", "TIFFTAG_DATETIME": "2024:01:01 00:00:00"}
    tagged = image(tmp_path / "2019-09-09.tif", tags=tags)
    assert day(tagged) == "2018-01-02"
    assert day(tagged, date="2017-05-06") == "2017-05-06"
    assert (
        day(image(tmp_path / "20190910_a.tif", tags={"TIFFTAG_DATETIME": "2024:01:01 00:00:00"}))
        == "2019-09-10"
    )
    assert day(image(tmp_path / "2019-09-11" / "a.tif")) == "2019-09-11"
    assert (
        day(image(tmp_path / "x" / "b.tif", tags={"TIFFTAG_DATETIME": "2024:01:01 00:00:00"})) == "2024-01-01"
    )
    undated = image(tmp_path / "x" / "c.tif")
    assert day(undated) is None
    assert describe(undated)[0].to_dict()["properties"]["groundbreak:date_unknown"] is True
    assert day(undated, date="2020-02-02") == "2020-02-02"
    with pytest.raises(GroundbreakError, match="'yesterday' is not a date; write YYYY-MM-DD"):
        describe(undated, date="yesterday")


def test_made_images_say_so(tmp_path: Path) -> None:
    assert is_made(describe(image(tmp_path / "a.tif", tags={"GROUNDBREAK_MADE": "YES"})))
    assert not is_made(describe(image(tmp_path / "b.tif")))


# STAC


def stac_item(folder: Path, assets: dict[str, Any], **properties: Any) -> Path:
    item = {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": "s2",
        "properties": {"datetime": "2019-09-09T08:16:01Z", **properties},
        "geometry": {"type": "Point", "coordinates": [40.1, 34.4]},
        "bbox": [40.1, 34.4, 40.1, 34.4],
        "links": [],
        "assets": assets,
    }
    path = folder / "item.json"
    path.write_text(json.dumps(item))
    return path


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_stac_items_of_both_versions(tmp_path: Path, version: str) -> None:
    image(tmp_path / "data" / "x1.tif")
    image(tmp_path / "data" / "x2.tif")
    own = {"data_type": "uint16", "nodata": 0}
    assets: dict[str, Any] = {}
    for key, name in (("x1", "red"), ("x2", "nir")):
        if version == "1.0":
            eo, raster = {"name": key, "common_name": name}, {**own, "scale": 1e-4, "offset": -0.1}
            bands: dict[str, Any] = {"eo:bands": [eo], "raster:bands": [raster]}
        else:
            both = {"name": key, "eo:common_name": name, "raster:scale": 1e-4, "raster:offset": -0.1}
            bands = {"bands": [{**own, **both}]}
        assets[key] = {"href": f"./data/{key}.tif", "roles": ["data"], **bands}
    assets["thumbnail"] = {"href": "./t.jpg", "roles": ["thumbnail"]}
    (item,) = describe(stac_item(tmp_path, assets))
    sources = band_sources(item)
    assert {name: (s.scale, s.offset, s.nodata, s.grid) for name, s in sources.items()} == dict.fromkeys(
        ("red", "nir"), (0.0001, -0.1, 0.0, BOX)
    )
    assert acquired(item) == "2019-09-09"
    pixels = Load()([item], BOX)["image"].sel(band="red").compute(scheduler="synchronous").values
    np.testing.assert_allclose(pixels, noise(BOX, 1)[0] * 1e-4 - 0.1, rtol=1e-5)
    assert band_sources(describe(tmp_path / "item.json", counts=Counts(offset=0.0))[0])["red"].offset == 0


@pytest.mark.parametrize(("applied", "offset"), [(True, 0.0), (False, -0.1)])
def test_an_offset_that_earth_search_has_applied_is_not_applied_again(
    tmp_path: Path, applied: bool, offset: float
) -> None:
    image(tmp_path / "x1.tif")
    bands = {"raster:bands": [{"data_type": "uint16", "scale": 1e-4, "offset": -0.1}]}
    path = stac_item(
        tmp_path, {"red": {"href": "x1.tif", **bands}}, **{"earthsearch:boa_offset_applied": applied}
    )
    red = band_sources(describe(path)[0])["red"]
    assert (red.scale, red.offset) == (1e-4, offset)
    assert band_sources(describe(path, counts=Counts(offset=-0.2))[0])["red"].offset == -0.2


def test_stac_grid_is_taken_without_opening_the_file(tmp_path: Path) -> None:
    fields = {"proj:shape": [20, 24], "proj:transform": list(BOX.transform)[:6]}
    assets = {"red": {"href": "./not-there.tif", "raster:bands": [{"data_type": "uint16"}], **fields}}
    for projection in (
        {"proj:epsg": 32637},
        {"proj:code": "EPSG:32637"},
        {"proj:projjson": BOX.crs.proj.to_json_dict()},
    ):
        (item,) = describe(stac_item(tmp_path, assets, **projection))
        assert band_sources(item)["red"].grid == BOX


def test_items_of_plain_files_survive_json(tmp_path: Path) -> None:
    path = image(tmp_path / "2019-09-09.tif", 2, "int16", names=["red", "nir"], nodata=-9999)
    (item,) = describe(path)
    (tmp_path / "item.json").write_text(
        json.dumps({"type": "FeatureCollection", "features": [item.to_dict()]})
    )
    (again,) = describe(tmp_path / "item.json")
    assert band_sources(again) == band_sources(item)
    assert acquired(again) == "2019-09-09"
    assert pystac.Item.from_dict(item.to_dict()).bbox == pytest.approx(BOX.geographic_extent.boundingbox.bbox)


def test_crs_without_a_code(tmp_path: Path) -> None:
    local = "+proj=tmerc +lat_0=34.4 +lon_0=40.9 +k=1 +x_0=0 +y_0=0 +ellps=WGS84 +units=m"
    box = GeoBox((20, 24), BOX.transform, local)
    path = write(tmp_path / "a.tif", noise(box, 1), box, crs=local)
    (item,) = describe(path)
    again = pystac.Item.from_dict(json.loads(json.dumps(item.to_dict())))
    assert again.assets["image"].extra_fields["proj:code"] is None
    with rasterio.open(path) as src:
        assert band_sources(again)["pan"].grid == GeoBox.from_rio(src)
