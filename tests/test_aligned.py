"""Windows of two aligned images: halos end at the edges, the shift is taken out, nothing is read early."""

from __future__ import annotations

from typing import Any

import dask.array as da
import numpy as np
import pytest
import xarray as xr
from dask.base import compute
from dask.callbacks import Callback
from imagery import coordinates, grid
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from odc.geo.xr import xr_coords

from pipeline.aligned import AlignedImages, Window
from pipeline.grid import blocks
from pipeline.pair import Pair
from pipeline.shift import ShiftField
from pipeline.stages.warp import Warp

GRID = grid(90, 120, size=2.0)
ALL: Window = (slice(0, 90), slice(0, 120))


def lazy(values: NDArray[np.float32], box: GeoBox, chunk: int = 37) -> xr.Dataset:
    """As load gives it: chunked as the delivered image likes, not as the windows do."""
    image = xr.DataArray(values, dims=("band", "y", "x")).chunk({"band": -1, "y": chunk, "x": chunk})
    seen = xr.DataArray(np.isfinite(values).all(axis=0), dims=("y", "x")).chunk(chunk)
    dataset = xr.Dataset({"image": image, "observed": seen})
    return dataset.assign_coords({"band": ["east", "north"], **xr_coords(box, dims=("y", "x"))})


def images(
    dx: float = 0.0, dy: float = 0.0, after: NDArray[np.float32] | None = None, chunk: int = 37
) -> AlignedImages:
    """Both hold where their ground lies; the after image is seen (dx, dy) metres off, east and north."""
    before = coordinates(GRID)
    if after is None:
        after = before - np.array([dx, dy], np.float32)[:, None, None]
    field = ShiftField.constant(GRID, dx, dy)
    return AlignedImages.of(lazy(before, GRID, chunk), lazy(after, GRID, chunk), GRID, field, Warp())


def keep(window: Window, inner: Window, pair: Pair) -> tuple[Window, Window, Pair]:
    return window, inner, pair


def done(tasks: list[Any]) -> tuple[Any, ...]:
    results: tuple[Any, ...] = compute(*tasks, scheduler="synchronous")
    return results


@pytest.mark.parametrize(
    ("window", "halo", "inner", "shape"),
    [
        ((slice(30, 50), slice(40, 70)), 5, (slice(5, 25), slice(5, 35)), (30, 40)),
        ((slice(0, 20), slice(0, 30)), 5, (slice(0, 20), slice(0, 30)), (25, 35)),
        ((slice(70, 90), slice(90, 120)), 5, (slice(5, 25), slice(5, 35)), (25, 35)),
        ((slice(3, 20), slice(117, 120)), 5, (slice(3, 20), slice(5, 8)), (25, 8)),
        (ALL, 500, ALL, (90, 120)),
        ((slice(30, 50), slice(40, 70)), 0, (slice(0, 20), slice(0, 30)), (20, 30)),
    ],
)
def test_a_halo_ends_at_the_edges_of_the_grid(
    window: Window, halo: int, inner: Window, shape: tuple[int, int]
) -> None:
    ((told, within, pair),) = done(images().each([window], keep, halo))
    assert told == window
    assert within == inner
    assert pair.before.shape == pair.after.shape == (2, *shape)
    assert pair.observed.shape == shape
    np.testing.assert_array_equal(pair.before[:, *within], coordinates(GRID)[:, *window])


@pytest.mark.parametrize(("dx", "dy"), [(0.0, 0.0), (3.0, -2.0), (-1.3, 0.7), (4.0, 6.0)])
def test_the_shift_is_taken_out_of_the_after_image(dx: float, dy: float) -> None:
    ((_, _, pair),) = done(images(dx, dy).each([ALL], keep))
    assert pair.observed[6:-6, 6:-6].all()
    np.testing.assert_array_equal(pair.before, coordinates(GRID))
    both = pair.observed
    np.testing.assert_allclose(pair.after[:, both], pair.before[:, both], atol=2e-3)


def test_what_lies_beyond_the_after_image_is_not_observed() -> None:
    ((_, _, pair),) = done(images(4.0, 6.0).each([ALL], keep))  # 2 pixels east, 3 north
    expected = np.zeros((90, 120), bool)
    expected[3:, :-2] = True
    np.testing.assert_array_equal(pair.observed, expected)
    assert not np.isnan(pair.before).any()
    assert np.isnan(pair.after[:, ~expected]).all()


@pytest.mark.parametrize("size", [13, 45, 200])
@pytest.mark.parametrize("halo", [0, 4])
def test_windows_join_without_a_seam(size: int, halo: int) -> None:
    rng = np.random.default_rng(3)
    after = rng.random((2, 90, 120), np.float32)
    after[:, 40:44, 50:60] = np.nan
    ((_, _, whole),) = done(images(1.3, -0.7, after).each([ALL], keep))
    joined = np.full_like(whole.after, -1)
    for window, inner, pair in done(images(1.3, -0.7, after, 29).each(blocks(GRID, size), keep, halo)):
        joined[:, *window] = pair.after[:, *inner]
    np.testing.assert_array_equal(joined, whole.after)
    assert 0 < np.isnan(joined).sum() < 0.1 * joined.size


def test_a_gap_in_one_image_hides_the_pixel_on_both() -> None:
    after = coordinates(GRID)
    after[1, 20:30, 40:50] = np.nan
    ((_, _, pair),) = done(images(after=after).each([ALL], keep))
    assert not pair.observed[20:30, 40:50].any()
    assert pair.observed.sum() == 90 * 120 - 100
    assert np.isfinite(pair.before).all()
    ours, theirs = pair.pixels()
    assert ours.shape == theirs.shape == (2, 90 * 120 - 100)
    assert np.isfinite(theirs).all()


def watched(read: list[tuple[int, ...]]) -> xr.Dataset:
    """As load gives it, chunks of 30 pixels; notes each chunk that is read. `observed` comes of `image`."""

    def noted(pixels: NDArray[np.float32], block_info: Any) -> NDArray[np.float32]:
        read.append(block_info[0]["chunk-location"])
        return pixels

    date = lazy(coordinates(GRID), GRID, chunk=30)
    pixels = date["image"].data.map_blocks(noted, dtype=np.float32, meta=np.empty((0, 0, 0), np.float32))
    return date.assign(image=(("band", "y", "x"), pixels), observed=(("y", "x"), da.isfinite(pixels[0])))


def test_nothing_is_computed_before_it_is_asked_for_and_then_only_what_is_needed() -> None:
    read: list[tuple[int, ...]] = []
    started: list[object] = []
    with Callback(start=started.append):
        both = AlignedImages.of(
            watched(read), lazy(coordinates(GRID), GRID), GRID, ShiftField.zero(GRID), Warp()
        )
        tasks = both.each(blocks(GRID, 30), keep, halo=2)
    assert (started, read) == ([], [])
    assert len(tasks) == 12
    done(tasks[:1])
    assert set(read) == {(0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1)}


def test_each_chunk_is_read_once_however_many_windows_need_it() -> None:
    read: list[tuple[int, ...]] = []
    both = AlignedImages.of(watched(read), lazy(coordinates(GRID), GRID), GRID, ShiftField.zero(GRID), Warp())
    done(both.each(blocks(GRID, 25), keep, halo=2))
    assert sorted(read) == [(0, row, col) for row in range(3) for col in range(4)]
