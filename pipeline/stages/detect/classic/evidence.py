"""What speaks for change at each pixel, from one pair of images.

Three kinds of evidence that fail in different ways: `surprise` (the spectrum is not what the other date leads
one to expect), `restructured` (the local pattern of light and dark, and of edges, is another one) and
`rebuilt` (small bright or dark things stand where none did: roofs, and the shadows that they cast). Any one
of them is raised by crops, moving shadows or noise; construction raises all.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.pair import Float, Mask, Pair
from pipeline.stages.detect.classic.filters import highest, lowest, smooth
from pipeline.stages.detect.classic.gradients import gradients
from pipeline.stages.detect.classic.texture import Texture
from pipeline.stages.detect.predict import Predictor

VISIBLE = ("coastal", "blue", "green", "yellow", "red", "pan")
_RIM = 0.3  # of the strongest evidence nearby
_DAMPED = 0.1  # what is left of the evidence there


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
    share = np.maximum(smooth(pair.observed.astype(np.float32), sigma), np.float32(1e-3))
    smoothed = [
        smooth(np.where(pair.observed, distance, np.float32(0)), sigma) / share for distance in distances
    ]
    return np.minimum(*smoothed)


def restructured(before: Float, after: Float, sigma: float, texture: Texture) -> Float:
    """How much the pattern of two grey images (y, x) differs in a Gaussian window of `sigma` pixels; 0..1.

    The mean of one minus the local correlation, and one minus that of the gradients, which tells edges that
    run another way. `before`, `after`: less the texture's level, 0 where not observed.
    """
    return np.float32(0.5) * (
        _uncorrelated(before, after, sigma, texture) + _turned(before, after, sigma, texture)
    )


def rebuilt(before: Float, after: Float, sigma: float, sizes: Sequence[int], texture: Texture) -> Float:
    """How much more, or less, stands out bright or dark from what is around it; (y, x) float32 >= 0.

    The change of the white and of the black top hat with squares of `sizes` pixels a side, as in the
    morphological building and shadow indices (Huang and Zhang 2012), in standard deviations of the scene's
    grey, smoothed by `sigma`. `before`, `after`: less the texture's level, 0 where not observed.
    """
    total = np.zeros_like(before)
    for size in sizes:
        hats = [
            (image - highest(lowest(image, size), size), lowest(highest(image, size), size) - image)
            for image in (before, after)
        ]
        for earlier, later in zip(*hats, strict=True):
            total += np.abs(later - earlier)
    return smooth(total * np.float32(1 / (len(sizes) * texture.contrast)), sigma)


def without_halo(score: Float, sigma: float) -> Float:
    """Evidence (y, x) without the rim that smoothing by `sigma` pixels puts around every changed thing.

    What is under a share of the strongest evidence within the blur's reach is rim; at a straight edge the
    rest ends where the thing does.
    """
    strongest = highest(score, 2 * halo_radius(sigma) + 1)
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
        high, low = half * (guess + highest(guess, 3)), half * (guess + lowest(guess, 3))
        np.subtract(seen, np.clip(seen, low, high), out=out)
    return residual


def _uncorrelated(before: Float, after: Float, sigma: float, texture: Texture) -> Float:
    mean_x, mean_y = smooth(before, sigma), smooth(after, sigma)
    covariance = smooth(before * after, sigma) - mean_x * mean_y
    variance_x = np.maximum(smooth(before * before, sigma) - mean_x * mean_x, 0)
    variance_y = np.maximum(smooth(after * after, sigma) - mean_y * mean_y, 0)
    return _one_minus(covariance, variance_x, variance_y, texture.flat)


def _turned(before: Float, after: Float, sigma: float, texture: Texture) -> Float:
    both, of_before, of_after = gradients(before, after)
    return _one_minus(smooth(both, sigma), smooth(of_before, sigma), smooth(of_after, sigma), texture.even)


def _one_minus(shared: Float, first: Float, second: Float, damping: float) -> Float:
    """One minus the correlation, 0..1; `damping` is the strength below which a pattern says little."""
    weak = np.float32(damping)
    return np.clip(1 - shared / np.sqrt((first + weak) * (second + weak)), 0, 1).astype(np.float32)
