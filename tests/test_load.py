"""Load: where pixels lie, which of them were observed, and that neither depends on how the work is cut."""

from __future__ import annotations

import logging
import pickle
from pathlib import Path
from typing import Any

import dask
import numpy as np
import pystac
import pytest
import rasterio
import xarray as xr
from affine import Affine
from imagery import centres, coordinates, grid, noise, write
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from pyproj import Transformer
from rasterio.enums import ColorInterp

from pipeline.errors import BandError, NoOverlapError, SourceUnreadableError
from pipeline.grid import crop, native_grid
from pipeline.scenes import band_names, describe
from pipeline.scenes.counts import Counts
from pipeline.stages.load import Load, common_bands

BGRN = ["blue", "green", "red", "nir"]


def load(
    source: Any, *, chunk: int = 1024, mask: Any = None, bands: tuple[str, ...] | None = None, **given: Any
) -> xr.Dataset:
    items = describe(source, **given)
    names = bands or band_names(items)
    return Load(names, chunk)(items, native_grid(items, names), mask).compute(scheduler="synchronous")


def image(ds: xr.Dataset) -> NDArray[np.float32]:
    return np.asarray(ds["image"].values)


def assert_same(a: xr.Dataset, b: xr.Dataset) -> None:
    assert a.odc.geobox == b.odc.geobox
    np.testing.assert_array_equal(a["image"].values, b["image"].values)
    np.testing.assert_array_equal(a["observed"].values, b["observed"].values)


def test_every_pixel_lies_where_its_value_says(tmp_path: Path) -> None:
    box = grid(70, 90, west=600001.5)
    write(tmp_path / "a.tif", coordinates(box), box, names=["red", "nir"])
    ds = load(tmp_path / "a.tif", chunk=32)
    assert ds.odc.geobox == box
    x, y = np.meshgrid(ds.x.values, ds.y.values)
    np.testing.assert_array_equal(image(ds)[0], (x - 599000).astype("float32"))
    np.testing.assert_array_equal(image(ds)[1], (y - 3809000).astype("float32"))
    assert ds["observed"].values.all()
    assert ds["image"].dims == ("band", "y", "x")
    assert list(ds.band.values) == ["red", "nir"]


def test_four_tiles_equal_the_whole(tmp_path: Path) -> None:
    box = grid(90, 120)
    values = noise(box)
    write(tmp_path / "whole" / "a.tif", values, box, names=BGRN, nodata=0)
    for row, col in np.ndindex(2, 2):
        part = np.s_[row * 50 : (row + 1) * 50, col * 64 : (col + 1) * 64]
        write(tmp_path / "tiles" / f"{row}{col}.tif", values[:, *part], box[part], names=BGRN, nodata=0)
    whole, tiles = load(tmp_path / "whole"), load(tmp_path / "tiles", chunk=37)
    assert_same(whole, tiles)
    np.testing.assert_array_equal(image(whole), values.astype("float32") * np.float32(1 / 65535))


def test_first_tile_by_id_wins_and_the_next_fills_its_gaps(tmp_path: Path) -> None:
    box = grid(40, 40)
    first, second = np.full((1, 40, 40), 10, "uint8"), np.full((1, 40, 40), 20, "uint8")
    first[0, :10] = 0
    write(tmp_path / "b.tif", second, box, nodata=0)
    write(tmp_path / "a.tif", first, box, nodata=0)
    counts = image(load(tmp_path))[0] * 255
    np.testing.assert_allclose(counts[:10], 20, rtol=1e-6)
    np.testing.assert_allclose(counts[10:], 10, rtol=1e-6)


@pytest.mark.parametrize("chunk", [33, 64, 500])
def test_chunks_change_no_bit(tmp_path: Path, chunk: int) -> None:
    _write_sentinel_2(tmp_path)
    other = write(
        tmp_path / "masks" / "m.tif",
        noise(grid(), 1, "uint8", 0, 2),
        grid(80, 70, west=600013.0, size=3.1),
    )
    assert_same(load(tmp_path, mask=other), load(tmp_path, mask=other, chunk=chunk))


