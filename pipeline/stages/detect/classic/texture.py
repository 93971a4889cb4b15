"""How light, how rough and how rich in contrast a scene is, so that evidence is measured against that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.pair import Float, Mask
from pipeline.stages.detect.classic.filters import smooth
from pipeline.stages.detect.classic.gradients import gradients

_FLAT_SHARE = 0.2  # of the median local variance, and of the median gradient
_LEAST = 1e-9


@dataclass(frozen=True)
class Texture:
    """Of both dates' grey. `level`: the mean. `flat`: variance, and `even`: squared gradient, below which a
    pattern says little. `contrast`: standard deviation.
    """

    level: float
    flat: float
    even: float
    contrast: float

    @classmethod
    def of(cls, images: Sequence[Float], sigma: float) -> Texture:
        """Measure on sample windows (y, x), NaN where not observed."""
        seen = [~np.isnan(image) for image in images]
        pixels = np.concatenate([image[there] for image, there in zip(images, seen, strict=True)])
        level = float(pixels.mean(dtype=np.float64))
        centred = [np.nan_to_num(image - np.float32(level)) for image in images]
        return cls(
            level,
            _FLAT_SHARE * _median([_variance(image, sigma) for image in centred], seen) + _LEAST,
            _FLAT_SHARE * _median([smooth(gradients(i, i)[0], sigma) for i in centred], seen) + _LEAST,
            float(pixels.std(dtype=np.float64)) + _LEAST,
        )


def _variance(centred: Float, sigma: float) -> Float:
    return smooth(centred * centred, sigma) - smooth(centred, sigma) ** 2


def _median(values: Sequence[Float], seen: Sequence[Mask]) -> float:
    return float(np.median(np.concatenate([value[there] for value, there in zip(values, seen, strict=True)])))
