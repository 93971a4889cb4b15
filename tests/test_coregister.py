"""Alignment as a call on xarray data."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import xarray as xr
from aligned_scenes import Ground, grid_of, pair
from odc.geo.geobox import GeoBox
from odc.geo.xr import xr_coords

from pipeline.coregister import coregister
from pipeline.errors import AlignmentRejectedError, BandError, GeoreferenceError

SIZE = 256
GRID = grid_of(SIZE, SIZE)
PIXEL = 0.5
SHIFT = 2.4, -3.3  # rows, columns


def moved(row: np.ndarray, col: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.full_like(row, SHIFT[0]), np.full_like(col, SHIFT[1])


@pytest.fixture(scope="module")
def values() -> tuple[np.ndarray, np.ndarray]:
    before, after = pair(Ground(SIZE), moved)
    return before, after


def array(
    values: np.ndarray, grid: GeoBox = GRID, bands: tuple[object, ...] = ("red", "nir")
) -> xr.DataArray:
    return xr.DataArray(
        values, dims=("band", "y", "x"), coords={"band": list(bands), **xr_coords(grid, dims=("y", "x"))}
    )


def test_numpy_in_lazy_out_and_the_shift_by_its_definition(values: tuple[np.ndarray, np.ndarray]) -> None:
    found = coregister(array(values[0]), array(values[1]))
    assert found.alignment.status == "ok"
    assert isinstance(found.after.data, da.Array)
    assert isinstance(found.shift["dx"].data, da.Array)
    assert float(found.shift["dx"].mean()) == pytest.approx(SHIFT[1] * PIXEL, abs=0.01)
    assert float(found.shift["dy"].mean()) == pytest.approx(-SHIFT[0] * PIXEL, abs=0.01)
    off = np.abs(found.after.values - values[0])[:, 20:-20, 20:-20]
    assert np.nanmedian(off) < 0.35 * np.median(np.abs(values[1] - values[0]))
    assert found.after.odc.geobox == found.shift.odc.geobox == GRID


def test_counts_with_nodata_numbered_bands_and_any_order_of_axes(
    values: tuple[np.ndarray, np.ndarray],
) -> None:
    counts = [np.clip(each * 10_000, 1, 65_000).astype(np.uint16) for each in values]
    counts[1][:, :40, :60] = 0
    before, after = (array(each, bands=(1, 2)) for each in counts)
    after.attrs["nodata"] = 0
    found = coregister(before.transpose("y", "x", "band"), after.chunk(100))
    expected = coregister(array(values[0]), array(values[1]))
    assert np.isnan(found.after[:, 8:30, 8:50]).all()
    assert float(abs(found.shift["dx"] - expected.shift["dx"]).max()) < 0.05


def test_one_band_without_an_axis_for_it(values: tuple[np.ndarray, np.ndarray]) -> None:
    before, after = (array(each).isel(band=0, drop=True) for each in values)
    assert float(coregister(before, after).shift["dx"].mean()) == pytest.approx(SHIFT[1] * PIXEL, abs=0.02)


def test_what_cannot_be_aligned_is_refused(values: tuple[np.ndarray, np.ndarray]) -> None:
    noise = np.random.default_rng(0).random((2, SIZE, SIZE), np.float32)
    with pytest.raises(AlignmentRejectedError):
        coregister(array(values[0]), array(noise))
    with pytest.raises(GeoreferenceError, match="array after has no georeference"):
        coregister(array(values[0]), xr.DataArray(values[1], dims=("band", "y", "x")))
    with pytest.raises(BandError, match="no band in common"):
        coregister(array(values[0]), array(values[1], bands=("swir16", "swir22")))