def _write_sentinel_2(folder: Path) -> tuple[GeoBox, GeoBox]:
    """B04 at 10 m and B11 at 20 m with a gap, off by half a fine pixel more than by design."""
    fine, coarse = grid(100, 130, size=10), grid(50, 66, size=20, north=3810007.0)
    write(folder / "B04.tif", noise(fine, 1, high=9000), fine)
    counts = noise(coarse, 1, high=9000, seed=2)
    counts[0, 20:24, 30:40] = 0
    write(folder / "B11.tif", counts, coarse)
    return fine, coarse


def test_coarser_band_is_brought_to_the_finest_grid_without_a_shift(tmp_path: Path) -> None:
    fine, coarse = grid(60, 80, size=10), grid(30, 40, size=20)
    write(tmp_path / "B04.tif", coordinates(fine, "uint16")[:1], fine)
    write(tmp_path / "B12.tif", coordinates(coarse, "uint16")[:1], coarse)
    ds = load(tmp_path)
    assert ds.odc.geobox == fine
    assert list(ds.band.values) == ["red", "swir22"]
    x, _ = centres(fine)
    east = image(ds)[1].astype("float64") * 10000 + 599000
    np.testing.assert_allclose(east[:, 1:-1], x[:, 1:-1], atol=0.01)  # half a pixel would be 5 m
    np.testing.assert_allclose(image(ds)[0].astype("float64") * 10000 + 599000, x, atol=0.01)


def test_tiles_of_two_zones_meet_on_one_grid(tmp_path: Path) -> None:
    west = grid(60, 60, size=10)
    write(tmp_path / "a.tif", coordinates(west), west, names=["red", "nir"])
    east = GeoBox.from_bbox(west.pad(20).extent.to_crs("EPSG:32638").boundingbox, resolution=10.5)
    x, y = Transformer.from_crs(east.crs.proj, west.crs.proj, always_xy=True).transform(*centres(east))
    values = np.stack([x - 599000, y - 3809000]).astype("float32")
    write(tmp_path / "b.tif", values, east, names=["red", "nir"])
    ds = load(tmp_path, chunk=50)
    seen = ds["observed"].values
    assert ds.odc.geobox.crs == west.crs
    assert 1.4 * west.shape.y * west.shape.x < seen.sum() < seen.size
    off = np.abs(image(ds) - coordinates(ds.odc.geobox)).max(axis=0)
    assert (off[seen] < 0.01).mean() > 0.97
    assert off[seen].max() < 6  # in the outermost half pixel of an image its edge value stands
    assert off[ds.odc.geobox.overlap_roi(west)].max() == 0
    assert_same(ds, load(tmp_path, chunk=33))


def test_rotated_image_keeps_its_own_pixels(tmp_path: Path) -> None:
    box = GeoBox(
        (40, 50),
        Affine.translation(600000, 3810000) * Affine.rotation(20) * Affine.scale(2, -2),
        "EPSG:32637",
    )
    write(tmp_path / "a.tif", coordinates(box), box, names=["red", "nir"])
    items = describe(tmp_path)
    native = native_grid(items, ("red", "nir"))
    assert native == box
    pixels = Load(("red", "nir"), 16)(items, native)["image"].compute(scheduler="synchronous")
    np.testing.assert_array_equal(pixels.values, coordinates(box))


@pytest.mark.parametrize(("dtype", "top"), [("uint8", 255), ("uint16", 65535), ("int16", 32767)])
def test_integers_are_taken_over_their_range(tmp_path: Path, dtype: str, top: int) -> None:
    box = grid(20, 20)
    values = noise(box, 3, dtype)
    values[:, 0, 0] = top
    ds = load(write(tmp_path / "a.tif", values, box))
    assert image(ds).dtype == np.float32
    assert image(ds)[:, 0, 0] == pytest.approx(1)
    np.testing.assert_array_equal(np.rint(image(ds)[::-1] / ds.scale), values)  # stored red, green, blue
    assert (ds.attrs["dtype"], ds.attrs["scale"], ds.attrs["offset"]) == (dtype, pytest.approx(1 / top), 0)


