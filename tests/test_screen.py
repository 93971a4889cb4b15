"""The cloud and shadow screen, on fields painted here with clouds, roofs and aprons whose place is known."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, gaussian_filter, label, shift

from pipeline.stages.screen import Screen, Screened

Float = NDArray[np.float32]
Bits = NDArray[np.bool_]
BANDS = ("blue", "green", "red", "nir")
GROUND = np.array([[0.06, 0.09, 0.08, 0.30], [0.09, 0.12, 0.14, 0.24], [0.05, 0.07, 0.05, 0.35]], np.float32)
SIZE, CELL_M = 256, 10.0
MOVED = (-40, 30)  # cells from the clouds to their shadows, the sun being in the south-west
SUN = 180 + float(np.degrees(np.arctan2(MOVED[1], -MOVED[0])))


def fields(seed: int, brightness: float = 1.0, tint: tuple[float, ...] = (1, 1, 1, 1)) -> Float:
    """(band, y, x) reflectance of fields with texture."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, len(GROUND), (SIZE // 16, SIZE // 16)).repeat(16, 0).repeat(16, 1)
    texture = (
        1 + 0.08 * rng.standard_normal((SIZE, SIZE)) + gaussian_filter(rng.normal(0, 2, (SIZE, SIZE)), 5)
    )
    colour = np.array(tint, np.float32)[:, None, None]
    return (GROUND[kind].transpose(2, 0, 1) * colour * texture * brightness).astype(np.float32)


def noisy(image: Float, seed: int) -> Float:
    """As another date sees it: another gain and offset a band, and noise."""
    rng = np.random.default_rng(seed)
    gain = rng.uniform(0.92, 1.08, (len(image), 1, 1))
    return np.asarray(image * gain + 0.01 + rng.normal(0, 0.002, image.shape), np.float32)


def opacity(share: float = 0.15, seed: int = 3) -> Float:
    """(y, x) 0..1 of clouds with soft, irregular rims, none in the corner where things are built."""
    rng = np.random.default_rng(seed)
    field = sum(gaussian_filter(rng.standard_normal((SIZE, SIZE)), s) * s for s in (18.0, 6.0))
    corner = np.hypot(*(np.mgrid[:SIZE, :SIZE] - 215.0))
    field = field - 4 * field.std() * np.exp(-((corner / 70) ** 4))
    level, top = np.quantile(field, (1 - share, 1.0))
    cloud = np.clip((field - level) / (0.15 * (top - level)), 0, 1)
    labels, _ = label(cloud > 0)
    large = np.bincount(labels.ravel()) >= 400  # of 4 ha; the screen leaves those under 3 alone
    return np.asarray(np.where(large[labels], cloud, 0), np.float32)


def clouded(image: Float, cloud: Float, shadows: bool = True) -> Float:
    """Clouds over an image, and their shadows on it."""
    fallen = shift(cloud, MOVED, order=1) if shadows else np.zeros_like(cloud)
    lit = image * (1 - 0.65 * fallen)
    return np.asarray(lit * (1 - cloud) + 0.7 * cloud, np.float32)


def painted(image: Float, window: tuple[slice, slice], colour: tuple[float, ...]) -> Float:
    """Something new of one colour, with joints."""
    out = image.copy()
    joints = 1 + 0.03 * np.random.default_rng(8).standard_normal(image[0][window].shape)
    out[(slice(None), *window)] = np.array(colour[: len(image)])[:, None, None] * joints
    return out


def screened(before: Float, after: Float, bands: tuple[str, ...] = BANDS, **told: object) -> Screened:
    return Screen()(before, after, bands, CELL_M, 1, **told)  # type: ignore[arg-type]


def share(mask: Bits, where: Bits) -> float:
    return float(mask[where].mean())


@pytest.mark.parametrize("azimuth", [None, SUN])
def test_clouds_and_their_shadows_are_found(azimuth: float | None) -> None:
    ground, cloud = fields(1), opacity()
    found = screened(ground, noisy(clouded(ground, cloud), 2), sun=(None, azimuth))
    fallen = (shift(cloud, MOVED, order=1) > 0.6) & (cloud < 0.05)
    assert share(found.after.cloud, cloud > 0.5) > 0.85  # in doubt it is left
    assert share(cloud > 0, found.after.cloud) > 0.95
    assert share(found.after.shadow, fallen) > 0.8
    assert share(shift(cloud, MOVED, order=1) + cloud > 0, found.after.shadow) > 0.85
    assert not found.before.unusable.any()


