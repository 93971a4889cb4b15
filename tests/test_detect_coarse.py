"""The learned detector of coarse images: what it finds, what it leaves alone, and that blocks join."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.errors import NothingObservedError
from pipeline.pair import Pair
from pipeline.simulate.pair import PairStyle, made_pair
from pipeline.stages.detect import NOT_OBSERVED
from pipeline.stages.detect.coarse import fit_coarse, maps, windows
from pipeline.stages.detect.coarse.measure import measure
from pipeline.stages.detect.coarse.model import MODELS, model_for, shipped
from pipeline.stages.detect.coarse.scene import BANDS
from pipeline.stages.detect.coarse.trees import Trees

FOUR = ("blue", "green", "red", "nir")


def ground(seed: int = 0, size: int = 160, bands: int = 4, noise: float = 0.004) -> tuple[Pair, np.ndarray]:
    """A patchy plain seen twice, the second time with a bright square of 12 pixels; and where that is."""
    rng = np.random.default_rng(seed)
    coarse = np.kron(rng.normal(0, 1, (size // 8, size // 8)), np.ones((8, 8)))
    base = 0.15 + 0.03 * coarse[None] + 0.02 * np.arange(bands)[:, None, None]
    dates = [(base + rng.normal(0, noise, base.shape)).astype(np.float32) for _ in range(2)]
    built = np.zeros((size, size), bool)
    built[70:82, 90:102] = True
    dates[1][:, built] = np.float32(0.42) + rng.normal(0, 0.02, (bands, int(built.sum()))).astype(np.float32)
    return Pair.of(dates[0], (1.1 * dates[1] + 0.01).astype(np.float32)), built


def test_finds_what_was_built_and_little_else() -> None:
    pair, built = ground()
    percent = fit_coarse([pair], FOUR, 10.0)(pair)[0]
    assert (percent[72:80, 92:100] >= 50).mean() > 0.9
    near = np.zeros_like(built)
    near[64:88, 84:108] = True
    assert (percent[~near] >= 50).sum() == 0


@pytest.mark.parametrize("bands", [BANDS, FOUR, FOUR[:3], ("pan",)])
def test_every_set_of_bands_has_a_model(bands: tuple[str, ...]) -> None:
    pair, built = ground(bands=len(bands))
    percent = fit_coarse([pair], bands, 10.0)(pair)
    assert percent.shape == (1, 160, 160)
    assert percent[0][built].mean() > percent[0][~built].mean() + 20


def test_bands_may_come_in_any_order() -> None:
    pair, _ = ground()
    turned = Pair(pair.before[::-1].copy(), pair.after[::-1].copy(), pair.observed)
    one, two = fit_coarse([pair], FOUR, 10.0)(pair), fit_coarse([turned], FOUR[::-1], 10.0)(turned)
    np.testing.assert_array_equal(one, two)


def test_nothing_is_found_where_nothing_was_built() -> None:
    made = made_pair(900_777, 192, 10.0, PairStyle(works=(), shift_px=(0.1, -0.1), warp_px=0.0))
    pair = Pair.of(made.before.image, made.after.image)
    percent = fit_coarse([pair], made.before.bands, 10.0)(pair)[0]
    assert (percent >= 50).mean() < 0.0005


def test_blocks_join_without_a_seam() -> None:
    pair, _ = ground(3)
    pair.before[:, 20:30, 40:60] = np.nan
    pair = Pair.of(pair.before, pair.after)
    detector = fit_coarse([pair], FOUR, 10.0)
    whole, reach = detector(pair), detector.reach
    for row, col, side in ((0, 0, 70), (37, 51, 64), (81, 60, 79), (1, 101, 59)):
        rows, cols = (
            slice(max(0, row - reach), row + side + reach),
            slice(max(0, col - reach), col + side + reach),
        )
        part = detector(pair.window(rows, cols), (rows.start, cols.start))
        inner = part[:, row - rows.start :, col - cols.start :][:, :side, :side]
        np.testing.assert_array_equal(inner, whole[:, row : row + side, col : col + side])


def test_what_was_not_observed_is_said_so() -> None:
    pair, _ = ground()
    pair.after[:, :40] = np.nan
    pair = Pair.of(pair.before, pair.after)
    percent = fit_coarse([pair], FOUR, 10.0)(pair)[0]
    assert (percent[:40] == NOT_OBSERVED).all()
    assert (percent[40:] <= 100).all()
    blind = replace(pair, observed=np.zeros_like(pair.observed))
    with pytest.raises(NothingObservedError):
        fit_coarse([blind], FOUR, 10.0)
    assert (fit_coarse([pair], FOUR, 10.0)(blind) == NOT_OBSERVED).all()


def test_flat_and_identical_images_have_no_change() -> None:
    flat = np.full((4, 80, 80), 0.2, np.float32)
    percent = fit_coarse([Pair.of(flat, flat.copy())], FOUR, 10.0)(Pair.of(flat, flat.copy()))
    assert percent.max() < 50
    pair, _ = ground()
    same = Pair.of(pair.before, pair.before.copy())
    assert fit_coarse([same], FOUR, 10.0)(same).max() < 50


def test_means_over_windows_are_those_of_the_maps() -> None:
    pair, _ = ground()
    scene = measure([pair], FOUR)
    whole = maps.maps(pair, scene)
    rows, cols = np.array([0, 75, 159]), np.array([3, 95, 159])
    columns = windows.evidence(whole, windows.totals(whole), rows, cols, scene.scales)
    place = maps.MAPS.index("rarity")
    for side in (3, 9, 33):
        r = side // 2
        parts = [
            whole[max(0, y - r) : y + r + 1, max(0, x - r) : x + r + 1, place].mean() / maps.UNIT
            for y, x in zip(rows, cols, strict=True)
        ]
        column = windows.names().index(f"rarity at {side}")
        np.testing.assert_allclose(columns[:, column], parts, rtol=1e-5)


def test_sums_stay_right_when_they_run_over() -> None:
    whole = np.full((300, 300, 33), 16 * 1024, np.int32)
    whole[..., -1] = 1
    sums = windows.totals(whole)
    columns = windows.evidence(whole, sums, np.array([290]), np.array([290]), np.zeros((0, 13), np.float32))
    assert columns[0, windows.names().index("rarity at 17")] == 16.0


def test_trees_go_left_up_to_the_limit() -> None:
    trees = Trees(
        np.array([0, 3], np.int32),
        np.array([1, -1, -1, -1], np.int16),
        np.array([0.5, -1.0, 2.0, 0.25], np.float32),
        np.array([1, 0, 0, 0], np.int16),
        np.array([2, 0, 0, 0], np.int16),
    )
    columns = np.array([[9.0, 0.5], [9.0, 0.6]], np.float32)
    np.testing.assert_array_equal(trees(columns), np.array([-0.75, 2.25], np.float32))
    np.testing.assert_array_equal(trees(columns, 0, 1), np.array([-1.0, 2.0], np.float32))


def test_model_for_bands() -> None:
    assert model_for(("swir22", "swir16", *FOUR)) == "six"
    assert model_for((*FOUR, "rededge")) == "four"
    assert model_for(("red", "green", "blue")) == "three"
    assert model_for(("pan",)) == "one"
    assert all(len(shipped(name).trees.roots) > 10 for name in MODELS)


def test_trees_are_grown_the_same_twice_and_say_what_lightgbm_says() -> None:
    lightgbm = pytest.importorskip("lightgbm")
    from pipeline.train.coarse.grow import SETTINGS, grow, pack

    rng = np.random.default_rng(0)
    columns = rng.normal(size=(3000, 8)).astype(np.float32)
    target = (columns[:, 0] + columns[:, 1] ** 2 > 1).astype(np.float32)
    weight = np.ones(3000, np.float32)
    one, two = (grow(columns, target, weight, 80, seed=3) for _ in range(2))
    np.testing.assert_array_equal(one(columns), two(columns))
    assert ((one(columns) > 0) == (target > 0)).mean() > 0.8
    model = lightgbm.train(SETTINGS, lightgbm.Dataset(columns, target), 10)
    packed = pack([tree["tree_structure"] for tree in model.dump_model()["tree_info"]])
    np.testing.assert_allclose(packed(columns), model.predict(columns, raw_score=True), atol=1e-5)


def test_rows_to_train_on_are_from_both_sides_and_weighed() -> None:
    from pipeline.train.coarse.labelled import Labelled
    from pipeline.train.coarse.table import table

    pair, built = ground()
    rows = table([Labelled("a", pair, FOUR, built), Labelled("b", pair, FOUR, built, 0.5)], FOUR, seed=1)
    assert set(np.unique(rows.target)) == {0.0, 1.0}
    assert np.isfinite(rows.columns).all()
    sums = [rows.weight[rows.scene == i].sum() for i in (0, 1)]
    assert sums[1] == pytest.approx(0.5 * sums[0], rel=0.1)
    assert set(rows.without([0]).scene) == {1}
