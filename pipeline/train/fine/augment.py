"""A sample as it might lie elsewhere: turned, swapped, with other fields, with halls, under clouds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.train.fine.clouds import clouded
from pipeline.train.fine.fields import farmed
from pipeline.train.fine.halls import built_over
from pipeline.train.fine.sample import Bytes, Sample

Float = NDArray[np.float32]
_SWAPPED = 0.35  # of the pairs
_FARMED = 0.2
_HALLS = 0.15
_CLOUDED = 0.1


def augmented(rng: np.random.Generator, sample: Sample) -> tuple[Float, Bytes]:
    """Counts (6, y, x), clouds brighter than 255, and labels (4, y, x) as another place might show them.

    Light and sensor are left to `light.relit`.
    """
    if rng.random() < _SWAPPED:
        sample = sample.swapped()
    sample = sample.turned(int(rng.integers(4)), rng.random() < 0.5)
    images, labels = sample.images.astype(np.float32), sample.labels
    if rng.random() < _FARMED:
        images = farmed(rng, images, labels)
    if rng.random() < _HALLS:
        images, labels = built_over(rng, images, labels)
    if rng.random() < _CLOUDED:
        images, labels = clouded(rng, images, labels)
    return images, labels