def test_declared_scale_and_offset_go_before_the_range_and_the_users_before_both(tmp_path: Path) -> None:
    box = grid(20, 20)
    values = noise(box, 1, "uint16")
    path = write(tmp_path / "a.tif", values, box)
    with rasterio.open(path, "r+") as out:
        out.scales, out.offsets = [0.0001], [-0.1]
    np.testing.assert_allclose(image(load(path)), values * 1e-4 - 0.1, rtol=1e-5)
    np.testing.assert_allclose(image(load(path, counts=Counts(0.01, 3))), values * 0.01 + 3, rtol=1e-5)
    np.testing.assert_allclose(image(load(path, counts=Counts(offset=0.0))), values * 1e-4, rtol=1e-5)
    plain = write(tmp_path / "b.tif", values, box)
    np.testing.assert_allclose(image(load(plain, counts=Counts(offset=0.0))), values / 65535, rtol=1e-5)


def test_zero_as_nodata_needs_all_bands(tmp_path: Path) -> None:
    box = grid(20, 20)
    values = noise(box, 4)
    values[:, 3, 4] = 0
    values[1, 7, 8] = 0  # one dark band is a dark pixel
    ds = load(write(tmp_path / "a.tif", values, box, names=BGRN, nodata=0))
    unseen = np.argwhere(~ds["observed"].values)
    np.testing.assert_array_equal(unseen, [[3, 4]])
    assert np.isnan(image(ds)[:, 3, 4]).all()
    assert image(ds)[1, 7, 8] == 0


def test_zero_as_nodata_needs_all_band_files(tmp_path: Path) -> None:
    box = grid(20, 20)
    for i, name in enumerate(("B02", "B03", "B04")):
        values = noise(box, 1)
        values[0, 3, 4] = 0
        values[0, 10, i] = 0
        write(tmp_path / f"{name}.tif", values, box)
    np.testing.assert_array_equal(np.argwhere(~load(tmp_path)["observed"].values), [[3, 4]])


@pytest.mark.parametrize(
    ("dtype", "nodata"), [("int16", -9999), ("float32", -9999), ("float32", np.nan), ("int16", -32768)]
)
def test_what_no_sensor_delivers_needs_one_band(tmp_path: Path, dtype: str, nodata: float) -> None:
    box = grid(20, 20)
    values = noise(box, 4, dtype)
    values[2, 3, 4] = nodata
    ds = load(write(tmp_path / "a.tif", values, box, names=BGRN, nodata=nodata), chunk=7)
    np.testing.assert_array_equal(np.argwhere(~ds["observed"].values), [[3, 4]])
    assert np.isnan(image(ds)[:, 3, 4]).all()
    assert np.isfinite(image(ds)).sum() == values.size - 4


def test_nan_is_never_observed_even_if_nodata_is_another_value(tmp_path: Path) -> None:
    box = grid(20, 20)
    values = noise(box, 1, "float32")
    values[0, 3, 4], values[0, 5, 5] = np.nan, np.inf
    unseen = np.argwhere(~load(write(tmp_path / "a.tif", values, box, nodata=-1))["observed"].values)
    np.testing.assert_array_equal(unseen, [[3, 4], [5, 5]])


def test_gaps_do_not_leak_into_a_resampled_band(tmp_path: Path) -> None:
    fine, coarse = grid(40, 40, size=10), grid(20, 20, size=20)
    write(tmp_path / "B04.tif", np.full((1, 40, 40), 500, "uint16"), fine)
    values = np.full((1, 20, 20), 3000, "uint16")
    values[0, 5, 6] = 0
    write(tmp_path / "B11.tif", values, coarse)
    swir = image(load(tmp_path))[1]
    around = np.ones((40, 40), bool)
    around[10:12, 12:14] = False
    np.testing.assert_allclose(swir[around], 0.3, rtol=1e-6)


def test_alpha_band_hides_and_is_not_data(tmp_path: Path) -> None:
    box = grid(80, 80)
    values = noise(box, 4, "uint8")
    values[3] = 255
    values[3, 10:20, 30:60] = 0
    path = write(tmp_path / "a.tif", values, box, photometric="RGB", alpha="YES")
    ds = load(path, chunk=32)
    assert list(ds.band.values) == ["blue", "green", "red"]
    np.testing.assert_array_equal(~ds["observed"].values, values[3] == 0)
    np.testing.assert_array_equal(np.rint(image(ds)[2] * 255)[values[3] > 0], values[0][values[3] > 0])


