"""Alignment: sign, accuracy, what it must withstand, and what it must refuse."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from aligned_scenes import PAD, Floats, Ground, Shift, grid_of, image_of, pair

from pipeline.errors import AlignmentRejectedError, BandError
from pipeline.shift import ShiftField
from pipeline.stages.align import Align, Alignment

ALIGN = Align(accept_uncertain=False)

SIZE = 320
GRID = grid_of(SIZE, SIZE)
GROUND = Ground(SIZE)


def moved(drow: float, dcol: float) -> Shift:
    return lambda row, col: (np.full_like(row, drow), np.full_like(col, dcol))


def warped(row: Floats, col: Floats) -> tuple[Floats, Floats]:
    """A gentle warp of up to a pixel around a shift."""
    return 1.3 + 0.8 * np.sin(2 * np.pi * col / 400), -2.1 + 0.8 * np.cos(2 * np.pi * row / 500 + 1)


def turned(row: Floats, col: Floats) -> tuple[Floats, Floats]:
    """Half a degree of rotation and half a percent of scale about the centre."""
    y, x = row - SIZE / 2, col - SIZE / 2
    return 0.005 * y + 0.0087 * x, 0.005 * x - 0.0087 * y


def error_px(result: Alignment, shift: Shift) -> Floats:
    """Distance of the field from the truth, away from the rim, in pixels."""
    row, col = (a.astype(float) for a in np.mgrid[16 : SIZE - 16 : 8, 16 : SIZE - 16 : 8])
    dx, dy = result.field.at(row, col)
    drow, dcol = shift(row, col)
    return np.hypot(dx / 0.5 - dcol, -dy / 0.5 - drow)


@pytest.mark.parametrize("shift", [(0.3, -0.2), (-3.4, 2.6), (12.3, 7.7), (-40.2, 11.4)])
def test_finds_shifts_small_and_large(shift: tuple[float, float]) -> None:
    before, after = pair(GROUND, moved(*shift))
    result = ALIGN(image_of(before, GRID), image_of(after, GRID), GRID)
    assert result.status == "ok"
    assert np.median(error_px(result, moved(*shift))) < 0.03
    assert result.residual_px < 0.1
    assert result.residual_before_px == pytest.approx(np.hypot(*shift), abs=0.1)
    assert result.shift_m == pytest.approx((shift[1] * 0.5, -shift[0] * 0.5), abs=0.02)


def test_swapping_the_dates_flips_the_sign() -> None:
    before, after = (image_of(values, GRID) for values in pair(GROUND, moved(2.0, -5.0)))
    forward, backward = ALIGN(before, after, GRID), ALIGN(after, before, GRID)
    assert forward.shift_m == pytest.approx((-2.5, -1.0), abs=0.02)
    assert backward.shift_m == pytest.approx((2.5, 1.0), abs=0.02)


@pytest.mark.parametrize("shift", [warped, turned])
def test_follows_a_warp(shift: Shift) -> None:
    before, after = pair(GROUND, shift)
    result = ALIGN(image_of(before, GRID), image_of(after, GRID), GRID)
    error = error_px(result, shift)
    assert np.median(error) < 0.06
    assert error.max() < 0.4


def test_withstands_another_light_and_clouds_masked_or_not() -> None:
    before, after = pair(GROUND, warped)
    after = 0.1 + 0.5 * np.sqrt(np.maximum(after, 0))
    after[1] = 0.9 - after[1]  # as when crops grow: bright turns dark
    row, col = np.mgrid[:SIZE, :SIZE]
    masked = col < 0.3 * SIZE
    after[:, (row - 250) ** 2 + (col - 250) ** 2 < 40**2] = 1.5
    result = ALIGN(image_of(before, GRID), image_of(after, GRID, ~masked), GRID)
    error = error_px(result, warped)[:, 15:]
    assert result.status == "ok"
    assert np.median(error) < 0.1


def test_half_the_scene_rebuilt() -> None:
    before, after = pair(GROUND, moved(1.6, -0.7))
    after[:, : SIZE // 2] = pair(Ground(SIZE, seed=9), moved(0, 0))[1][:, : SIZE // 2]
    result = ALIGN(image_of(before, GRID), image_of(after, GRID), GRID)
    assert np.median(error_px(result, moved(1.6, -0.7))[20:]) < 0.15


def test_another_crs_and_resolution() -> None:
    """The after image comes in degrees, with coarser pixels, half a pixel out of phase."""
    before = image_of(GROUND.at(*(a.astype(float) for a in np.mgrid[:SIZE, :SIZE])), GRID)
    native = grid_of(SIZE, SIZE).pad(8).to_crs("EPSG:4326", resolution=0.000008)
    lon, lat = native.transform @ tuple(a + 0.5 for a in np.mgrid[: native.shape[0], : native.shape[1]][::-1])
    from pyproj import Transformer

    x, y = Transformer.from_crs(4326, 32637, always_xy=True).transform(lon, lat)
    col, row = ~GRID.transform @ (x, y)
    after = image_of(GROUND.at(row - 0.5 - 1.5, col - 0.5 + 2.5), native)
    result = ALIGN(before, after, GRID)
    assert np.median(error_px(result, moved(1.5, -2.5))) < 0.06


def test_chunks_do_not_matter() -> None:
    before, after = pair(GROUND, warped)
    first, second = (
        ALIGN(image_of(before, GRID, chunk=chunk), image_of(after, GRID, chunk=chunk), GRID)
        for chunk in (64, (93, 320))
    )
    np.testing.assert_array_equal(first.field.dx, second.field.dx)
    np.testing.assert_array_equal(first.field.dy, second.field.dy)
    assert first.residual_px == second.residual_px


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random((2, SIZE, SIZE), np.float32)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(noise(0), noise(1), id="noise"),
        pytest.param(pair(GROUND, moved(0, 0))[0], pair(Ground(SIZE, 5), moved(0, 0))[0], id="places"),
        pytest.param(pair(GROUND, moved(0, 0))[0], np.full((2, SIZE, SIZE), 0.4, np.float32), id="constant"),
        pytest.param(pair(GROUND, moved(0, 0))[0], pair(GROUND, moved(0, 150))[1], id="too far"),
    ],
)
def test_refuses_what_cannot_be_aligned(before: np.ndarray, after: np.ndarray) -> None:
    images = image_of(before, GRID), image_of(after, GRID)
    with pytest.raises(
        AlignmentRejectedError, match="check that both images show the same ground"
    ) as refusal:
        ALIGN(*images, GRID)
    assert "\n" not in str(refusal.value)


def test_what_cannot_be_measured_is_compared_as_delivered_only_where_asked_and_the_same_ground() -> None:
    rng = np.random.default_rng(4)
    before, after = pair(GROUND, moved(0, 0))
    faint = image_of(0.3 * after + rng.normal(0, 0.06, after.shape).astype(np.float32), GRID)
    with pytest.raises(AlignmentRejectedError):
        ALIGN(image_of(before, GRID), faint, GRID)
    trusted = Align()(image_of(before, GRID), faint, GRID)
    assert trusted.status == "global-only"
    assert "compared as delivered" in trusted.reason
    assert np.isnan(trusted.residual_px)
    assert not np.any(trusted.field.at(np.arange(SIZE), np.arange(SIZE)))
    for other in (pair(Ground(SIZE, 5), moved(0, 0))[0], np.full_like(after, 0.4), noise(1)):
        with pytest.raises(AlignmentRejectedError):
            Align()(image_of(before, GRID), image_of(other, GRID), GRID)


def test_bands_need_not_be_the_same() -> None:
    before, after = pair(GROUND, moved(0.4, 0.8))
    grey = image_of(after.mean(axis=0, keepdims=True), GRID, bands=("pan",))
    assert np.median(error_px(ALIGN(image_of(before, GRID), grey, GRID), moved(0.4, 0.8))) < 0.05
    with pytest.raises(BandError, match="no band in common"):
        ALIGN(image_of(before[:1], GRID, bands=("swir16",)), grey, GRID)


def test_field_is_the_same_whatever_the_block_and_survives_pickling() -> None:
    rng = np.random.default_rng(3)
    shape = ShiftField.lattice((200, 300), 40.0)
    field = ShiftField(40.0, rng.normal(size=shape), rng.normal(size=shape))
    rows, cols = np.arange(200)[:, None], np.arange(300)[None, :]
    whole, part = field.at(rows, cols), pickle.loads(pickle.dumps(field)).at(rows[50:90], cols[:, 7:250])
    np.testing.assert_array_equal(whole[0][50:90, 7:250], part[0])
    np.testing.assert_array_equal(whole[1][50:90, 7:250], part[1])


def test_constant_and_zoomed_fields() -> None:
    np.testing.assert_allclose(ShiftField.constant(GRID, 1.25, -3.0).at([-70, 0, 500], 5)[0], 1.25)
    rng = np.random.default_rng(3)
    shape = ShiftField.lattice((50, 50), 10.0)
    coarse = ShiftField(10.0, rng.normal(size=shape), rng.normal(size=shape))
    fine = coarse.zoomed(4)
    np.testing.assert_allclose(fine.at(4 * 13 + 1.5, 4 * 20 + 1.5), coarse.at(13, 20))


@pytest.mark.parametrize(("size", "accepted"), [(256, True), (320, False)])
def test_small_place_rebuilt_wholly_is_compared_where_its_grid_says_so(size: int, accepted: bool) -> None:
    """Nothing in the images matches; that they come on one grid speaks for them, while they are small."""
    grid = grid_of(size, size)
    before, after = (
        image_of(Ground(size, seed).planes[:, PAD : PAD + size, PAD : PAD + size], grid) for seed in (3, 4)
    )
    if accepted:
        found = Align()(before, after, grid)
        assert found.status == "global-only"
        assert "very same grid" in found.reason
        assert found.shift_m == (0.0, 0.0)
        with pytest.raises(AlignmentRejectedError):
            ALIGN(before, after, grid)
    else:
        with pytest.raises(AlignmentRejectedError):
            Align()(before, after, grid)
