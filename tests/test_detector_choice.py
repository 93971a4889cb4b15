"""Which detector `auto` takes, and that every one of them keeps to the interface."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pytest
from scipy import ndimage

from pipeline.pair import Pair
from pipeline.stages.detect import Detect
from pipeline.stages.detect.choice import FINE, chosen, known
from pipeline.stages.detect.detector import CHANGE, LAYERS, NOT_OBSERVED
from pipeline.stages.detect.learned.network import SHIPPED, open_network, shipped

BANDS = ("blue", "green", "red", "nir")
needs_fine = pytest.mark.skipif(not shipped(FINE), reason="the weights for fine images are not there")


def scene(size: int = 130) -> Pair:
    """Rough ground, one new roof, one gap."""
    rng = np.random.default_rng(0)
    ground = ndimage.gaussian_filter(rng.normal(0.3, 0.2, (4, size, size)), (0, 1.5, 1.5)).astype(np.float32)
    after = (ground + rng.normal(0, 0.005, ground.shape)).astype(np.float32)
    after[:, 40:60, 50:75] = 0.8
    after[:, 90:100, 20:40] = np.nan
    return Pair.of(ground, after)


@pytest.mark.parametrize("resolution", [5.0, 10.0, 30.0])
@pytest.mark.parametrize("bands", [BANDS, ("red", "green", "blue"), ("pan",), (*BANDS, "swir16", "swir22")])
def test_coarse_images_are_for_what_has_learned_them(bands: tuple[str, ...], resolution: float) -> None:
    assert chosen("auto", bands, resolution) == "learned"


@needs_fine
@pytest.mark.parametrize(
    ("bands", "resolution", "name"),
    [
        (BANDS, 0.5, "learned"),
        (("red", "green", "blue"), 3.0, "learned"),
        (("pan",), 0.3, "learned"),
        (("nir", "swir16"), 0.5, "classic"),
        (BANDS, 4.5, "classic"),
    ],
)
def test_fine_images_are_for_the_network_where_it_has_seen_such(
    bands: tuple[str, ...], resolution: float, name: str
) -> None:
    assert chosen("auto", bands, resolution) == name
    assert chosen("classic", bands, resolution) == "classic"


@needs_fine
def test_the_shipped_network_has_every_layer_and_is_small() -> None:
    network = open_network(SHIPPED + FINE)
    assert network.layers == LAYERS
    assert network.size is None


@pytest.mark.parametrize(
    ("detector", "resolution"),
    [("classic", 0.5), ("classic", 10.0), ("learned", 10.0), pytest.param("learned", 0.5, marks=needs_fine)],
)
def test_every_detector_keeps_to_the_interface(detector: str, resolution: float) -> None:
    pair = scene()
    found = Detect(detector).fit([pair], BANDS, resolution)
    assert found.name == detector
    assert found.layers[0] == CHANGE
    assert set(found.layers) <= set(LAYERS)
    assert found.reach >= 0
    assert found.tile >= 1
    layers = found(pair)
    assert (layers.shape, layers.dtype) == ((len(found.layers), *pair.observed.shape), np.uint8)
    assert ((layers == NOT_OBSERVED) == ~pair.observed).all()
    assert layers[:, pair.observed].max() <= 100
    assert found.as_dict()["name"] == detector
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(found))(pair), layers)


def test_settings_refuse_what_is_no_detector() -> None:
    assert known("onnx:a.onnx") == "onnx:a.onnx"
    with pytest.raises(ValueError, match="is learned meant"):
        Detect("lerned")
    judging = {"stages/flag/weights.json"}  # what is found is judged by them, whatever found it
    assert dataclasses.replace(Detect(), detector="classic").checksums().keys() == judging
    assert Detect().checksums().keys() > judging