def test_alpha_that_holds_an_image_is_near_infrared(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    box = grid(80, 80)
    values = noise(box, 4, "uint8", low=0, high=250)
    path = write(tmp_path / "a.tif", values, box, photometric="RGB", alpha="YES")
    with rasterio.open(path) as src:
        assert src.colorinterp[3] == ColorInterp.alpha
    with caplog.at_level(logging.WARNING):
        ds = load(path)
    assert list(ds.band.values) == ["blue", "green", "red", "nir"]
    np.testing.assert_array_equal(np.rint(image(ds)[3] * 255), values[3])
    assert ds["observed"].values.all()
    assert "band 4 is marked alpha, but holds an image" in caplog.text


@pytest.mark.parametrize("internal", [True, False])
def test_dataset_mask_hides(tmp_path: Path, internal: bool) -> None:
    box = grid(40, 40)
    path = write(tmp_path / "a.tif", noise(box, 3, "uint8"), box)
    hidden = np.zeros((40, 40), bool)
    hidden[4:9, 11:30] = True
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=internal), rasterio.open(path, "r+") as out:
        out.write_mask(~hidden)
    assert (tmp_path / "a.tif.msk").exists() is not internal
    np.testing.assert_array_equal(~load(tmp_path, chunk=16)["observed"].values, hidden)


def test_cloud_mask_nonzero_is_not_usable_and_beyond_it_is(tmp_path: Path) -> None:
    box = grid(40, 40)
    path = write(tmp_path / "a.tif", noise(box, 1), box)
    part = box[0:20, 0:40]
    clouds = np.zeros((1, 10, 20), "uint8")
    clouds[0, 2, 3], clouds[0, 4, 4] = 1, 255
    mask = write(tmp_path / "m.tif", clouds, part.zoom_out(2), nodata=255)
    hidden = np.zeros((40, 40), bool)
    hidden[4:6, 6:8] = hidden[8:10, 8:10] = True
    ds = load(path, mask=mask, chunk=9)
    np.testing.assert_array_equal(~ds["observed"].values, hidden)
    assert np.isnan(image(ds)[0][hidden]).all()


def test_mask_elsewhere_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", noise(grid(20, 20), 1), grid(20, 20))
    far = grid(20, 20, west=700000)
    mask = write(tmp_path / "m.tif", noise(far, 1), far)
    with pytest.raises(NoOverlapError, match=r"m\.tif: the mask lies outside"):
        load(path, mask=mask)


def test_scene_classification_beside_the_bands(tmp_path: Path) -> None:
    fine, coarse = grid(24, 24, size=10), grid(12, 12, size=20)
    write(tmp_path / "T37_20190909_B02_10m.tif", noise(fine, 1), fine)
    classes = np.full((1, 12, 12), 4, "uint8")
    classes[0, 0] = np.arange(12)
    write(tmp_path / "T37_20190909_SCL_20m.tif", classes, coarse)
    ds = load(tmp_path)
    assert list(ds.band.values) == ["blue"]
    usable = ds["observed"].values[:2, ::2].all(axis=0)
    np.testing.assert_array_equal(np.flatnonzero(~usable), [0, 1, 3, 8, 9, 10])
    assert ds["observed"].values[2:].all()
    assert ds.attrs["date"] == "2019-09-09"


def test_nothing_is_read_before_it_is_needed(tmp_path: Path) -> None:
    box = grid(64, 64)
    path = write(tmp_path / "a.tif", noise(box, 4), box, names=BGRN)
    items = describe(path)

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("computed while loading")

    with dask.config.set(scheduler=refuse):
        ds = Load(("red", "nir"), 32)(items, box)
    assert dask.is_dask_collection(ds["image"].data)
    assert dask.is_dask_collection(ds["observed"].data)
    assert ds["image"].data.chunks == ((2,), (32, 32), (32, 32))
    path.unlink()
    with pytest.raises(SourceUnreadableError, match=r"a\.tif: cannot be read"):
        ds.compute(scheduler="synchronous")


