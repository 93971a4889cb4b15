"""What speaks for change at each pixel, from one pair of images.

Two kinds of evidence that fail in different ways: `surprise` (the spectrum is not what the other date leads
one to expect) and `restructured` (the local pattern of light and dark is another one). Either alone is
raised by crops, shadows or noise; construction raises both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from pipeline.pair import Float, Mask, Pair
from pipeline.stages.detect.predict import Predictor

VISIBLE = ("coastal", "blue", "green", "yellow", "red", "pan")
_RIM = 0.3  # of the strongest evidence nearby
_DAMPED = 0.1  # what is left of the evidence there
_FLAT_SHARE = 0.2  # of the median local variance
_TRUNCATE = 4.0  # Gaussian kernels end at this many sigmas; `reach` counts on it


def reach(sigma: float) -> int:
    """How many pixels around a pixel a Gaussian of `sigma` pixels looks at."""
    return int(_TRUNCATE * sigma + 0.5)


def surprise(pair: Pair, forward: Predictor, backward: Predictor, sigma: float) -> Float:
    """How far each date is from what the other predicts, the smaller of both directions, smoothed; (y, x)
    float32.

    About 0.5 to 1.5 where nothing changed. A residual that half a pixel of misalignment explains counts as
    none.
    """
    before = _filled(pair.before, pair.observed, forward.mean)
    after = _filled(pair.after, pair.observed, backward.mean)
    distances = [
        predictor.distance(_beyond_misalignment(target, predictor(source)))
        for source, target, predictor in ((before, after, forward), (after, before, backward))
    ]
    share = np.maximum(_smooth(pair.observed.astype(np.float32), sigma), np.float32(1e-3))
    smooth = [
        _smooth(np.where(pair.observed, distance, np.float32(0)), sigma) / share for distance in distances
    ]
    return np.minimum(*smooth)


def restructured(before: Float, after: Float, observed: Mask, sigma: float, texture: Texture) -> Float:
    """One minus the local correlation of two grey images (y, x), Gaussian window of `sigma` pixels; 0..1
    float32.
    """
    level, damping = np.float32(texture.level), np.float32(texture.flat)
    x, y = (np.where(observed, image - level, np.float32(0)) for image in (before, after))
    mean_x, mean_y = _smooth(x, sigma), _smooth(y, sigma)
    covariance = _smooth(x * y, sigma) - mean_x * mean_y
    variance_x = np.maximum(_smooth(x * x, sigma) - mean_x * mean_x, 0)
    variance_y = np.maximum(_smooth(y * y, sigma) - mean_y * mean_y, 0)
    correlation = covariance / np.sqrt((variance_x + damping) * (variance_y + damping))
    return np.clip(1 - correlation, 0, 1).astype(np.float32)


@dataclass(frozen=True)
class Texture:
    """The grey level and the local variance of a scene. `flat`: variance below which a pattern says
    little.
    """

    level: float
    flat: float

    @classmethod
    def of(cls, images: Sequence[Float], sigma: float) -> Texture:
        """Measure on sample windows (y, x), NaN where not observed."""
        level = float(np.nanmean(np.concatenate([image.ravel() for image in images])))
        variances = []
        for image in images:
            centred = np.nan_to_num(image - np.float32(level))
            variance = _smooth(centred * centred, sigma) - _smooth(centred, sigma) ** 2
            variances.append(variance[~np.isnan(image)])
        return cls(
            level, _FLAT_SHARE * float(np.median(np.concatenate([v.ravel() for v in variances]))) + 1e-9
        )


def without_halo(score: Float, sigma: float) -> Float:
    """Evidence (y, x) without the rim that smoothing by `sigma` pixels puts around every changed thing.

    What is under a share of the strongest evidence within the blur's reach is rim; at a straight edge the
    rest ends where the thing does.
    """
    size = 2 * halo_radius(sigma) + 1
    strongest = ndimage.maximum_filter(score, size, mode="nearest")
    return np.where(score >= np.float32(_RIM) * strongest, score, np.float32(_DAMPED) * score)


def halo_radius(sigma: float) -> int:
    """How many pixels around a pixel `without_halo` looks at."""
    return round(2.5 * sigma)


def grey(image: Float, bands: Sequence[str]) -> Float:
    """The mean of the visible bands (y, x), or of all bands where none is visible."""
    visible = [i for i, name in enumerate(bands) if name in VISIBLE] or list(range(len(bands)))
    return np.asarray(image[visible].mean(axis=0))


def _filled(image: Float, observed: Mask, level: Float) -> Float:
    """Unobserved pixels at each band's mean, so that no NaN reaches a neighbour through a filter."""
    return np.where(observed, image, level[:, None, None])


def _beyond_misalignment(image: Float, expected: Float) -> Float:
    """What of `image - expected` is left when `expected` may be off by up to half a pixel; (band, y, x)."""
    half = np.float32(0.5)
    residual = np.empty_like(image)
    for seen, guess, out in zip(image, expected, residual, strict=True):
        high = half * (guess + ndimage.maximum_filter(guess, 3, mode="nearest"))
        low = half * (guess + ndimage.minimum_filter(guess, 3, mode="nearest"))
        np.subtract(seen, np.clip(seen, low, high), out=out)
    return residual


def _smooth(image: Float, sigma: float) -> Float:
    return np.asarray(ndimage.gaussian_filter(image, sigma, mode="reflect", truncate=_TRUNCATE))
