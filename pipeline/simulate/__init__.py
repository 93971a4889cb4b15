"""Made scenes with exact truth: a small renderer of arid ground, what is built on it, light, air and sensor.

    before, after, truth, shift = made_pair(seed=1, size=256, resolution=0.5)  # before.image: (band, y, x)
    quiet = made_pair(2, 256, 10.0, PairStyle(works=(), bands=("red", "green", "blue"), dtype="uint8"))
    simulate_pair(Path("made"), seed=1, size=512, resolution=0.5)              # the same as tiles in a folder

`scene` and `truth` do so for a place that is laid out by hand, on any number of dates (see boukamal.py).
"""

from pipeline.simulate.pair import MadePair, PairStyle, made_pair, pair_spec, simulate_pair
from pipeline.simulate.scene import MadeImage, SceneSpec, View, scene, shift_field, truth

__all__ = [
    "MadeImage",
    "MadePair",
    "PairStyle",
    "SceneSpec",
    "View",
    "made_pair",
    "pair_spec",
    "scene",
    "shift_field",
    "simulate_pair",
    "truth",
]