def ragged(seed: int, share: float) -> Bits:
    """(y, x) of crumbs too small to be taken for clouds by themselves."""
    field = gaussian_filter(np.random.default_rng(seed).standard_normal((SIZE, SIZE)), 1.5)
    labels, _ = label(field > np.quantile(field, 1 - share))
    return np.asarray((np.bincount(labels.ravel()) < 100)[labels] & (labels > 0))


def test_crumbs_are_clouds_where_clouds_are_and_roofs_where_none_is() -> None:
    ground, crumbs = fields(1), ragged(4, 0.06)
    after, large = ground.copy(), opacity()
    after[:, crumbs] = 0.7
    found = screened(ground, noisy(clouded(after, large), 2)).after
    least, _ = label(crumbs)
    seen = (
        (np.bincount(least.ravel()) >= 15)[least]
        & crumbs
        & (large == 0)
        & (shift(large, MOVED, order=1) == 0)
    )
    assert seen.sum() > 500
    assert share(found.cloud, seen) > 0.75  # some are square by chance
    assert share(binary_dilation(crumbs | (large > 0), iterations=3), found.cloud) > 0.95
    assert not screened(ground, noisy(after, 2)).any


def roofs() -> Bits:
    """(y, x) of straight things as many and as large as small clouds."""
    out = np.zeros((SIZE, SIZE), np.bool_)
    for row in range(16, SIZE - 24, 40):
        for col in range(10, SIZE - 24, 48):
            out[row : row + 14, col : col + 20] = True
    return out


def test_small_clouds_of_a_fine_image_are_ragged_and_roofs_are_not() -> None:
    ground = fields(1)
    small = gaussian_filter(np.random.default_rng(5).standard_normal((SIZE, SIZE)), 4.0)
    small = small + 0.4 * gaussian_filter(np.random.default_rng(6).standard_normal((SIZE, SIZE)), 1.5)
    cloud = small > np.quantile(small, 0.9)
    clouded, built = (ground.copy() for _ in range(2))
    clouded[:, cloud], built[:, roofs()] = 0.7, 0.7
    found = Screen()(ground, noisy(clouded, 2), BANDS, 1.0, 1).after
    assert share(found.cloud, cloud) > 0.7
    assert share(binary_dilation(cloud, iterations=4), found.cloud) > 0.95
    assert not Screen()(ground, noisy(built, 2), BANDS, 1.0, 1).any


def test_shadows_are_not_sought_towards_the_sun() -> None:
    ground, cloud = fields(1), opacity()
    found = screened(ground, noisy(clouded(ground, cloud), 2), sun=(None, SUN - 180))
    assert share(found.after.cloud, cloud > 0.5) > 0.85  # in doubt it is left
    assert share(found.after.shadow, (shift(cloud, MOVED, order=1) > 0.6) & (cloud < 0.05)) < 0.2


def test_clouds_without_shadows_are_found_on_either_date() -> None:
    ground, cloud = fields(1), opacity(0.3)
    over = noisy(clouded(ground, cloud, shadows=False), 2)
    for found in (screened(ground, over).after, screened(over, ground).before):
        assert share(found.cloud, cloud > 0.5) > 0.85  # in doubt it is left
        assert share(cloud > 0, found.cloud) > 0.95


@pytest.mark.parametrize(
    ("window", "colour"),
    [
        ((slice(190, 210), slice(180, 240)), (0.30, 0.33, 0.36, 0.38)),  # a concrete apron
        ((slice(180, 204), slice(190, 220)), (0.60, 0.60, 0.60, 0.58)),  # a white hall of 7 ha
        ((slice(175, 250), slice(175, 245)), (0.22, 0.28, 0.36, 0.41)),  # a clearing, sand
        ((slice(0, 256), slice(200, 206)), (0.32, 0.34, 0.36, 0.38)),  # a road
    ],
)
def test_what_is_built_is_left_alone(window: tuple[slice, slice], colour: tuple[float, ...]) -> None:
    ground = fields(1)
    after = noisy(painted(ground, window, colour), 2)
    found = screened(ground, after)
    assert found.after.why == "screened"
    assert not found.any
    both = screened(ground, noisy(painted(clouded(ground, opacity()), window, colour), 2))
    assert both.after.cloud.any()
    inside = np.zeros((SIZE, SIZE), np.bool_)
    inside[window] = True
    away = ~binary_dilation(opacity() > 0, iterations=10)
    assert share(both.after.cloud, inside & away) < 0.15


