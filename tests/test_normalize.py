"""Radiometry: known gains come back, whatever else changed; fallbacks are named."""

from __future__ import annotations

import json
import pickle

import dask.array as da
import numpy as np
import pytest
import xarray as xr

from pipeline.stages.normalize import Normalize, Radiometry
from pipeline.stages.normalize.leave_out import piled_up, water
from pipeline.stages.normalize.normalize import residuals
from pipeline.stages.normalize.surface import Places, grams, kept_out, solve

BANDS = ("blue", "green", "red", "nir")
GAIN = np.array([1.12, 0.93, 1.06, 0.88])
OFFSET = np.array([0.0085, -0.004, 0.012, 0.006])
NOISE = 0.002
WIDE = 512


def ground(rng: np.random.Generator, bands: int, pixels: int) -> np.ndarray:
    level = np.array([0.1, 0.12, 0.15, 0.3])[:bands, None]
    return level * np.exp(0.35 * rng.normal(size=(1, pixels)) + 0.15 * rng.normal(size=(bands, pixels)))


def sample(
    bands: int = 4, pixels: int = 30_000, changed: float = 0.0, clouds: float = 0.0, seed: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """before, and after = (before - OFFSET) / GAIN but for changes and clouds: GAIN * after + OFFSET is
    before.
    """
    rng = np.random.default_rng(seed)
    before = ground(rng, bands, pixels)
    after = before.copy()
    new = rng.random(pixels) < changed
    after[:, new] = 0.22 * np.exp(0.4 * rng.normal(size=(1, new.sum()))) + 0.02 * rng.normal(
        size=(bands, new.sum())
    )
    after = (after - OFFSET[:bands, None]) / GAIN[:bands, None]
    cloudy = rng.random(pixels) < clouds
    after[:, cloudy] = 0.7 + 0.03 * rng.normal(size=(bands, cloudy.sum()))
    noise = NOISE * rng.normal(size=(2, bands, pixels))
    return (before + noise[0]).astype(np.float32), (after + noise[1]).astype(np.float32)


def fit(
    before: np.ndarray, after: np.ndarray, bands: tuple[str, ...] = BANDS, **settings: float
) -> Radiometry:
    """On pixels in no order over a grid."""
    n = before.shape[1]
    rows, cols = np.random.default_rng(n).integers(0, WIDE, (2, n))
    return Normalize(**settings)(before, after, bands, rows, cols, (WIDE, WIDE))  # type: ignore[arg-type]


class Scene:
    """WIDE x WIDE pixels; the after image is `now`, seen through `veil` (a factor) and `haze` (added)."""

    def __init__(self, seed: int = 3) -> None:
        rng = np.random.default_rng(seed)
        self.rng = rng
        self.truth = ground(rng, 4, WIDE * WIDE).reshape(4, WIDE, WIDE)
        self.v, self.u = np.meshgrid(*(np.linspace(-1, 1, WIDE),) * 2, indexing="ij")
        self.now = self.truth.copy()
        self.haze = np.zeros((4, WIDE, WIDE))
        self.veil = np.ones((4, WIDE, WIDE))

    def images(self) -> tuple[np.ndarray, np.ndarray]:
        after = (self.now - OFFSET[:, None, None]) / GAIN[:, None, None] * self.veil + self.haze
        noise = NOISE * self.rng.normal(size=(2, *self.truth.shape))
        return (self.truth + noise[0]).astype(np.float32), (after + noise[1]).astype(np.float32)

    def fit(self, **settings: float) -> tuple[Radiometry, np.ndarray, np.ndarray]:
        """The radiometry from every seventh pixel, the before image, and the after image normalised."""
        before, after = self.images()
        at = np.arange(0, WIDE * WIDE, 7)
        rows, cols = np.divmod(at, WIDE)
        flat = (image.reshape(4, -1)[:, at] for image in (before, after))
        result = Normalize(**settings)(*flat, BANDS, rows, cols, (WIDE, WIDE))  # type: ignore[arg-type]
        return result, before, result.apply_array(after, slice(0, WIDE), slice(0, WIDE))


def plume(scene: Scene) -> np.ndarray:
    """Haze, thicker to one corner: 0.05 in blue, next to none in nir."""
    shape = 0.5 * (scene.u + 0.6 * scene.v) + 0.4 * scene.u * scene.v - 0.3 * scene.u**2
    return np.array([0.05, 0.035, 0.025, 0.0])[:, None, None] * shape


@pytest.mark.parametrize("bands", [1, 2, 3, 4])
@pytest.mark.parametrize(("changed", "clouds"), [(0.0, 0.0), (0.3, 0.0), (0.3, 0.1), (0.1, 0.3)])
def test_known_gains_come_back(bands: int, changed: float, clouds: float) -> None:
    result = fit(*sample(bands, changed=changed, clouds=clouds), BANDS[:bands])
    assert result.method == ("ir-mad" if bands > 2 else "robust-regression")
    np.testing.assert_allclose(result.gain, GAIN[:bands], rtol=0.01)
    np.testing.assert_allclose(result.offset, OFFSET[:bands], atol=0.0015)
    assert result.unchanged_share == pytest.approx((1 - changed) * (1 - clouds), abs=0.06)
    assert max(result.residual_final) < 2 * NOISE < min(result.residual_delivered)
    assert result.surfaces == (None,) * bands


def test_dates_the_other_way_round_give_the_inverse() -> None:
    before, after = sample(changed=0.2)
    forward, backward = fit(before, after), fit(after, before)
    np.testing.assert_allclose(np.multiply(forward.gain, backward.gain), 1, atol=0.01)


def test_haze_is_taken_out_where_it_is() -> None:
    scene = Scene()
    scene.haze = plume(scene)
    result, before, after = scene.fit()
    for band in range(3):
        note = result.surfaces[band]
        assert note is not None
        assert note.order >= 2
        true = GAIN[band] * np.ptp(scene.haze[band]) / 2
        assert note.amplitude == pytest.approx(true, rel=0.1)
    assert result.surfaces[3] is None
    # what is left is the noise of both dates, and nothing of the haze
    noise = NOISE * np.hypot(1, GAIN)
    left = np.sqrt(np.mean((before - after) ** 2, axis=(1, 2)))
    np.testing.assert_allclose(left, noise, rtol=0.05)
    np.testing.assert_allclose(result.residual_final, noise, rtol=0.1)
    assert result.residual_gain_offset[0] > 3 * result.residual_final[0]
    assert "blue" in result.surface_reason


def test_a_gain_that_varies_is_followed() -> None:
    scene = Scene()
    scene.veil += 0.15 * scene.u
    result, before, after = scene.fit()
    assert all(note is not None and note.gain_order >= 1 for note in result.surfaces)
    left = np.sqrt(np.mean((before - after) ** 2, axis=(1, 2)))
    np.testing.assert_allclose(left, NOISE * np.hypot(1, GAIN), rtol=0.15)


@pytest.mark.parametrize("corner", [True, False])
@pytest.mark.parametrize("contrast", [0.02, 0.15])
@pytest.mark.parametrize("haze", [False, True])
def test_a_compound_of_a_sixth_of_the_scene_keeps_its_contrast(
    corner: bool, contrast: float, haze: bool
) -> None:
    scene = Scene()
    side = int(WIDE * np.sqrt(0.15))
    at = slice(0, side) if corner else slice((WIDE - side) // 2, (WIDE + side) // 2)
    scene.now[:, at, at] += contrast
    if haze:
        scene.haze = plume(scene)
    _, before, after = scene.fit()
    change = (after - before)[:, at, at].mean(axis=(1, 2))
    np.testing.assert_allclose(change, contrast, rtol=0.05)


def test_a_scene_half_rebuilt_gets_no_surface() -> None:
    scene = Scene()
    fresh = ground(scene.rng, 4, WIDE * WIDE // 2).reshape(4, WIDE, WIDE // 2)
    scene.now[:, :, : WIDE // 2] = 0.6 * fresh + 0.12
    result, _, after = scene.fit()
    assert result.surfaces == (None,) * 4
    np.testing.assert_allclose(result.gain, GAIN, rtol=0.02)
    built = after[:, :, : WIDE // 2].mean(axis=(1, 2))
    np.testing.assert_allclose(built, scene.now[:, :, : WIDE // 2].mean(axis=(1, 2)), rtol=0.02)


def test_clouds_over_a_third_of_the_scene_bend_nothing() -> None:
    scene = Scene()
    cloud = scene.u + scene.v > 0.45
    scene.haze = plume(scene)
    clear = scene.haze.copy()
    scene.haze[:, cloud] = 0.6
    _, before, after = scene.fit()
    assert cloud.mean() == pytest.approx(0.3, abs=0.02)
    left = np.sqrt(np.mean((before - after)[:, ~cloud] ** 2, axis=1))
    np.testing.assert_allclose(left, NOISE * np.hypot(1, GAIN), rtol=0.2)
    assert np.ptp(clear[0]) > 10 * left[0]


def test_small_scenes_and_few_pixels_get_no_surface() -> None:
    scene = Scene()
    scene.haze = plume(scene)
    assert "unchanged pixels" in scene.fit(surface_pixels=100_000)[0].surface_reason
    small = scene.fit(surface_side=1000)[0]
    assert "less than 1000 pixels" in small.surface_reason
    assert small.surfaces == (None,) * 4
    np.testing.assert_array_equal(np.count_nonzero(small.gains, axis=(1, 2)), 1)


def test_kept_out_residual_is_not_that_of_the_fit() -> None:
    """A fit to few pixels flatters itself; what is reported does not."""
    honest, own = [], []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        before, after = (image.astype(float) for image in sample(1, pixels=120, seed=seed))
        x, y = after[0], before[0]
        places, order = Places.of(*rng.integers(0, WIDE, (2, 120)).astype(float), (WIDE, WIDE))
        x, y = x[order], y[order]
        gram, seen = grams(x, y, np.ones(120), places), np.ones(120, bool)
        choice = (3, 0)
        honest += residuals([x], [y], seen, places, [kept_out(gram, choice, 4.0)])
        own.append(np.sqrt(np.mean((y - solve(gram.sum(axis=0), choice, 4.0).at(x, places.terms)) ** 2)))
    noise = NOISE * np.hypot(1, GAIN[0])
    assert np.mean(own) < 0.98 * noise
    assert np.mean(honest) > 1.02 * noise


def test_missing_and_saturated_pixels_do_not_count() -> None:
    before, after = sample(changed=0.1)
    clean = fit(before, after)
    rng = np.random.default_rng(0)
    before[1, rng.random(30_000) < 0.1] = np.nan
    saturated = after[2] > np.quantile(after[2], 0.9)
    after[2, saturated] = after[2, saturated].min()
    after[:, rng.random(30_000) < 0.05] = 0.0
    spoilt = fit(before, after)
    np.testing.assert_allclose(spoilt.gain, clean.gain, rtol=0.01)
    assert spoilt.left_out["unobserved"] == pytest.approx(0.1, abs=0.01)
    assert spoilt.left_out["saturated"] == pytest.approx(0.9 * (1 - 0.9 * 0.95), abs=0.02)


@pytest.mark.parametrize("kind", ["float", "uint8", "resampled"])
@pytest.mark.parametrize("share", [0.01, 0.2])
def test_piled_up_values_are_found_and_tails_are_not(kind: str, share: float) -> None:
    rng = np.random.default_rng(2)
    values = ground(rng, 1, 20_000).astype(np.float32)
    if kind == "uint8":
        values = np.round(values * 400) / np.float32(255)
    keep = np.ones(20_000, bool)
    assert piled_up(values, keep).mean() < 0.004
    top = values[0] >= np.quantile(values[0], 1 - share)
    values[0, top] = np.quantile(values[0], 1 - share)
    dark = rng.random(20_000) < 0.02
    values[0, dark] = 0.0
    if kind == "resampled":  # the plateau is one rounding off, and its rim overshoots
        values[0, top] *= 1 + np.float32(1e-7) * rng.choice([-1, 0, 1], top.sum()).astype(np.float32)
        rim = np.flatnonzero(top)[::25]
        values[0, rim] *= np.float32(1) + rng.uniform(0, 0.1, rim.size).astype(np.float32)
    found = piled_up(values, keep)[: values.shape[1]]
    assert found[top | dark].all()
    assert found[~(top | dark)].mean() < 0.01


def test_water_is_left_out_unless_it_is_all_there_is() -> None:
    before, after = sample()
    rng = np.random.default_rng(4)
    lake = rng.random(30_000) < 0.3
    for image, glint in ((before, 0.0), (after, 0.02)):
        image[:, lake] = np.array([0.06, 0.05, 0.03, 0.015], np.float32)[:, None] + glint
        image[:, lake] += 0.001 * rng.normal(size=(4, lake.sum())).astype(np.float32)
    result = fit(before, after)
    assert result.left_out["water"] == pytest.approx(0.3, abs=0.01)
    np.testing.assert_allclose(result.gain, GAIN, rtol=0.01)
    assert not water(before[[0, 2]], ("blue", "red"), ~lake).any()
    flooded = fit(before[:, lake], after[:, lake])
    assert flooded.left_out["water"] == 0
    assert flooded.method != "none"


def test_clouds_that_are_known_are_in_no_fit() -> None:
    before, after = sample(clouds=0.4)
    after[:, after[0] > 0.6] = np.nan
    rows, cols = np.random.default_rng(0).integers(0, WIDE, (2, 30_000))
    result = Normalize()(before, after, BANDS, rows, cols, (WIDE, WIDE))
    assert result.left_out["unobserved"] == pytest.approx(0.4, abs=0.02)
    assert result.unchanged_share > 0.97


@pytest.mark.parametrize(("pixels", "method"), [(200, "median-shift"), (20, "none"), (0, "none")])
def test_small_samples_fall_back_by_name(pixels: int, method: str) -> None:
    before, after = sample(pixels=1000)
    result = fit(before[:, :pixels], after[:, :pixels] + np.float32(0.05))
    assert result.method == method
    assert str(pixels) in result.reason
    assert result.gain == (1.0,) * 4
    if method == "none":
        assert result.offset == (0.0,) * 4
    else:
        np.testing.assert_allclose(
            result.offset, np.median(before[:, :200] - after[:, :200], axis=1) - 0.05, atol=1e-6
        )


def test_unrelated_images_get_no_wild_gain() -> None:
    rng = np.random.default_rng(0)
    before, after = rng.random((2, 4, 30_000), np.float32)
    result = fit(before, after * np.float32(0.01))
    assert all(0.25 <= gain <= 4 for gain in result.gain)
    assert np.isfinite(result.offset).all()
    assert result.surfaces == (None,) * 4


def test_constant_and_repeated_bands_do_no_harm() -> None:
    before, after = sample()
    before[3], after[3] = 0.4, 0.3
    before[1], after[1] = before[0], after[0]
    result = fit(before, after)
    assert np.isfinite([result.gain, result.offset]).all()
    assert result.gain[0] == pytest.approx(GAIN[0], rel=0.02)
    assert result.gain[3] * 0.3 + result.offset[3] == pytest.approx(0.4, abs=1e-3)


def test_any_cutting_gives_the_same_bits_and_gaps_stay() -> None:
    scene = Scene()
    scene.haze = plume(scene)
    scene.veil += 0.1 * scene.v
    result, _, whole = scene.fit()
    result = pickle.loads(pickle.dumps(result))
    _, after = scene.images()
    after[:, 3, 4] = np.nan
    whole = result.apply_array(after, slice(0, WIDE), slice(0, WIDE))
    assert whole.dtype == np.float32
    assert int(np.isnan(whole).sum()) == 4
    for rows, cols in ((slice(0, 5), slice(3, 40)), (slice(131, 512), slice(77, 78))):
        np.testing.assert_array_equal(
            result.apply_array(after[:, rows, cols], rows, cols), whole[:, rows, cols]
        )
    image = xr.Dataset(
        {"image": (("band", "y", "x"), da.from_array(after[::-1], chunks=(2, 100, 130)))},
        coords={"band": list(BANDS[::-1])},
    )
    applied = result.apply(image)["image"]
    assert isinstance(applied.data, da.Array)
    np.testing.assert_array_equal(applied.values[::-1], whole)


def test_summary_for_run_json() -> None:
    scene = Scene()
    scene.haze = plume(scene)
    result = scene.fit()[0]
    told = json.loads(json.dumps(result.as_dict()))
    assert set(told) == {
        "method", "reason", "surface", "unchanged_share", "left_out", "residuals", "bands",
    }  # fmt: skip
    assert set(told["left_out"]) == {"unobserved", "saturated", "water"}
    assert told["bands"]["nir"] == {
        "gain": result.gain[3],
        "offset": result.offset[3],
        "surface": None,
        "residual_delivered": result.residual_delivered[3],
        "residual_gain_offset": result.residual_gain_offset[3],
        "residual_final": result.residual_final[3],
    }
    assert set(told["bands"]["blue"]["surface"]) == {
        "order", "gain_order", "amplitude", "share", "gain_amplitude",
    }  # fmt: skip
