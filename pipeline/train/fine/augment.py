"""What differs between two dates without anything being built: light, sensor, sharpness, compression."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from pipeline.stages.detect.learned.inputs import Standard
from pipeline.train.fine.clouds import clouded
from pipeline.train.fine.fields import farmed
from pipeline.train.fine.halls import built_over
from pipeline.train.fine.sample import Bytes, Sample

Float = NDArray[np.float32]
_FARMED = 0.12  # of the pairs
_HALLS = 0.15
_CLOUDED = 0.1


def augmented(rng: np.random.Generator, sample: Sample) -> tuple[Float, Bytes]:
    """The network's input (6, y, x) and the labels (4, y, x): turned, swapped, relit, blurred at random."""
    if rng.random() < 0.35:
        sample = sample.swapped()
    counts, labels = sample.turned(int(rng.integers(4)), rng.random() < 0.5)
    images = counts.astype(np.float32)
    if rng.random() < _FARMED:
        images = farmed(rng, images, labels)
    if rng.random() < _HALLS:
        images, labels = built_over(rng, images, labels)
    if rng.random() < _CLOUDED:
        images, labels = clouded(rng, images, labels)
    grey = rng.random() < 0.08
    dates = [_relit(rng, image, grey) for image in (images[:3], images[3:])]
    return np.concatenate([_standard(rng, date) for date in dates]), labels


def _relit(rng: np.random.Generator, image: Float, grey: bool) -> Float:
    """One date as another sensor might have delivered it, counts."""
    out = image
    if grey:
        out = np.broadcast_to(out.mean(axis=0), out.shape)
    level = out.mean(axis=(1, 2), keepdims=True)
    if rng.random() < 0.7:
        out = level + (out - level) * np.exp(rng.normal(0, 0.15)) * np.exp(rng.normal(0, 0.04, (3, 1, 1)))
    if rng.random() < 0.4:
        out = 255 * np.clip(out / 255, 0, 1) ** np.exp(rng.normal(0, 0.25))
    if rng.random() < 0.4:
        mean = out.mean(axis=0)
        out = mean + (out - mean) * rng.uniform(0.3, 1.5)
    if rng.random() < 0.45:
        sigma = float(rng.uniform(0.3, 1.1))
        out = np.stack([ndimage.gaussian_filter(band, sigma, truncate=3) for band in out])
    elif rng.random() < 0.4:
        smooth = np.stack([ndimage.uniform_filter(band, 3) for band in out])
        out = out + rng.uniform(0.3, 1.2) * (out - smooth)
    if rng.random() < 0.5:
        out = out + rng.normal(0, rng.uniform(0.5, 6), out.shape).astype(np.float32)
    if rng.random() < 0.4:
        out = _compressed(out, int(rng.integers(35, 95)))
    return np.asarray(out, np.float32)


def _compressed(image: Float, quality: int) -> Float:
    """Through JPEG."""
    pixels = np.clip(np.rint(image), 0, 255).astype(np.uint8).transpose(1, 2, 0)
    held = BytesIO()
    Image.fromarray(pixels).save(held, "JPEG", quality=quality)
    return np.asarray(Image.open(held), np.float32).transpose(2, 0, 1)


def _standard(rng: np.random.Generator, image: Float) -> Float:
    """As `inputs.Standard` makes it, but measured on more than this window: a little off."""
    own = Standard.of(image)
    drift = rng.normal(0, 0.2) * own.spread
    off = tuple(float(value + drift + rng.normal(0, 0.05) * own.spread) for value in own.median)
    return Standard((off[0], off[1], off[2]), own.spread * float(np.exp(rng.normal(0, 0.15))))(image)
