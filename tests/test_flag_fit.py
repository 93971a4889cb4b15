"""How sure: what is fitted on examples is right as often as it says, and the limits do what they say."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from imagery import grid
from scipy import ndimage

from benchmarks.examples import Example
from benchmarks.fit_layers import USED, judged
from benchmarks.fit_sure import fit, fit_kind
from benchmarks.networks import calibration_error, probabilities
from pipeline.pair import Mask, Pair
from pipeline.stages.detect.detector import KINDS, LAYERS
from pipeline.stages.flag import Flag
from pipeline.stages.flag.layers import ArrayLayers
from pipeline.stages.flag.network import FINDING, NOTHING, Network
from pipeline.stages.flag.stats import names

SIZE = 200


def example(seed: int) -> Example:
    """Sixteen blobs, some of them real: those mostly likelier, larger and of one kind."""
    rng = np.random.default_rng(seed)
    stack = {name: np.zeros((SIZE, SIZE), np.float32) for name in LAYERS}
    truth: dict[str, Mask] = {kind: np.zeros((SIZE, SIZE), bool) for kind in KINDS}
    for row in range(5, SIZE - 45, 45):
        for col in range(5, SIZE - 45, 45):
            real, kind = rng.random() < 0.5, KINDS[rng.integers(4)]
            side, level = rng.integers(8, 26), rng.normal(80 if real else 62, 10)
            box = slice(row, row + side), slice(col, col + rng.integers(8, 26))
            purity = rng.uniform(0.7, 1) if real else rng.uniform(0.4, 1)
            stack[kind][box] = level * purity
            stack[KINDS[rng.integers(4)]][box] += level * (1 - purity)
            truth[kind][box] = real
    soft = {name: ndimage.gaussian_filter(layer, 1.2) for name, layer in stack.items()}
    soft["change"] = np.sum([soft[kind] for kind in KINDS], axis=0)
    percent = np.stack([np.clip(soft[name], 0, 100).astype(np.uint8) for name in LAYERS])
    nothing = np.zeros((3, SIZE, SIZE), np.float32)
    unknown = np.zeros((SIZE, SIZE), bool)
    box_ = grid(SIZE, SIZE, size=0.5)
    return Example(
        ArrayLayers(LAYERS, percent), Pair.of(nothing, nothing), ("red",) * 3, truth, unknown, box_, str(seed)
    )


def test_what_is_fitted_is_right_as_often_as_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    seen = judged(map(example, range(30)), "change")
    assert 0.4 < seen.real.mean() < 0.65
    model = fit(seen, USED)
    assert "expected calibration error" in capsys.readouterr().out
    fresh = judged(map(example, range(100, 130)), "change")
    classes, chance = probabilities(model, fresh.vectors, names())
    sure = chance[:, classes.index(FINDING)]
    assert calibration_error(sure, fresh.real, 5) < 0.09
    assert ((sure > 0.5) == fresh.real).mean() > 0.72
    assert len(judged(map(example, range(2)), "removed").real) == 0
    kind = fit_kind(seen, USED)
    classes, chance = probabilities(kind, fresh.vectors, names())
    told = np.array(classes)[chance.argmax(axis=1)]
    assert (told == np.array(fresh.kinds))[fresh.real].mean() > 0.85


def test_what_nobody_knows_is_not_fitted_on() -> None:
    one = example(1)
    all_of_them = judged([one], "change")
    left = one.unknown.copy()
    left[:, : SIZE // 2] = True
    fewer = judged([one._replace(unknown=left)], "change")
    assert 0 < len(fewer.real) < len(all_of_them.real)


def known(confidence: float) -> dict[str, Network]:
    """Models that are as sure of everything."""
    logit = float(np.log(confidence / (1 - confidence)))
    sure = Network((FINDING, NOTHING), ("mean",), np.zeros(1), np.ones(1), (np.array([[logit, 0], [0, 0]]),))
    return {"new": sure, "removed": sure}


def pieces(count: int) -> ArrayLayers:
    stack = np.zeros((len(LAYERS), 400, 400), np.uint8)
    for i in range(count):
        row, col = 10 + 38 * (i // 10), 10 + 38 * (i % 10)
        stack[LAYERS.index("change"), row : row + 14, col : col + 14] = 80
        stack[LAYERS.index("clearing"), row : row + 14, col : col + 14] = 80
    return ArrayLayers(LAYERS, stack)


def unread(rows: slice, cols: slice) -> Pair:
    raise AssertionError


def counted(stage: Flag, layers: ArrayLayers) -> int:
    return len(stage(layers, unread, grid(400, 400, size=0.5), ("red",)).findings)


def test_limits_are_kept_where_confidence_is_calibrated(monkeypatch: pytest.MonkeyPatch) -> None:
    km2, layers = 0.04, pieces(40)
    for confidence in (0.6, 0.8, 0.95):
        monkeypatch.setattr("pipeline.stages.flag.known.networks", lambda _, sure=confidence: known(sure))
        assert counted(Flag(min_confidence=confidence - 0.01, max_false_per_km2=1e6), layers) == 40
        assert counted(Flag(min_confidence=confidence + 0.01, max_false_per_km2=1e6), layers) == 0
        for allowed in (2.0, 4.5):
            stage = Flag(min_confidence=0.5, max_false_per_km2=allowed / km2)
            expected = int(allowed / (1 - confidence) + 1e-9)
            assert counted(stage, layers) == pytest.approx(min(expected, 40), abs=1)


def findings() -> Iterator[tuple[float, bool]]:
    model = fit(judged(map(example, range(30)), "change"), USED)
    network = Network.from_json(model)
    for seed in range(200, 230):
        one = example(seed)
        for each, real in zip(*_objects(one), strict=True):
            yield network(each)[FINDING], real


def _objects(one: Example) -> tuple[list[dict[str, float]], list[bool]]:
    seen = judged([one], "change")
    return [dict(zip(names(), vector.tolist(), strict=True)) for vector in seen.vectors], seen.real.tolist()


def test_of_findings_above_a_confidence_as_many_are_real() -> None:
    told = list(findings())
    for least in (0.5, 0.8):
        kept = [(sure, real) for sure, real in told if sure >= least]
        said, came_true = np.mean([sure for sure, _ in kept]), np.mean([real for _, real in kept])
        assert came_true == pytest.approx(said, abs=0.07)
        assert came_true >= least
