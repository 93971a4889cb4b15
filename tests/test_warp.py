"""Warp: half pixels, the same bits for any block, and no leak of what was not observed."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from aligned_scenes import grid_of, image_of
from odc.geo.geobox import GeoBox
from pyproj import Transformer

from pipeline.errors import GeoreferenceError
from pipeline.mapping import Mapping
from pipeline.shift import ShiftField
from pipeline.stages.warp import Kernel, Warp

GRID = grid_of(150, 170)
KERNELS: tuple[Kernel, ...] = ("nearest", "bilinear", "cubic", "lanczos")


def coordinates(grid: GeoBox) -> np.ndarray:
    """(x, y) of every pixel centre, from the upper left corner of the grid, so that float32 holds them."""
    row, col = np.mgrid[: grid.shape[0], : grid.shape[1]]
    x, y = grid.transform @ (col + 0.5, row + 0.5)
    return np.stack([x - grid.transform.c, y - grid.transform.f]).astype(np.float32)


def texture(shape: tuple[int, int], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((2, *shape), np.float32)


@pytest.mark.parametrize("kernel", KERNELS)
def test_same_grid_gives_the_same_values(kernel: Kernel) -> None:
    values = texture((150, 170))
    warp = Warp(kernel)
    out = warp.image(image_of(values, GRID), warp.plan(GRID, GRID)).compute()
    np.testing.assert_array_equal(out["image"], values)
    assert out["observed"].all()
    assert out.odc.geobox == GRID


def test_whole_pixels_of_shift_move_whole_pixels() -> None:
    """(dx, dy) = (+3 px, +2 px north): what before shows at a pixel, after shows 3 to the right and 2 up."""
    values = texture((150, 170))
    warp = Warp()
    mapping = warp.plan(GRID, GRID, ShiftField.constant(GRID, 1.5, 1.0))
    out = warp.image(image_of(values, GRID), mapping).compute()
    np.testing.assert_array_equal(out["image"][:, 2:, :-3], values[:, :-2, 3:])
    assert out["observed"].sum() == 148 * 167
    assert not out["observed"][:2].any()


@pytest.mark.parametrize("kernel", ["bilinear", "cubic", "lanczos"])
def test_coordinates_arrive_half_pixel_exact_from_another_phase_and_pixel_size(kernel: Kernel) -> None:
    native = GeoBox((140, 150), Affine(0.6, 0, 678999.83, 0, -0.55, 3811500.21), GRID.crs)
    warp = Warp(kernel)
    out = warp.image(image_of(coordinates(native), native), warp.plan(native, GRID)).compute()
    seen = out["observed"].values
    expected = coordinates(GRID) + np.array([0.17, -0.21], np.float32)[:, None, None]
    tolerance = 0.02 if kernel == "lanczos" else 1e-4  # Lanczos does not reproduce a plane exactly
    np.testing.assert_allclose(out["image"].values[:, seen], expected[:, seen], atol=tolerance)
    assert seen[5:-5, 5:-5].all()


def test_coordinates_arrive_exact_from_another_crs_with_a_shift() -> None:
    native = grid_of(170, 190).pad(20).to_crs("EPSG:4326", resolution=0.000005)
    shift = ShiftField.constant(GRID, 2.3, -1.7)
    warp = Warp("bilinear")
    out = warp.image(image_of(coordinates(native), native), warp.plan(native, GRID, shift)).compute()
    x, y = coordinates(GRID).astype(np.float64)
    lon, lat = Transformer.from_crs(32637, 4326, always_xy=True).transform(
        x + GRID.transform.c + 2.3, y + GRID.transform.f - 1.7
    )
    error = out["image"].values - np.stack([lon - native.transform.c, lat - native.transform.f])
    assert out["observed"].all()
    assert np.abs(error).max() < 0.01 * 0.000005


@pytest.mark.parametrize("kernel", KERNELS)
def test_blocks_do_not_matter(kernel: Kernel) -> None:
    native = grid_of(170, 190).pad(5).to_crs("EPSG:4326", resolution=0.000006)
    observed = np.ones(native.shape, np.bool_)
    observed[60:75, 40:90] = False
    warp = Warp(kernel)
    mapping = warp.plan(native, GRID, ShiftField.constant(GRID, 0.21, -0.37))
    values = texture(native.shape)
    once = warp.image(image_of(values, native, observed), mapping).compute()
    other = image_of(values, native, observed, chunk=(37, 91))
    for chunk in (61, 33, 149):
        cut = warp.image(other, mapping, chunk).compute()
        np.testing.assert_array_equal(cut["image"], once["image"])
        np.testing.assert_array_equal(cut["observed"], once["observed"])


@pytest.mark.parametrize(
    ("kernel", "shrink"), [("nearest", 0), ("bilinear", 1), ("cubic", 2), ("lanczos", 3)]
)
def test_a_hole_grows_by_the_reach_of_the_kernel_and_leaks_nothing(kernel: Kernel, shrink: int) -> None:
    """Off by 0.3 px to the right: the hole's columns 60..69 hide what the kernel would draw on."""
    values = np.full((2, 150, 170), 0.25, np.float32)
    observed = np.ones((150, 170), np.bool_)
    observed[:, 60:70] = False
    values[:, ~observed] = 1e6
    warp = Warp(kernel)
    mapping = warp.plan(GRID, GRID, ShiftField.constant(GRID, 0.15, 0.0))
    out = warp.image(image_of(values, GRID, observed), mapping).compute()
    row = out["observed"].values[75]
    hidden = 20 + np.flatnonzero(~row[20:150])
    assert hidden.min() == 60 - shrink
    assert hidden.max() == (69 if shrink == 0 else 69 + shrink - 1)
    np.testing.assert_allclose(out["image"].values[:, out["observed"].values], 0.25, rtol=1e-6)
    assert np.isnan(out["image"].values[:, ~out["observed"].values]).all()