def test_truncated_file_is_an_error_and_not_a_gap(tmp_path: Path) -> None:
    box = grid(128, 128)
    path = write(tmp_path / "a.tif", noise(box, 4, high=60000), box, names=BGRN)
    items = describe(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(SourceUnreadableError, match=r"a\.tif: cannot be read"):
        Load()(items, box).compute(scheduler="synchronous")


def test_file_that_is_not_what_its_item_says(tmp_path: Path) -> None:
    box = grid(30, 30)
    path = write(tmp_path / "a.tif", noise(box, 1), box)
    items = describe(path)
    write(path, noise(grid(20, 20), 1), grid(20, 20))
    with pytest.raises(SourceUnreadableError, match="20 x 20 pixels"):
        Load()(items, box).compute(scheduler="synchronous")


def test_processes_give_the_same(tmp_path: Path) -> None:
    box = grid(40, 40)
    path = write(tmp_path / "a.tif", noise(box, 2), box, names=["red", "nir"], nodata=0)
    mask = write(tmp_path / "m.tif", noise(box, 1, "uint8", 0, 2), box)
    lazy = Load(None, 32)(describe(path), box, mask)
    again = pickle.loads(pickle.dumps(lazy))
    with dask.config.set(num_workers=2):
        assert_same(lazy.compute(scheduler="processes"), again.compute(scheduler="synchronous"))


def test_masks_tell_two_loads_of_one_file_apart(tmp_path: Path) -> None:
    box = grid(40, 40)
    path = write(tmp_path / "a.tif", noise(box, 1), box)
    mask = write(tmp_path / "m.tif", np.ones((1, 40, 40), "uint8"), box)
    plain, masked = (Load()(describe(path), box, given)["image"] for given in (None, mask))
    both = xr.concat([plain, masked], "n").compute(scheduler="synchronous")
    assert np.isfinite(both[0]).all()
    assert np.isnan(both[1]).all()


def test_a_cropped_grid_reads_only_its_part(tmp_path: Path) -> None:
    box = grid(60, 60)
    values = noise(box, 1)
    items = describe(write(tmp_path / "a.tif", values, box))
    part = crop(box, box[20:31, 40:52].extent)
    pixels = Load()(items, part)["image"].compute(scheduler="synchronous").values
    np.testing.assert_array_equal(np.rint(pixels * 65535), values[:, 20:31, 40:52])


def test_image_off_the_grid(tmp_path: Path) -> None:
    items = describe(write(tmp_path / "a.tif", noise(grid(20, 20), 1), grid(20, 20)))
    with pytest.raises(NoOverlapError):
        Load()(items, grid(20, 20, west=700000))


def test_attributes(tmp_path: Path) -> None:
    box = grid(20, 20)
    tags = {"GROUNDBREAK_MADE": "YES"}
    write(tmp_path / "2019-09-09" / "a.tif", noise(box, 1), box, nodata=0, tags=tags)
    ds = load(tmp_path / "2019-09-09")
    assert ds.attrs["made"] is True
    assert ds.attrs["date"] == "2019-09-09"
    assert ds.attrs["nodata"] == 0
    assert load(tmp_path / "2019-09-09", date="2020-01-31").attrs["date"] == "2020-01-31"


def test_common_bands(tmp_path: Path) -> None:
    box = grid(20, 20)

    def items(name: str, bands: list[str]) -> list[pystac.Item]:
        return describe(write(tmp_path / name, noise(box, len(bands)), box, names=bands))

    before, after = (
        items("b.tif", ["nir", "red", "green", "blue"]),
        items("a.tif", ["red", "green", "blue", "swir16"]),
    )
    assert common_bands(before, after) == ("blue", "green", "red")
    assert common_bands(before, after, ["red", "blue"]) == ("blue", "red")
    with pytest.raises(BandError, match="after image: no band 'nir' among blue, green, red, swir16"):
        common_bands(before, after, ["red", "nir"])
    with pytest.raises(BandError, match="no band in common: before has pan"):
        common_bands(items("p.tif", ["pan"]), after)
