"""What the network of the fine regime is shown: red, green, blue of both dates, each date made comparable.

Pure functions of NumPy arrays and of a few numbers a scene, so that training and use cannot differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.errors import BandError
from pipeline.pair import Float

LIMIT = np.float32(4.0)  # standardised values are clipped to -4..4
VISIBLE = ("coastal", "blue", "green", "yellow", "red", "pan")
RGB = ("red", "green", "blue")
_NEAREST = {
    "red": ("red", "rededge071", "rededge", "yellow", "green", "pan", "blue"),
    "green": ("green", "yellow", "red", "blue", "pan"),
    "blue": ("blue", "coastal", "green", "pan", "red"),
    "pan": ("pan", "green", "red", "blue"),
}
MAD_TO_SIGMA = 1.4826
LEAST_OF_STD = 0.25  # where more than half of a scene is one even surface, the rest of it sets the spread
_LEAST_SPREAD = 1e-6


@dataclass(frozen=True)
class Standard:
    """One date's level and contrast, measured on a sample of the whole scene.

    `median`: of each band, as a rule red, green, blue. `spread`: one for all, so that colours stay what they
    are. In the image's own units.
    """

    median: tuple[float, ...]
    spread: float

    @classmethod
    def of(cls, pixels: Float) -> Standard:
        """Measure `pixels` (band, n) or (band, y, x), NaN where not observed.

        The spread is 1.4826 times the median of |x - median| over all pixels and bands (the standard
        deviation, were they normal), and at least a quarter of the standard deviation. All NaN: median 0,
        spread 1.
        """
        flat = np.asarray(pixels, np.float32).reshape(len(pixels), -1)
        flat = flat[:, ~np.isnan(flat).any(axis=0)]
        if flat.shape[1] == 0:
            return cls((0.0,) * len(flat), 1.0)
        median = np.median(flat, axis=1)
        from_median = np.abs(flat - median[:, None])
        mad = MAD_TO_SIGMA * float(np.median(from_median))
        std = float(np.sqrt(np.mean(np.square(from_median, dtype=np.float64))))
        return cls(tuple(float(value) for value in median), max(mad, LEAST_OF_STD * std, _LEAST_SPREAD))

    def __call__(self, image: Float) -> Float:
        """(band, y, x) as (x - median) / spread, clipped to -4..4, NaN as 0; float32."""
        median = np.asarray(self.median, np.float32)[:, None, None]
        standard = (np.asarray(image, np.float32) - median) * np.float32(1 / self.spread)
        return np.asarray(np.nan_to_num(np.clip(standard, -LIMIT, LIMIT), copy=False, nan=0.0), np.float32)


def nearest_bands(bands: Sequence[str], wanted: Sequence[str] = RGB) -> tuple[int, ...]:
    """Which of `bands` stand for each of `wanted`: itself, or for a visible one the nearest that there is.

    A one-band image is shown as often as it takes; where no band is visible, the first one stands for all
    visible ones. Raises BandError where another band is wanted and not there.
    """
    return tuple(_stand_in(list(bands), name) for name in wanted)


def _stand_in(bands: list[str], name: str) -> int:
    if name in bands:
        return bands.index(name)
    if name not in _NEAREST:
        raise BandError(f"the detector's model wants band {name}; there are {', '.join(bands)}")
    return next((bands.index(near) for near in _NEAREST[name] if near in bands), 0)


def pair_input(before: Float, after: Float, standards: tuple[Standard, Standard]) -> Float:
    """The network's input (6, y, x) float32: before red, green, blue, then after red, green, blue.

    `before`, `after`: (3, y, x) as `nearest_bands` chooses them, NaN where not observed. `standards`: of
    before and of after.
    """
    return np.concatenate([standards[0](before), standards[1](after)])


def halved(image: Float) -> Float:
    """The means of squares of 2 x 2 pixels, (band, y, x) with even y and x; NaN where any of the four is."""
    count, height, width = image.shape
    squares = image.reshape(count, height // 2, 2, width // 2, 2)
    half = np.float32(0.5)
    upper, lower = (half * (squares[:, :, row, :, 0] + squares[:, :, row, :, 1]) for row in (0, 1))
    return np.asarray(half * (upper + lower))
