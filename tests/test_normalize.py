"""Radiometry: known gains come back, whatever else changed; fallbacks are named."""

from __future__ import annotations

import pickle

import dask.array as da
import numpy as np
import pytest
import xarray as xr

from pipeline.stages.normalize import Normalize

BANDS = ("blue", "green", "red", "nir")
GAIN = np.array([1.12, 0.93, 1.06, 0.88])
OFFSET = np.array([0.0085, -0.004, 0.012, 0.006])
NOISE = 0.002


def sample(
    bands: int = 4, pixels: int = 30_000, changed: float = 0.0, clouds: float = 0.0, seed: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """before, and after = (before - OFFSET) / GAIN but for changes and clouds: GAIN * after + OFFSET is
    before.
    """
    rng = np.random.default_rng(seed)
    level = np.array([0.1, 0.12, 0.15, 0.3])[:bands, None]
    before = level * np.exp(0.35 * rng.normal(size=(1, pixels)) + 0.15 * rng.normal(size=(bands, pixels)))
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


@pytest.mark.parametrize("bands", [1, 2, 3, 4])
@pytest.mark.parametrize(("changed", "clouds"), [(0.0, 0.0), (0.3, 0.0), (0.3, 0.1)])
def test_known_gains_come_back(bands: int, changed: float, clouds: float) -> None:
    result = Normalize()(*sample(bands, changed=changed, clouds=clouds), BANDS[:bands])
    assert result.method == ("ir-mad" if bands > 2 else "robust-regression")
    np.testing.assert_allclose(result.gain, GAIN[:bands], rtol=0.01)
    np.testing.assert_allclose(result.offset, OFFSET[:bands], atol=0.0015)
    assert result.unchanged_share == pytest.approx((1 - changed) * (1 - clouds), abs=0.06)
    assert max(result.residual_after) < 2 * NOISE < min(result.residual_before)


def test_dates_the_other_way_round_give_the_inverse() -> None:
    before, after = sample(changed=0.2)
    forward, backward = Normalize()(before, after, BANDS), Normalize()(after, before, BANDS)
    np.testing.assert_allclose(np.multiply(forward.gain, backward.gain), 1, atol=0.01)


def test_missing_and_saturated_pixels_do_not_count() -> None:
    before, after = sample(changed=0.1)
    clean = Normalize()(before, after, BANDS)
    rng = np.random.default_rng(0)
    before[1, rng.random(30_000) < 0.1] = np.nan
    saturated = after[2] > np.quantile(after[2], 0.9)
    after[2, saturated] = after[2, saturated].min()
    after[:, rng.random(30_000) < 0.05] = 0.0
    spoilt = Normalize()(before, after, BANDS)
    np.testing.assert_allclose(spoilt.gain, clean.gain, rtol=0.01)


@pytest.mark.parametrize(("pixels", "method"), [(200, "median-shift"), (20, "none"), (0, "none")])
def test_small_samples_fall_back_by_name(pixels: int, method: str) -> None:
    before, after = sample(pixels=1000)
    result = Normalize()(before[:, :pixels], after[:, :pixels] + np.float32(0.05), BANDS)
    assert result.method == method
    assert result.gain == (1.0,) * 4
    if method == "none":
        assert result.offset == (0.0,) * 4
    else:
        np.testing.assert_allclose(
            result.offset, np.median(before[:, :200] - after[:, :200], axis=1) - 0.05, atol=1e-6
        )


def test_unrelated_images_get_no_wild_gain() -> None:
    rng = np.random.default_rng(0)
    before, after = rng.random((2, 4, 5000), np.float32)
    result = Normalize()(before, after * np.float32(0.01), BANDS)
    assert all(0.25 <= gain <= 4 for gain in result.gain)
    assert np.isfinite(result.offset).all()


def test_constant_and_repeated_bands_do_no_harm() -> None:
    before, after = sample()
    before[3], after[3] = 0.4, 0.3
    before[1], after[1] = before[0], after[0]
    result = Normalize()(before, after, BANDS)
    assert np.isfinite([result.gain, result.offset]).all()
    assert result.gain[0] == pytest.approx(GAIN[0], rel=0.02)
    assert result.gain[3] * 0.3 + result.offset[3] == pytest.approx(0.4, abs=1e-3)


def test_apply_is_lazy_and_keeps_gaps() -> None:
    before, after = sample()
    result = pickle.loads(pickle.dumps(Normalize()(before, after, BANDS)))
    values = after[:, :400].reshape(4, 20, 20).copy()
    values[:, 3, 4] = np.nan
    image = xr.Dataset(
        {"image": (("band", "y", "x"), da.from_array(values[::-1], chunks=10))},
        coords={"band": list(BANDS[::-1])},
    )
    applied = result.apply(image)["image"]
    assert isinstance(applied.data, da.Array)
    assert applied.dtype == np.float32
    expected = np.array(result.gain)[:, None, None] * values + np.array(result.offset)[:, None, None]
    np.testing.assert_allclose(applied.values[::-1], expected, rtol=1e-5)
    np.testing.assert_array_equal(result.apply_array(values), applied.values[::-1])
    assert int(np.isnan(applied.values).sum()) == 4


def test_summary_for_run_json() -> None:
    result = Normalize()(*sample(), BANDS)
    summary = result.as_dict()
    assert set(summary) == {"method", "unchanged_share", "bands"}
    assert set(summary["bands"]) == set(BANDS)
    assert summary["bands"]["nir"] == {
        "gain": result.gain[3],
        "offset": result.offset[3],
        "residual_before": result.residual_before[3],
        "residual_after": result.residual_after[3],
    }