def test_desert_that_is_bright_on_both_dates_is_no_cloud() -> None:
    desert = np.clip(fields(1, 3.5, (1.4, 1.2, 1.2, 0.5)), 0, 1)
    assert not screened(desert, noisy(desert, 2)).any


@pytest.mark.parametrize(("bands", "layers"), [(("blue", "green", "red"), [0, 1, 2]), (("pan",), [1])])
def test_few_bands_do(bands: tuple[str, ...], layers: list[int]) -> None:
    ground, cloud = fields(1), opacity()
    after = noisy(clouded(ground, cloud), 2)
    found = screened(ground[layers], after[layers], bands)
    assert share(found.after.cloud, cloud > 0.5) > 0.85  # in doubt it is left
    assert share(cloud > 0, found.after.cloud) > 0.95


def test_bands_that_do_not_show_clouds_are_told() -> None:
    ground = fields(1)[3:]
    assert screened(ground, ground, ("nir",)).as_dict()["after"]["why"] == "too few bands"


def test_a_given_mask_wins() -> None:
    ground = fields(1)
    found = screened(ground, noisy(clouded(ground, opacity()), 2), given=(False, True))
    assert (found.before.why, found.after.why) == ("screened", "mask given")
    assert not found.any
    assert not Screen(enabled=False)(ground, clouded(ground, opacity()), BANDS, CELL_M, 1).any


@pytest.mark.parametrize("units", [(10_000, 10_000), (255, 255), (1, 4)])
def test_units_make_no_difference(units: tuple[int, int]) -> None:
    ground = fields(1)
    after = noisy(clouded(ground, opacity()), 2)
    plain = screened(ground, after)
    other = screened(ground * np.float32(units[0]), after * np.float32(units[1]))
    assert plain.after.cloud.any()
    assert (plain.after.cloud != other.after.cloud).mean() < 1e-3
    assert (plain.after.shadow != other.after.shadow).mean() < 1e-3


def test_windows_are_the_same_for_any_blocking() -> None:
    ground = fields(1)
    found = Screen()(ground, noisy(clouded(ground, opacity()), 2), BANDS, CELL_M / 4, 4)
    rows, cols = SIZE * 4 + 3, SIZE * 4 + 1  # a grid need not be a multiple of the factor
    whole = found.window(slice(0, rows), slice(0, cols))
    assert whole[1].shape == (rows, cols)
    assert whole[1].any()
    for block in (100, 333):
        for top in range(0, rows, block):
            for left in range(0, cols, block):
                y, x = slice(top, min(rows, top + block)), slice(left, min(cols, left + block))
                for part, of in zip(found.window(y, x), whole, strict=True):
                    np.testing.assert_array_equal(part, of[y, x])


def test_the_margin_lies_around_clouds() -> None:
    ground = fields(1)
    after = noisy(clouded(ground, opacity()), 2)
    none, wide = (Screen(margin_m=m)(ground, after, BANDS, CELL_M, 1).after for m in (0.0, 50.0))
    np.testing.assert_array_equal(none.unusable, none.cloud | none.shadow)
    assert wide.unusable.sum() > none.unusable.sum()
    assert not (none.unusable & ~wide.unusable).any()
    np.testing.assert_array_equal(none.cloud, wide.cloud)


def test_empty_and_constant_images_do_no_harm() -> None:
    ground = fields(1)
    unseen = np.full_like(ground, np.nan)
    assert screened(unseen, ground).after.why == "nothing observed"
    assert screened(unseen, unseen).before.why == "nothing observed"
    for level in (0.0, 0.3):
        flat = np.full_like(ground, level)
        assert not screened(flat, flat).any
    half = ground.copy()
    half[:, :, :128] = np.nan
    found = screened(half, noisy(clouded(ground, opacity()), 2))
    assert not found.after.cloud[:, :120].any()


def test_run_json_and_pickle() -> None:
    ground = fields(1)
    found = screened(ground, noisy(clouded(ground, opacity()), 2))
    told = found.as_dict()
    assert told["after"]["used"] is True
    assert told["after"]["cloud_share"] == pytest.approx(float(found.after.cloud.mean()), abs=1e-5)
    assert told["before"]["cloud_share"] == 0
    again = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(again.after.unusable, found.after.unusable)
