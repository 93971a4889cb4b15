"""Detect: what the other date explains is no change, gaps do not leak, blocks join, new things are found."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from pipeline.errors import NothingObservedError
from pipeline.pair import Float, Pair
from pipeline.stages.detect import NOT_OBSERVED
from pipeline.stages.detect.classic import ClassicModel, fit_classic
from pipeline.stages.detect.classic.evidence import grey, rebuilt, restructured, without_halo
from pipeline.stages.detect.classic.filters import highest, lowest, reach, smooth
from pipeline.stages.detect.classic.gradients import gradients
from pipeline.stages.detect.classic.null import Null
from pipeline.stages.detect.classic.texture import Texture
from pipeline.stages.detect.predict import Predictor, fit_predictor

BANDS = ("blue", "green", "red", "nir")
SIZE = 120


def ground(seed: int = 0, size: int = SIZE) -> Float:
    """Reflectance (4, y, x): sharp-edged fields of different levels, rough within."""
    rng = np.random.default_rng(seed)
    fields = np.kron(rng.uniform(0.1, 0.5, (size // 12, size // 12)), np.ones((12, 12)))
    rough = ndimage.gaussian_filter(rng.normal(0, 0.12, (size, size)), 1)
    tint = np.array([0.7, 0.85, 1.0, 1.2])[:, None, None]
    return np.asarray((fields + rough) * tint, np.float32)


def later(before: Float, seed: int = 1, noise: float = 0.005) -> Float:
    """The same ground on another day: noise of its own."""
    return (before + np.random.default_rng(seed).normal(0, noise, before.shape)).astype(np.float32)


def fitted(pair: Pair) -> ClassicModel:
    return fit_classic([pair], BANDS, 0.5)


# The predictor


def related(count: int, outliers: float) -> tuple[Float, Float, NDArray[np.bool_]]:
    """Pixels (3, n) of two dates in a quadratic relation, noise 0.002, and which of them are wild."""
    rng = np.random.default_rng(5)
    source = rng.uniform(0.1, 0.6, (3, count))
    a, b, c = source
    target = np.stack([0.02 + 0.9 * a + 0.3 * a * b, 0.8 * b - 0.2 * c**2, 0.1 * a + 0.7 * c + 0.1 * a * c])
    target += rng.normal(0, 0.002, target.shape)
    wild = rng.random(count) < outliers
    target[:, wild] = rng.uniform(0, 1, (3, int(wild.sum())))
    return source.astype(np.float32), target.astype(np.float32), wild


def predicted(predictor: Predictor, source: Float) -> Float:
    return predictor(source[:, None, :])[:, 0]


@pytest.mark.parametrize("outliers", [0.0, 0.2])
def test_a_quadratic_relation_is_found_in_spite_of_outliers(outliers: float) -> None:
    source, target, wild = related(6000, outliers)
    predictor = fit_predictor(source, target)
    off = (predicted(predictor, source) - target)[:, ~wild]
    assert np.abs(off.mean(axis=1)).max() < 2e-4
    np.testing.assert_allclose(off.std(axis=1), 0.002, rtol=0.1)  # nothing is left but the noise
    distance = predictor.distance((predicted(predictor, source) - target)[:, None, :])[0]
    assert 0.7 < np.median(distance[~wild]) < 1.5
    if outliers:
        assert np.quantile(distance[wild], 0.05) > 5 * np.quantile(distance[~wild], 0.99)


def test_few_pixels_are_fitted_with_fewer_terms() -> None:
    source, target, _ = related(100, 0.0)
    predictor = fit_predictor(source, target)
    assert predictor.coefficients.shape == (4, 3)
    assert np.abs(predicted(predictor, source) - target).max() < 0.05


def test_distance_takes_the_noise_of_each_band_and_their_correlation_into_account() -> None:
    rng = np.random.default_rng(2)
    source = rng.uniform(0.1, 0.6, (2, 8000)).astype(np.float32)
    shared, own = rng.normal(0, 0.05, 8000), rng.normal(0, 0.002, (2, 8000))
    predictor = fit_predictor(source, (source + shared + own).astype(np.float32))
    along, across = (np.array([[[0.03]], [[sign * 0.03]]], np.float32) for sign in (1, -1))
    assert predictor.distance(along)[0, 0] < 1  # both bands brighter: as ever in this scene
    assert predictor.distance(across)[0, 0] > 5


def test_a_pixel_that_is_not_observed_stays_alone() -> None:
    source, target, _ = related(6000, 0.0)
    predictor = fit_predictor(source, target)
    image = source.reshape(3, 60, 100).copy()
    whole = predictor(image)
    image[1, 20, 30] = np.nan
    out = predictor(image)
    assert np.isnan(out[:, 20, 30]).all()
    out[:, 20, 30] = whole[:, 20, 30]
    np.testing.assert_array_equal(out, whole)


# The evidence


INSIDE = np.s_[4:-4, 4:-4]  # at the image's own edges a pixel has half as many neighbours to agree with


def test_unchanged_ground_is_no_change() -> None:
    before = ground()
    pair = Pair.of(before, later(before))
    model = fitted(pair)
    assert np.median(model.score(pair)) < 1
    percent = model(pair)[0]
    assert (percent >= 50).mean() < 0.015  # a hundredth is what it states


@pytest.mark.parametrize(("gain", "offset"), [(1.6, 0.0), (0.6, 0.08), (1.0, -0.05)])
def test_another_gain_and_offset_are_no_change(gain: float, offset: float) -> None:
    before = ground()
    after = later(before)
    after[:, 50:62, 70:84] = 0.9
    plain = Pair.of(before, after)
    tuned = Pair.of(before, (gain * after + np.float32(offset)).astype(np.float32))
    percents = [fitted(pair)(pair)[0].astype(int) for pair in (plain, tuned)]
    assert np.mean(np.abs(percents[1] - percents[0]) > 10) < 0.01
    for percent in percents:
        found = percent >= 50
        assert found[50:62, 70:84].mean() > 0.8
        found[44:68, 64:90] = False
        assert not found[INSIDE].any()


def test_half_a_pixel_of_misalignment_is_no_change_but_six_new_pixels_are() -> None:
    before = ground()
    moved = (before + np.roll(before, 1, axis=1)) / 2
    moved = (moved + np.roll(moved, 1, axis=2)) / 2  # half a pixel down and right
    after = later(moved.astype(np.float32), noise=0.003)
    quiet = Pair.of(before, after)
    assert fitted(quiet)(quiet)[0][INSIDE].max() < 50
    after = after.copy()
    after[:, 61:67, 81:87] = np.array([0.75, 0.75, 0.8, 0.8])[:, None, None]
    pair = Pair.of(before, after)
    found = fitted(pair)(pair)[0] >= 50
    assert found[61:67, 81:87].mean() > 0.6
    found[55:73, 75:93] = False
    assert not found[INSIDE].any()


def test_what_is_gone_counts_as_much_as_what_is_new() -> None:
    bare = ground()
    built = bare.copy()
    built[:, 61:71, 81:93] = 0.8
    for before, after in ((bare, built), (built, bare)):
        pair = Pair.of(before, later(after))
        found = fitted(pair)(pair)[0] >= 50
        assert found[61:71, 81:93].mean() > 0.8
        assert found.sum() < 2 * 120


def gappy() -> Pair:
    """Unchanged ground; the after image lacks a part of it, the before image another, in one band only."""
    before, after = ground(), later(ground())
    after[:, 30:50, 40:70] = np.nan
    before[2, 80:90, 20:30] = np.nan
    return Pair.of(before, after)


def test_there_is_no_ring_of_surprise_around_a_gap() -> None:
    pair, whole = gappy(), Pair.of(ground(), later(ground()))
    model = fitted(whole)
    ring = ndimage.binary_dilation(~pair.observed, iterations=4) & pair.observed
    with_gap, without = (model.evidence.surprise(p) for p in (pair, whole))
    assert with_gap[ring].mean() < 1.5 * without[ring].mean()


def test_gaps_do_not_leak() -> None:
    pair, whole = gappy(), Pair.of(ground(), later(ground()))
    model = fitted(pair)
    score = model.score(pair)
    assert np.isfinite(score).all()
    np.testing.assert_array_equal(model(pair)[0] == NOT_OBSERVED, ~pair.observed)
    far = ~ndimage.binary_dilation(~pair.observed, np.ones((3, 3)), iterations=model.reach)
    assert far.sum() > 500
    np.testing.assert_array_equal(model.score(whole)[far], score[far])


def test_a_sample_without_a_common_pixel_is_refused() -> None:
    before = ground()
    after = np.full_like(before, np.nan)
    with pytest.raises(NothingObservedError, match="both dates"):
        fitted(Pair.of(before, after))


@pytest.mark.parametrize("size", [37, 64])
def test_blocks_with_a_halo_of_the_models_reach_equal_the_whole(size: int) -> None:
    before = ground()
    after = later(before)
    after[:, 30:40, 30:45] = 0.9
    after[:, 70:90, 20:30] = np.nan
    pair = Pair.of(before, after)
    model = fitted(pair)
    whole = model.score(pair)

    def joined(halo: int) -> Float:
        out = np.full_like(whole, -1)
        for row in range(0, SIZE, size):
            for col in range(0, SIZE, size):
                top, left = max(0, row - halo), max(0, col - halo)
                part = pair.window(slice(top, row + size + halo), slice(left, col + size + halo))
                inner = (slice(row - top, row - top + size), slice(col - left, col - left + size))
                out[row : row + size, col : col + size] = model.score(part)[inner]
        return out

    np.testing.assert_array_equal(joined(model.reach), whole)
    assert (joined(model.reach // 2) != whole).any()  # or this test would show nothing


def test_restructured_is_one_minus_the_local_correlation() -> None:
    level = np.float32(0.27)
    image, other = ground(0)[1] - level, ground(9)[1] - level
    texture = Texture(level=0.27, flat=1e-8, even=1e-8, contrast=0.1)

    def median(after: Float) -> float:
        return float(np.median(restructured(image, after, 3.0, texture)))

    assert median(image) < 1e-3
    assert median(np.float32(0.5) * image + np.float32(0.2)) < 2e-3  # the same pattern under another light
    assert 0.7 < median(other) <= 1
    assert median(-image) == 1.0
    rough = Texture.of([image, other], 3.0)
    assert restructured(image, image, 3.0, rough).max() < 0.7  # little texture says little


def test_edges_that_run_another_way_are_another_structure() -> None:
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    texture = Texture(level=0.0, flat=1e-6, even=1e-6, contrast=1.0)
    stripes, same, across = np.sin(x / 3), np.sin(x / 3), np.sin(y / 3)
    along, turned = (restructured(stripes, other, 3.0, texture)[INSIDE] for other in (same, across))
    assert along.max() < 1e-3
    assert turned.min() > 0.6


def test_a_roof_and_its_shadow_are_rebuilt_and_a_wide_field_is_not() -> None:
    before = np.zeros((90, 90), np.float32)
    texture = Texture(level=0.0, flat=1e-6, even=1e-6, contrast=0.1)

    def told(value: float, size: int) -> float:
        after = before.copy()
        after[40 - size // 2 : 40 + size // 2, 40 - size // 2 : 40 + size // 2] = value
        return float(rebuilt(before, after, 1.0, (7, 15), texture)[40, 40])

    assert told(0.3, 6) == pytest.approx(3, rel=0.05)  # bright, in standard deviations
    assert told(-0.3, 6) == pytest.approx(3, rel=0.05)  # dark
    assert told(0.3, 12) == pytest.approx(1.5, rel=0.05)  # wider than the smaller square
    assert told(0.3, 40) == 0


def test_texture_is_that_of_what_was_observed() -> None:
    image = ground()[1]
    gappy = image.copy()
    gappy[:, : 2 * SIZE // 3] = np.nan
    whole, part = (Texture.of([each], 3.0) for each in (image, gappy))
    assert part.level == pytest.approx(whole.level, rel=0.15)
    assert part.flat == pytest.approx(whole.flat, rel=0.5)
    assert part.even == pytest.approx(whole.even, rel=0.5)
    assert part.contrast == pytest.approx(whole.contrast, rel=0.3)


def test_the_rim_of_a_change_is_damped_and_nothing_else() -> None:
    score = np.ones((40, 40), np.float32)
    score[10:20, 10:20] = 20
    score[10:20, 20:22] = 5  # what smoothing spreads beyond the edge
    kept = without_halo(score, 1.5)
    np.testing.assert_array_equal(kept[10:20, 10:20], 20)
    np.testing.assert_allclose(kept[10:20, 20:22], 0.5)
    assert (kept[25:, 27:] == 1).all()


def test_grey_is_the_mean_of_what_the_eye_sees() -> None:
    image = np.arange(4, dtype=np.float32)[:, None, None] * np.ones((4, 2, 2), np.float32)
    assert (grey(image, BANDS) == 1).all()  # blue, green and red; not nir
    assert (grey(image[2:], ("nir", "swir16")) == 2.5).all()


# Filters


@pytest.mark.parametrize("sigma", [1.0, 1.5, 3.0])
def test_smooth_is_a_gaussian_mean(sigma: float) -> None:
    image = ground()[0][:60]
    expected = ndimage.gaussian_filter(image, sigma, mode="nearest")
    np.testing.assert_allclose(smooth(image, sigma), expected, atol=1e-6)
    far = image.copy()
    far[30 + reach(sigma) + 1 :] = 5
    np.testing.assert_array_equal(smooth(far, sigma)[:31], smooth(image, sigma)[:31])


@pytest.mark.parametrize("size", [1, 3, 9, 15])
def test_lowest_and_highest_of_a_square(size: int) -> None:
    image = ground()[0][:60]
    np.testing.assert_array_equal(lowest(image, size), ndimage.minimum_filter(image, size, mode="nearest"))
    np.testing.assert_array_equal(highest(image, size), ndimage.maximum_filter(image, size, mode="nearest"))


def test_gradients_of_planes() -> None:
    y, x = np.mgrid[:20, :30].astype(np.float32)
    both, first, second = (part[1:-1, 1:-1] for part in gradients(3 * y + 4 * x, 2 * y - x))
    np.testing.assert_allclose(first, 25, rtol=1e-5)
    np.testing.assert_allclose(second, 5, rtol=1e-5)
    np.testing.assert_allclose(both, 2, rtol=1e-5)


# The null


@pytest.mark.parametrize("changed", [0.0, 0.03])
def test_the_stated_share_of_unchanged_pixels_is_above_the_line(changed: float) -> None:
    rng = np.random.default_rng(0)
    still = rng.lognormal(-0.4, 0.6, 200_000)
    new = rng.lognormal(1.8, 0.5, round(changed * 200_000))
    for share in (0.003, 0.01, 0.05):
        null = Null.of(np.concatenate([still, new]).astype(np.float32), share)
        above = np.mean(still > null.even)
        assert above < 1.2 * share  # what changed draws the line upwards, if anything
        assert above > (0.8 if not changed else 0.3) * share


def test_probability_rises_with_the_score_through_a_half() -> None:
    null = Null(mean=-0.3, spread=0.6)
    scores = np.array([0, 1e-9, 0.5, 1, 2, null.even, 5, 10, 1e6], np.float32)
    chance = null.probability(np.sort(scores))
    assert chance.dtype == np.float32
    assert (np.diff(chance) >= 0).all()
    assert chance[0] < 0.001
    assert chance[-1] > 0.999
    assert null.probability(np.array([null.even], np.float32))[0] == pytest.approx(0.5, abs=1e-5)
    assert null.probability(np.array([np.exp(null.mean)], np.float32))[0] < 0.01


def test_the_detector_states_its_false_alarms() -> None:
    before = ground()
    pair = Pair.of(before, later(before))
    told = fitted(pair).as_dict()
    assert told["name"] == "classic"
    assert told["false_alarm_rate"] == 0.01
    assert {"even", "slope", "scales_px"} <= told.keys()