def test_a_band_that_is_not_a_number_is_not_observed() -> None:
    values = texture((150, 170))
    values[1, 40, 40] = np.nan
    warp = Warp()
    out = warp.image(image_of(values, GRID), warp.plan(GRID, GRID)).compute()
    assert not out["observed"][40, 40]
    assert int((~out["observed"]).sum()) == 1
    assert np.isnan(out["image"][:, 40, 40]).all()


def test_a_finer_source_is_averaged_not_aliased() -> None:
    """Stripes of one delivered pixel, three to a pixel of the grid, come out grey."""
    native = grid_of(450, 510, 0.5 / 3)
    values = np.zeros((1, 450, 510), np.float32)
    values[:, :, ::2] = 1.0
    warp = Warp()
    out = warp.image(image_of(values, native, bands=("pan",)), warp.plan(native, GRID)).compute()
    inner = out["image"].values[0, 10:-10, 10:-10]
    np.testing.assert_allclose(inner, 0.5, atol=0.06)
    nearest = Warp("nearest").image(image_of(values, native, bands=("pan",)), warp.plan(native, GRID))
    assert set(np.unique(nearest["image"].values)) <= {0.0, 1.0}


def test_outside_the_source_is_not_observed_and_reads_nothing() -> None:
    far = GeoBox((20, 20), Affine(0.5, 0, 690000.0, 0, -0.5, 3811500.0), GRID.crs)
    warp = Warp()
    mapping = warp.plan(far, GRID)
    assert warp.source(mapping, slice(0, 150), slice(0, 170))[1] == slice(0, 0)
    out = warp.image(image_of(texture((20, 20)), far), mapping).compute()
    assert not out["observed"].any()
    assert np.isnan(out["image"]).all()


def test_an_image_is_lazy_and_reads_no_more_than_it_needs() -> None:
    warp = Warp()
    mapping = warp.plan(GRID, GRID, ShiftField.constant(GRID, 0.1, 0.1))
    lazy = warp.image(image_of(texture((150, 170)), GRID), mapping, 100)
    assert lazy["image"].chunks == ((2,), (100, 50), (100, 70))
    assert lazy.odc.geobox == GRID
    assert warp.source(mapping, slice(10, 60), slice(20, 100)) == (slice(0, 68), slice(13, 117))
    assert warp.source(warp.plan(GRID, GRID), slice(10, 60), slice(20, 100)) == (
        slice(10, 60),
        slice(20, 100),
    )


def test_no_crs_is_refused() -> None:
    with pytest.raises(GeoreferenceError, match="without a CRS"):
        Warp().plan(GeoBox((10, 10), Affine.identity(), None), GRID)


def test_mapping_is_exact_between_its_nodes() -> None:
    """A shift field as steep as one meets bends less than a thousandth of a pixel between nodes."""
    shape = ShiftField.lattice((150, 170), 40.0)
    rng = np.random.default_rng(0)
    field = ShiftField(40.0, 0.2 * rng.normal(size=shape), 0.2 * rng.normal(size=shape))
    mapping: Mapping = Warp().plan(GRID, GRID, field)
    dx, _ = field.at(np.arange(0, 145, 16)[:, None], np.arange(0, 161, 16)[None, :])
    cols = mapping.cols[: dx.shape[0], : dx.shape[1]]
    np.testing.assert_allclose(cols - np.arange(0, 161, 16), dx / 0.5, atol=1e-6)
