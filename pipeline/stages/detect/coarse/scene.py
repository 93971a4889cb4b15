"""What one scene looks like as a whole: the yardsticks by which each of its pixels is judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.errors import NothingObservedError
from pipeline.pair import Float, Pair, thinned
from pipeline.stages.detect.predict import Predictor, fit_predictor

BANDS = ("blue", "green", "red", "nir", "swir16", "swir22")
INDICES = ("brightness", "vegetation", "built-up", "red-blue")
LEVELS = 13  # of rarity: from every pixel to one in 4096
STEPS = 65  # of a table of ranks
_MOST_PIXELS = 40_000  # of the sample; more change the figures by less than their own error
_LEAST_SPREAD = 1e-4


@dataclass(frozen=True)
class Scene:
    """Fitted on a sample. `order`: where each of `BANDS` stands among the image's bands, -1 where missing.

    `residual`: (2, band) robust spread of what forward and backward prediction leave. `ranks`: (2, index,
    step) quantiles of each index on each date, NaN where a band is missing. `grey`: (2, 2) median and
    robust spread of the brightness on each date. `rarity`: (level,) surprise, in whole numbers as maps hold
    it, that one pixel in 2 ** level exceeds; `scales`: (column, level) the same for the columns of evidence
    that `windows.SCALED` names. All float32.
    """

    order: tuple[int, ...]
    forward: Predictor
    backward: Predictor
    residual: Float
    ranks: Float
    grey: Float
    rarity: Float
    scales: Float


def fit_scene(sample: Sequence[Pair], bands: Sequence[str], use: Sequence[str] = BANDS) -> Scene:
    """Measure a scene on sample windows, by those of the `use`d bands that it has.

    Raises NothingObservedError where no pixel was observed on both dates.
    """
    order = band_order(bands, use)
    kept = [place for place in order if place >= 0]
    if not any(pair.observed.any() for pair in sample):
        raise NothingObservedError("no pixel was observed on both dates, so nothing can be compared")
    some = zip(sample, thinned(sample, _MOST_PIXELS), strict=True)
    dates = zip(*(pair.at(places) for pair, places in some), strict=True)
    before, after = (np.ascontiguousarray(np.concatenate(parts, axis=1)[kept]) for parts in dates)
    forward, backward = fit_predictor(before, after), fit_predictor(after, before)
    names = tuple(name for name, place in zip(BANDS, order, strict=True) if place >= 0)
    spreads = [_spread(_left(forward, before, after)), _spread(_left(backward, after, before))]
    tables = [_tables(indices(image, names)) for image in (before, after)]
    greys = [[float(np.median(g := indices(image, names)[0])), _deviation(g)] for image in (before, after)]
    return Scene(
        tuple(order),
        forward,
        backward,
        np.asarray(spreads, np.float32),
        np.stack(tables),
        np.asarray(greys, np.float32),
        np.zeros(LEVELS, np.float32),
        np.zeros((0, LEVELS), np.float32),
    )


def band_order(bands: Sequence[str], use: Sequence[str] = BANDS) -> list[int]:
    """Where each of `BANDS` is among `bands`, -1 where it is missing or not used; any one band stands for red
    where none of them is there.
    """
    order = [list(bands).index(name) if name in bands and name in use else -1 for name in BANDS]
    return order if max(order) >= 0 else [-1, -1, 0, -1, -1, -1]


def indices(image: Float, names: Sequence[str]) -> Float:
    """`INDICES` of an image (band, ...) with the bands `names`, of `BANDS`; NaN where one is missing."""
    at = {name: image[i] for i, name in enumerate(names)}
    visible = [at[name] for name in BANDS[:3] if name in at] or [image[0]]
    bright = np.asarray(sum(visible[1:], visible[0]) / np.float32(len(visible)))
    missing = np.full_like(bright, np.nan)
    pairs = (("nir", "red"), ("swir16", "nir"), ("red", "blue"))
    ratios = [ratio(at[a], at[b]) if a in at and b in at else missing for a, b in pairs]
    return np.stack([bright, *ratios]).astype(np.float32)


def ratio(a: Float, b: Float) -> Float:
    """Normalised difference (a - b) / (a + b), -1..1; 0 where both are dark."""
    total = a + b
    return np.where(
        total > np.float32(1e-6), np.clip((a - b) / np.maximum(total, np.float32(1e-6)), -1, 1), np.float32(0)
    )


def _left(predictor: Predictor, source: Float, target: Float) -> Float:
    return target - predictor(np.ascontiguousarray(source[:, None]))[:, 0]


def _spread(residual: Float) -> list[float]:
    return [_deviation(band) for band in residual]


def _deviation(values: Float) -> float:
    """Standard deviation as the median absolute deviation has it, for Gaussian values."""
    return max(1.4826 * float(np.median(np.abs(values - np.median(values)))), _LEAST_SPREAD)


def _tables(index: Float) -> Float:
    steps = np.linspace(0, 1, STEPS)
    return np.stack(
        [np.quantile(each, steps) if np.isfinite(each).all() else np.full(STEPS, np.nan) for each in index]
    ).astype(np.float32)
