"""The learned detector: what networks are shown, tiles whatever the blocks, and layers that add up."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import onnx_models
import pytest
from numpy.typing import NDArray
from onnx import helper

from pipeline.errors import BandError, ModelError, NothingObservedError
from pipeline.pair import Float, Pair
from pipeline.stages.detect import Detect, Detector
from pipeline.stages.detect.detector import KINDS, LAYERS, NOT_OBSERVED
from pipeline.stages.detect.learned import LearnedModel, fit_networks, open_network
from pipeline.stages.detect.learned.inputs import LIMIT, Standard, halved, nearest_bands, pair_input
from pipeline.stages.detect.learned.looks import Looks, averaged
from pipeline.stages.detect.learned.metadata import Metadata
from pipeline.stages.detect.learned.outputs import doubled, probabilities
from pipeline.stages.detect.learned.screen import difference

BANDS = ("blue", "green", "red", "nir")


def scene(height: int = 150, width: int = 190, seed: int = 0) -> Pair:
    """Noise on both dates, with a gap."""
    rng = np.random.default_rng(seed)
    before, after = rng.normal(0.3, 0.1, (2, 4, height, width)).astype(np.float32)
    after[:, 60:75, 100:140] = np.nan
    return Pair.of(before, after)


def learned(path: Path, pair: Pair, resolution: float = 0.5, looks: Looks = 1) -> LearnedModel:
    return fit_networks((open_network(str(path)),), [pair], BANDS, resolution, looks=looks)


# What the network is shown


def test_a_date_is_standardised_by_its_median_and_one_spread_for_all_bands() -> None:
    rng = np.random.default_rng(0)
    image = rng.normal([[[0.2]], [[0.4]], [[0.6]]], 0.05, (3, 200, 200)).astype(np.float32)
    image[:, :3, :3] = np.nan
    image[:, 5, 5] = 9
    standard = Standard.of(image)
    np.testing.assert_allclose(standard.median, (0.2, 0.4, 0.6), atol=0.002)
    assert standard.spread == pytest.approx(0.05, rel=0.02)
    shown = standard(image)
    assert shown.dtype == np.float32
    assert (shown[:, :3, :3] == 0).all()
    assert (shown[:, 5, 5] == LIMIT).all()
    assert np.std(shown[:, 10:]) == pytest.approx(1, rel=0.02)
    tuned = np.float32(700) * image + np.float32(30)
    np.testing.assert_allclose(Standard.of(tuned)(tuned), shown, atol=1e-3)


def test_colours_keep() -> None:
    rng = np.random.default_rng(0)
    image = rng.normal(0, 1, (3, 100, 100)) * np.array([1, 2, 4])[:, None, None]
    shown = Standard.of(image.astype(np.float32))(image.astype(np.float32))
    assert shown[1].std() / shown[0].std() == pytest.approx(2, rel=0.05)


def test_a_scene_of_one_colour_and_one_of_nothing_have_a_spread_too() -> None:
    even = np.full((3, 50, 50), 0.3, np.float32)
    assert np.isfinite(Standard.of(even)(even)).all()
    even[:, :10] = 1  # less than half of it is another
    assert np.abs(Standard.of(even)(even)).max() <= LIMIT
    assert Standard.of(even).spread > 0.05
    assert Standard.of(np.full((3, 5, 5), np.nan, np.float32)) == Standard((0.0, 0.0, 0.0), 1.0)


@pytest.mark.parametrize(
    ("bands", "expected"),
    [
        (BANDS, (2, 1, 0)),
        (("red", "green", "blue"), (0, 1, 2)),
        (("pan",), (0, 0, 0)),
        (("green", "red", "nir"), (1, 0, 0)),
        (("coastal", "yellow", "nir"), (1, 1, 0)),
        (("nir", "swir16"), (0, 0, 0)),
    ],
)
def test_red_green_and_blue_or_what_is_nearest(bands: tuple[str, ...], expected: tuple[int, ...]) -> None:
    assert nearest_bands(bands) == expected


def test_a_band_that_nothing_stands_for_is_asked_for_by_name() -> None:
    assert nearest_bands(BANDS, ("nir", "red")) == (3, 2)
    with pytest.raises(BandError, match=r"swir16.*blue, green, red, nir"):
        nearest_bands(BANDS, ("red", "swir16"))


def test_before_comes_first() -> None:
    before, after = np.zeros((3, 16, 16), np.float32), np.ones((3, 16, 16), np.float32)
    unit = Standard((0.0, 0.0, 0.0), 1.0)
    shown = pair_input(before, after, (unit, unit))
    assert shown.shape == (6, 16, 16)
    assert (shown[:3] == 0).all()
    assert (shown[3:] == 1).all()


def test_halved_is_the_mean_of_squares_and_doubled_turns_a_plane_back() -> None:
    y, x = np.mgrid[:16, :20].astype(np.float32)
    plane = (2 * y + 3 * x)[None]
    small = halved(plane)
    np.testing.assert_allclose(small, plane.reshape(1, 8, 2, 10, 2).mean(axis=(2, 4)))
    np.testing.assert_allclose(doubled(small)[:, 1:-1, 1:-1], plane[:, 1:-1, 1:-1], atol=1e-4)
    gappy = plane.copy()
    gappy[0, 3, 3] = np.nan
    assert np.isnan(halved(gappy)).sum() == 1


# What becomes of its output


def test_eight_channels_become_layers_whose_kinds_sum_to_change() -> None:
    logits = np.random.default_rng(0).normal(0, 2, (8, 5, 7)).astype(np.float32)
    layers = dict(zip(LAYERS, probabilities(logits, Metadata()), strict=True))
    np.testing.assert_allclose(sum(layers[kind] for kind in KINDS), layers["change"], atol=1e-6)
    each = np.exp(logits[:6]) / np.exp(logits[:6]).sum(axis=0)
    np.testing.assert_allclose(layers["change"], 1 - each[0], atol=1e-6)
    np.testing.assert_allclose(layers["road"], each[2], atol=1e-6)
    np.testing.assert_allclose(layers["removed"], 1 / (1 + np.exp(-logits[6])), atol=1e-6)
    np.testing.assert_allclose(layers["standing"], 1 / (1 + np.exp(-logits[7])), atol=1e-6)


def test_one_channel_and_two_are_change() -> None:
    logit = np.array([[[-3.0, 0.0, 2.0]]], np.float32)
    expected = 1 / (1 + np.exp(-logit))
    np.testing.assert_allclose(probabilities(logit, Metadata()), expected, atol=1e-6)
    two = np.concatenate([logit * 0 + 1, logit + 1])
    np.testing.assert_allclose(probabilities(two, Metadata()), expected, atol=1e-6)
    chance = np.array([[[-0.1, 0.3, 1.2]]], np.float32)
    told = probabilities(chance, Metadata(output="probability"))
    np.testing.assert_allclose(told, [[[0, 0.3, 1]]], atol=1e-6)


def test_bias_and_temperature_calibrate() -> None:
    logit = np.array([[[2.0]]], np.float32)
    told = probabilities(logit, Metadata(bias=(-1.0,), temperature=2.0))
    assert told[0, 0, 0] == pytest.approx(1 / (1 + np.exp(-0.5)))
    each = Metadata(temperature=(1.0,) * 6 + (4.0, 1.0))
    removed = probabilities(np.full((8, 1, 1), 2, np.float32), each)[1]
    assert removed[0, 0] == pytest.approx(1 / (1 + np.exp(-0.5)))


# Blocks


def cut(model: LearnedModel, pair: Pair, size: int, halo: int) -> NDArray[np.uint8]:
    """As the pipeline does: blocks of whole tiles, each with a halo that ends where the image ends."""
    size = -(-size // model.tile) * model.tile
    height, width = pair.observed.shape
    out = np.full((len(model.layers), height, width), 77, np.uint8)
    for row in range(0, height, size):
        for col in range(0, width, size):
            top, left = max(0, row - halo), max(0, col - halo)
            part = pair.window(slice(top, row + size + halo), slice(left, col + size + halo))
            inner = (slice(row - top, row - top + size), slice(col - left, col - left + size))
            out[:, row : row + size, col : col + size] = model(part, (top, left))[:, *inner]
    return out


@pytest.mark.parametrize("resolution", [0.5, 0.3])
@pytest.mark.parametrize("fixed", [False, True])
def test_any_blocks_give_the_same_bytes(tmp_path: Path, resolution: float, fixed: bool) -> None:
    pair = scene()
    path = onnx_models.convolution(
        tmp_path / "n.onnx", metadata={"tile": 32, "overlap": 32}, size=96 if fixed else None
    )
    model = learned(path, pair, resolution)
    assert model.tile == (64 if resolution < 0.4 else 32)
    assert model.reach == model.tile
    whole = model(pair)
    assert whole.shape == (8, *pair.observed.shape)
    np.testing.assert_array_equal(whole == NOT_OBSERVED, np.broadcast_to(~pair.observed, whole.shape))
    assert len(np.unique(whole[0])) > 50
    for size in (32, 64, 100):
        np.testing.assert_array_equal(cut(model, pair, size, model.reach), whole)
    assert (cut(model, pair, 64, 0) != whole).any()  # or this test would show nothing


def test_tiles_join_without_a_seam_where_the_overlap_is_what_the_network_sees(tmp_path: Path) -> None:
    pair = scene()
    small, large = (
        learned(
            onnx_models.convolution(tmp_path / f"{tile}.onnx", metadata={"tile": tile, "overlap": 32}), pair
        )(pair)
        for tile in (32, 256)
    )
    np.testing.assert_allclose(small.astype(int), large.astype(int), atol=1)


def test_a_model_means_the_same_in_another_process(tmp_path: Path) -> None:
    pair = scene()
    model = learned(onnx_models.convolution(tmp_path / "n.onnx"), pair)
    packed = pickle.dumps(model)
    assert len(packed) < 5000
    np.testing.assert_array_equal(pickle.loads(packed)(pair), model(pair))


def test_a_tile_where_both_dates_are_alike_is_not_run(tmp_path: Path) -> None:
    pair = scene()
    alike = pair.before.copy()
    alike[:, 32:64, 32:64] = pair.after[:, 32:64, 32:64]
    tile = {"tile": 32, "overlap": 0}
    path = onnx_models.convolution(tmp_path / "n.onnx", metadata=tile | {"screen": 0.5})
    every = onnx_models.convolution(tmp_path / "every.onnx", metadata=tile)
    still = Pair.of(pair.before, alike)
    screened, run = (learned(p, pair)(still) for p in (path, every))
    inside = np.s_[:, 32:64, 32:64]
    np.testing.assert_array_equal(screened[inside], run[inside])
    assert run[:, 100:].any()
    screened[inside] = 0
    assert not screened.any()


def test_the_screen_tells_the_strongest_difference_of_small_cells() -> None:
    pair = np.random.default_rng(0).normal(0, 1, (3, 64, 64)).astype(np.float32)
    both = np.concatenate([pair, pair])
    assert difference(both) == 0
    both[3:, 16:24, 40:48] += 0.7
    assert difference(both) == pytest.approx(0.7, rel=1e-5)


@pytest.mark.parametrize("looks", [1, 2, 4, 8])
def test_looks_are_turned_back(looks: Looks) -> None:
    pair = np.random.default_rng(0).normal(0, 1, (6, 32, 48)).astype(np.float32)

    def upright(shown: Float) -> Float:  # knows nothing of directions: each look says the same
        return shown[:2] * 2

    def rightmost(shown: Float) -> Float:
        out = np.zeros_like(shown[:1])
        out[:, :, -1] = 1
        return out

    np.testing.assert_allclose(averaged([upright], [np.array], pair, looks), pair[:2] * 2, rtol=1e-6)
    told = averaged([rightmost], [np.array], pair, looks)[0]
    assert told[16, -1] == pytest.approx({1: 1, 2: 0.5, 4: 0.5, 8: 0.25}[looks])
    assert told[16, 0] == pytest.approx({1: 0, 2: 0.5, 4: 0.5, 8: 0.25}[looks])
    assert told[0, 20] == pytest.approx(0.25 if looks == 8 else 0)


def test_nothing_observed_is_refused(tmp_path: Path) -> None:
    pair = scene()
    unseen = Pair.of(pair.before, np.full_like(pair.after, np.nan))
    with pytest.raises(NothingObservedError, match="both dates"):
        learned(onnx_models.convolution(tmp_path / "n.onnx"), unseen)


# A user's model


def detector(path: Path, pair: Pair) -> Detector:
    return Detect(f"onnx:{path}").fit([pair], BANDS, 0.5)


def test_a_users_model_of_two_inputs_and_one_channel(tmp_path: Path) -> None:
    pair = scene()
    path = onnx_models.difference(tmp_path / "d.onnx", {"scaling": "none", "card": {"f1": 0.5}})
    found = detector(path, pair)
    assert (found.name, found.layers) == ("onnx", ("change",))
    means = (image[:3].mean(axis=0) for image in (pair.before, pair.after))
    before, after = means
    expected = np.rint(100 / (1 + np.exp(-3 * (after - before))))
    seen = pair.observed
    np.testing.assert_allclose(found(pair)[0][seen].astype(int), expected[seen], atol=1)
    (told,) = found.as_dict()["models"]
    assert told["file"] == str(path)
    assert told["card"] == {"f1": 0.5}
    assert len(told["sha256"]) == 64


def test_two_networks_take_turns(tmp_path: Path) -> None:
    pair = scene()
    before, after = (
        open_network(
            str(onnx_models.difference(tmp_path / f"{sign}.onnx", {"scaling": "none", "bias": [sign]}))
        )
        for sign in (2.0, -2.0)
    )
    alone, other, both = (
        fit_networks(some, [pair], BANDS, 1.0, looks=2)(pair)[0][pair.observed].astype(float)
        for some in ((before,), (after,), (before, after))
    )
    asked = alone >= 10  # elsewhere the first look stands
    np.testing.assert_allclose(both[asked], (alone + other)[asked] / 2, atol=1)
    assert asked.mean() > 0.5
    assert np.abs(alone - other).mean() > 10


def write_text(path: Path) -> Path:
    path.write_text("not a model")
    return path


def turned(path: Path) -> Path:
    nodes = [helper.make_node("Transpose", ["pair"], ["logits"], perm=[0, 3, 1, 2])]
    return onnx_models.save(path, nodes, {}, {"pair": ["b", "h", "w", 6]}, ["b", 6, "h", "w"])


def shrinking(path: Path) -> Path:
    nodes = [helper.make_node("MaxPool", ["pair"], ["logits"], kernel_shape=[2, 2], strides=[2, 2])]
    shapes: tuple[list[Any], list[Any]] = ["b", 2, "h", "w"], ["b", 2, "i", "j"]
    return onnx_models.save(path, nodes, {}, {"pair": shapes[0]}, shapes[1], {"bands": ["red"]})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path, "no such model"),
        (write_text, "no ONNX model"),
        (turned, "fixed to w x 6"),
        (shrinking, "keep them"),
        (lambda path: onnx_models.convolution(path, channels=3), r"output.*\(batch, C, H, W\)"),
        (lambda path: onnx_models.convolution(path, planes=8), r"\(batch, 6, H, W\)"),
        (lambda path: onnx_models.convolution(path, size=100), "fixed to 100 x 100"),
        (lambda path: onnx_models.convolution(path, metadata="{"), "metadata"),
        (lambda path: onnx_models.convolution(path, metadata={"tiles": 3}), "tiles"),
        (lambda path: onnx_models.convolution(path, metadata={"tile": 100}), "multiple of 32"),
        (lambda path: onnx_models.convolution(path, metadata={"bias": [1, 2]}), "2 numbers for 8 channels"),
    ],
)  # fmt: skip
def test_what_is_no_model_is_said_in_one_line(tmp_path: Path, make: Any, message: str) -> None:
    pair, path = scene(), make(tmp_path / "model.onnx")
    with pytest.raises(ModelError, match=message) as told:
        detector(path, pair)(pair)
    assert "\n" not in str(told.value)
    assert str(tmp_path / "model.onnx") in str(told.value)


def test_a_result_follows_from_the_models_contents(tmp_path: Path) -> None:
    path = onnx_models.convolution(tmp_path / "n.onnx")
    first, none = Detect(f"onnx:{path}").checksums(), Detect("classic").checksums()
    assert first.keys() - none.keys() == {"n.onnx"}
    onnx_models.convolution(path, seed=4)
    assert Detect(f"onnx:{path}").checksums() != first
    assert Detect(f"onnx:{tmp_path}/none.onnx").checksums() == none
