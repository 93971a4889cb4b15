"""Rasters of a result: what is stored comes back, whatever the type, nodata value and cut into blocks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from imagery import UTM, grid
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rio_cogeo.cogeo import cog_validate

from pipeline.grid import blocks
from pipeline.outputs.blocks import BlockStore
from pipeline.outputs.cog import join, write_block, write_cog
from pipeline.outputs.layers import LayerStore
from pipeline.outputs.rasters import PairReader, RasterSpec, image_spec

NAN = float("nan")


def spec(dtype: str, nodata: float, scale: float = 1.0, offset: float = 0.0) -> RasterSpec:
    return RasterSpec("before", ("pan",), dtype, nodata, scale, offset)


def encoded(by: RasterSpec, *values: float) -> list[float]:
    stored = by.encode(np.array(values, np.float32).reshape(1, 1, -1))
    assert stored.dtype == by.dtype
    return [float(value) for value in stored.ravel()]


@pytest.mark.parametrize(
    ("dtype", "nodata", "scale", "offset", "counts"),
    [
        ("uint16", 0, 1e-4, 0.0, [1, 2, 2345, 10000, 65535]),
        ("uint16", 0, 1e-4, -0.1, [1, 1000, 65535]),
        ("uint16", 65535, 1 / 65535, 0.0, [0, 1, 65534]),
        ("uint8", 0, 1 / 255, 0.0, [1, 128, 255]),
        ("int16", -9999, 1e-4, 0.0, [-32768, -10000, -1, 0, 1, 32767]),
        ("int16", -32768, 1e-4, 0.0, [-32767, 0, 32767]),
        ("uint32", 0, 1.0, 0.0, [1, 2, 65536]),
        ("float32", NAN, 1.0, 0.0, [-3.25, 0, 0.1, 1e6]),
    ],
)
def test_counts_come_back_to_the_count(
    dtype: str, nodata: float, scale: float, offset: float, counts: list[float]
) -> None:
    by = spec(dtype, nodata, scale, offset)
    stored = np.array(counts, dtype)
    physical = stored.astype(np.float32) * np.float32(scale) + np.float32(offset)
    np.testing.assert_array_equal(by.encode(physical.reshape(1, 1, -1)).ravel(), stored)


def test_what_does_not_fit_is_clipped_and_never_wraps_or_becomes_nodata() -> None:
    assert encoded(spec("uint8", 0), -3, 0, 0.4, 0.6, 254.6, 300, 1e9, NAN) == [1, 1, 1, 1, 255, 255, 255, 0]
    assert encoded(spec("uint8", 255), -3, 254.4, 254.6, 300, NAN) == [0, 254, 254, 254, 255]
    assert encoded(spec("int16", -9999), -1e6, -9999, -9998.7, 4e4, NAN) == [
        -32768, -9998, -9998, 32767, -9999
    ]  # fmt: skip
    assert encoded(spec("uint16", 0, 1e-4, -0.1), -0.2, -0.1, 6.5, NAN) == [1, 1, 65535, 0]
    np.testing.assert_array_equal(encoded(spec("float32", NAN), -1, NAN), [-1, NAN])


ATTRS = {"dtype": "uint16", "nodata": 0.0, "scale": 1e-4, "offset": -0.1}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("uint16", 0.0, 1e-4, -0.1)),
        ({"dtype": "uint8", "nodata": None, "scale": 1 / 255, "offset": 0.0}, ("uint8", 0.0, 1 / 255, 0.0)),
        ({"nodata": None}, ("uint16", 0.0, 1e-4, -0.1)),
        ({"nodata": 65535}, ("uint16", 65535.0, 1e-4, -0.1)),
        ({"nodata": -9999}, ("uint16", 0.0, 1e-4, -0.1)),  # does not fit the type
        ({"nodata": NAN}, ("uint16", 0.0, 1e-4, -0.1)),
        ({"dtype": "int16", "nodata": None}, ("int16", -32768.0, 1e-4, -0.1)),
        ({"dtype": "int16", "nodata": -9999}, ("int16", -9999.0, 1e-4, -0.1)),
        ({"dtype": "float32", "nodata": -9999}, ("float32", NAN, 1.0, 0.0)),
        ({"dtype": "float64", "nodata": None}, ("float32", NAN, 1.0, 0.0)),
        ({"dtype": "int64", "nodata": 0}, ("float32", NAN, 1.0, 0.0)),  # GDAL's COGs hold none
    ],
)
def test_images_are_written_in_the_type_they_came_in(
    changes: dict[str, Any], expected: tuple[str, float, float, float]
) -> None:
    made = image_spec("after", {**ATTRS, **changes}, ("red",), {"A": "B"})
    np.testing.assert_equal((made.dtype, made.nodata, made.scale, made.offset), expected)
    assert (made.name, made.bands, made.tags) == ("after", ("red",), {"A": "B"})


UNEVEN = grid(90, 130)


def written(folder: Path, by: RasterSpec, values: NDArray[Any], side: int, box: GeoBox = UNEVEN) -> Path:
    store = BlockStore(folder / "blocks", box, side)
    store.folder.mkdir(parents=True)
    for block in reversed(store.blocks()):  # whichever worker is first
        write_block(store, by, block, values[:, *block])
    join(store, by, folder / "joined.tif")
    store.discard()
    assert [path.name for path in folder.iterdir()] == ["joined.tif"]
    return folder / "joined.tif"


@pytest.mark.parametrize("size", [7, 64, 89, 1000])
def test_blocks_join_to_the_pixel(size: int, tmp_path: Path) -> None:
    rows, cols = np.mgrid[:90, :130]
    values = np.stack([rows * 200 + cols, cols * 200 + rows]).astype(np.uint16)  # each pixel its own
    by = RasterSpec("after", ("red", "nir"), "uint16", 7, 1e-4, -0.1, tags={"GROUNDBREAK_MADE": "YES"})
    path = written(tmp_path, by, values, size)
    with rasterio.open(path) as file:
        np.testing.assert_array_equal(file.read(), values)
        assert (file.transform, file.crs.to_string()) == (UNEVEN.transform, UTM)
        assert (file.descriptions, file.nodatavals) == (("red", "nir"), (7, 7))
        assert (file.scales, file.offsets) == ((1e-4, 1e-4), (-0.1, -0.1))
        assert file.tags()["GROUNDBREAK_MADE"] == "YES"


def test_bytes_do_not_depend_on_the_blocks(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(1, 90, 130)).astype(np.float32)
    values[:, :20, 30:50] = np.nan
    by = RasterSpec("shift", ("dx",), "float32", NAN)
    paths = [written(tmp_path / str(size), by, values, size) for size in (11, 64, 200)]
    assert len({path.read_bytes() for path in paths}) == 1
    with rasterio.open(paths[0]) as file:
        np.testing.assert_array_equal(file.read(), values)
        assert np.isnan(file.nodata)


@pytest.mark.parametrize("side", [300, 512, 1024, 2048])
def test_tiles_are_copied_to_their_places_whatever_the_blocks(side: int, tmp_path: Path) -> None:
    box = grid(1100, 1700)
    values = np.random.default_rng(0).integers(1, 60_000, (3, 1100, 1700)).astype(np.uint16)
    by = RasterSpec("before", ("red", "green", "blue"), "uint16", 0, 1e-4)
    path = written(tmp_path, by, values, side, box)
    valid, errors, warnings = cog_validate(str(path), strict=True, quiet=True)
    assert (valid, errors, warnings) == (True, [], [])
    with rasterio.open(path) as file:
        np.testing.assert_array_equal(file.read(), values)
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"


@pytest.mark.parametrize(
    ("how", "dtype"), [("average", "uint16"), ("average", "float32"), ("nearest", "uint8")]
)
def test_overviews_are_the_same_whether_made_with_their_blocks_or_later(
    how: str, dtype: str, tmp_path: Path
) -> None:
    box = grid(1100, 1700)
    values = np.random.default_rng(0).integers(0, 250, (2, 1100, 1700)).astype(dtype)  # 0: not observed
    by = RasterSpec("before", ("red", "nir"), dtype, 0, overviews=how)
    paths = [written(tmp_path / str(side), by, values, side, box) for side in (512, 1024)]
    assert len({path.read_bytes() for path in paths}) == 1
    with rasterio.open(paths[0], overview_level=0) as half:
        assert half.shape == (550, 850)
        corner = values[0, 200:202, 300:302].astype(np.float64)
        mean = corner[corner > 0].mean() if (corner > 0).any() else 0
        expected = corner[1, 1] if how == "nearest" else mean
        assert abs(half.read(1)[100, 150] - expected) <= (0.5 if dtype == "uint16" else 1e-4)


@pytest.mark.parametrize(("most", "version"), [(4_000_000_000, 42), (1000, 43)])
def test_only_a_large_file_has_the_addresses_of_a_large_file(
    most: int, version: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.outputs.cog._CLASSIC", most)
    values = np.random.default_rng(0).integers(1, 250, (1, 90, 130)).astype(np.uint8)
    path = written(tmp_path, RasterSpec("change", ("change",), "uint8", 255), values, 64)
    assert path.read_bytes()[2] == version
    with rasterio.open(path) as file:
        np.testing.assert_array_equal(file.read(), values)


def test_an_overview_of_an_odd_raster_covers_the_same_ground(tmp_path: Path) -> None:
    box = grid(601, 1001)
    ramp = np.broadcast_to(np.arange(1001, dtype=np.float32), (1, 601, 1001)).copy()
    ramp[:, 300:, 500:] = np.nan
    path = written(tmp_path, RasterSpec("before", ("pan",), "float32", NAN), ramp, 1024, box)
    with rasterio.open(path, overview_level=0) as half:
        assert half.shape == (300, 500)
        pixels = half.read(1)
    span = 1001 / 500
    centres = (np.arange(500) + 0.5) * span - 0.5  # in pixels of the raster itself
    np.testing.assert_allclose(pixels[:149], np.broadcast_to(centres, (149, 500)), atol=1e-3)
    assert np.isnan(pixels[151:, 251:]).all()
    assert not np.isnan(pixels[:149]).any()


@pytest.mark.parametrize(("how", "expected"), [("nearest", {0, 100}), ("average", {0, 50, 100})])
def test_a_large_raster_has_overviews_that_leave_nodata_out(
    how: str, expected: set[int], tmp_path: Path
) -> None:
    box = grid(1030, 1100)
    percent = np.zeros((1, 1030, 1100), np.uint8)
    percent[0, :, 551:] = 100
    percent[0, 400:, :300] = 255
    by = RasterSpec("change", ("change",), "uint8", 255, overviews=how)
    write_cog(tmp_path / "change.tif", by, box, lambda rows: percent[:, rows])
    assert [path.name for path in tmp_path.iterdir()] == ["change.tif"]
    valid, errors, warnings = cog_validate(str(tmp_path / "change.tif"), strict=True, quiet=True)
    assert (valid, errors, warnings) == (True, [], [])
    with rasterio.open(tmp_path / "change.tif") as file:
        assert file.overviews(1) == [2, 4]
        np.testing.assert_array_equal(file.read(), percent)
        half = file.read(1, out_shape=(515, 550))
    assert set(np.unique(half)) == expected | {255}
    assert (half[201:, :149] == 255).all()
    assert (half[:, 276:] == 100).all()


def test_a_pair_is_read_back_by_windows(tmp_path: Path) -> None:
    counts = np.arange(1, 1 + 2 * 90 * 130).reshape(2, 90, 130).astype(np.uint16)
    before = RasterSpec("before", ("red", "nir"), "uint16", 0, 1e-4, -0.1)
    after = RasterSpec("after", ("red", "nir"), "float32", NAN)
    dark = counts.copy()
    dark[:, 10:20, 30:40] = 0
    bright = (counts * np.float32(2e-4)).astype(np.float32)
    bright[1, 15:25, 35:45] = np.nan  # in one band only
    write_cog(tmp_path / "before.tif", before, UNEVEN, lambda rows: dark[:, rows])
    write_cog(tmp_path / "after.tif", after, UNEVEN, lambda rows: bright[:, rows])
    rows, cols = slice(5, 41), slice(28, 77)
    pair = PairReader(tmp_path / "before.tif", tmp_path / "after.tif")(rows, cols)
    assert pair.before.dtype == pair.after.dtype == np.float32
    expected = np.where(dark == 0, np.nan, dark * np.float32(1e-4) - np.float32(0.1)).astype(np.float32)
    np.testing.assert_array_equal(pair.before, expected[:, rows, cols])
    np.testing.assert_array_equal(pair.after, bright[:, rows, cols])
    seen = np.ones((90, 130), bool)
    seen[10:20, 30:40] = seen[15:25, 35:45] = False
    np.testing.assert_array_equal(pair.observed, seen[rows, cols])


def test_layers_are_read_back_by_windows_and_by_name_whatever_the_blocks(tmp_path: Path) -> None:
    box = grid(90, 130)
    layers = np.random.default_rng(0).integers(0, 101, (3, 90, 130)).astype(np.uint8)
    layers[:, 20:30, 60:70] = 255
    store = LayerStore.of(tmp_path, box, ("change", "removed", "road"), 37, "learned")
    windows = blocks(box, 37)
    for rows, cols in windows:
        store.write((rows, cols), layers[:, rows, cols])
    assert store.names == ("change", "removed", "road")
    window = slice(30, 80), slice(33, 112)  # over several blocks
    np.testing.assert_array_equal(store(*window), layers[:, *window])
    np.testing.assert_array_equal(store.layer("road", slice(30, 80)), layers[2, 30:80])
    with pytest.raises(KeyError):
        store.layer("building", slice(0, 90))
