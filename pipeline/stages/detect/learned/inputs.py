"""What the network of the fine regime is shown: red, green, blue of both dates, each date made comparable.

Pure functions of NumPy arrays and of a few numbers a scene, so that training and use cannot differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.pair import Float

LIMIT = np.float32(4.0)  # standardised values are clipped to -4..4
_RGB = ("red", "green", "blue")
_NEAREST = {
    "red": ("red", "rededge071", "rededge", "yellow", "green", "pan", "blue"),
    "green": ("green", "yellow", "red", "blue", "pan"),
    "blue": ("blue", "coastal", "green", "pan", "red"),
}
_MAD_TO_SIGMA = 1.4826
_LEAST_OF_STD = 0.25  # where more than half of a scene is one even surface, the rest of it sets the spread
_LEAST_SPREAD = 1e-6


@dataclass(frozen=True)
class Standard:
    """One date's level and contrast, measured on a sample of the whole scene.

    `median`: of each of red, green, blue. `spread`: one for all three, so that colours stay what they are.
    In the image's own units.
    """

    median: tuple[float, float, float]
    spread: float

    @classmethod
    def of(cls, pixels: Float) -> Standard:
        """Measure `pixels` (3, n) or (3, y, x): red, green, blue; NaN where not observed.

        The spread is 1.4826 times the median of |x - median| over all pixels and the three bands (the
        standard deviation, were they normal), and at least a quarter of the standard deviation. All NaN:
        median 0, spread 1.
        """
        flat = np.asarray(pixels, np.float32).reshape(3, -1)
        flat = flat[:, ~np.isnan(flat).any(axis=0)]
        if flat.shape[1] == 0:
            return cls((0.0, 0.0, 0.0), 1.0)
        median = np.median(flat, axis=1)
        from_median = np.abs(flat - median[:, None])
        mad = _MAD_TO_SIGMA * float(np.median(from_median))
        std = float(np.sqrt(np.mean(np.square(from_median, dtype=np.float64))))
        red, green, blue = (float(value) for value in median)
        return cls((red, green, blue), max(mad, _LEAST_OF_STD * std, _LEAST_SPREAD))

    def __call__(self, image: Float) -> Float:
        """(3, y, x) as (x - median) / spread, clipped to -4..4, NaN as 0; float32."""
        median = np.asarray(self.median, np.float32)[:, None, None]
        standard = (np.asarray(image, np.float32) - median) * np.float32(1 / self.spread)
        return np.asarray(np.nan_to_num(np.clip(standard, -LIMIT, LIMIT), copy=False, nan=0.0), np.float32)


def rgb_bands(bands: Sequence[str]) -> tuple[int, int, int]:
    """Which of `bands` stand for red, green and blue: themselves, or the visible band nearest to each.

    A one-band image is shown three times; where no band is visible, the first one is.
    """
    red, green, blue = (
        next((bands.index(name) for name in _NEAREST[colour] if name in bands), 0) for colour in _RGB
    )
    return red, green, blue


def pair_input(before: Float, after: Float, standards: tuple[Standard, Standard]) -> Float:
    """The network's input (6, y, x) float32: before red, green, blue, then after red, green, blue.

    `before`, `after`: (3, y, x), NaN where not observed. `standards`: of before and of after.
    """
    return np.concatenate([standards[0](before), standards[1](after)])


def halved(image: Float) -> Float:
    """The means of squares of 2 x 2 pixels, (band, y, x) with even y and x; NaN where any of the four is."""
    count, height, width = image.shape
    squares = image.reshape(count, height // 2, 2, width // 2, 2)
    half = np.float32(0.5)
    upper, lower = (half * (squares[:, :, row, :, 0] + squares[:, :, row, :, 1]) for row in (0, 1))
    return np.asarray(half * (upper + lower))
