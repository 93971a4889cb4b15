"""From a network's output to layers of probabilities."""

from __future__ import annotations

import numpy as np

from pipeline.pair import Float
from pipeline.stages.detect.detector import KINDS
from pipeline.stages.detect.learned.metadata import Metadata

_FLOOR = np.float32(-80)  # exp of more than 88 does not fit into float32
_CLASSES = 1 + len(KINDS)  # nothing, and each kind: they exclude each other; removed and standing do not


def probabilities(output: Float, metadata: Metadata) -> Float:
    """Layers (layer, y, x) in 0..1, float32, in the order of the network's `layers`.

    `output`: (channel, y, x). One channel is change; two are nothing and change; eight are nothing, a kind
    each, removed, standing.
    """
    if len(output) == 1 and metadata.output == "probability":
        return np.clip(output, np.float32(0), np.float32(1))
    logits = calibrated(output, metadata)
    if len(output) == 1:
        return _sigmoid(logits)
    if len(output) == 2:
        return _sigmoid(logits[1:] - logits[:1])
    classes, others = logits[:_CLASSES], logits[_CLASSES:]
    classes -= classes.max(axis=0)
    np.exp(classes, out=classes)
    classes *= np.float32(1) / classes.sum(axis=0)
    layers = np.empty_like(logits)
    np.subtract(np.float32(1), classes[0], out=layers[0])
    layers[1], layers[-1] = _sigmoid(others)
    layers[2:-1] = classes[1:]
    return layers


def _sigmoid(logits: Float) -> Float:
    return np.asarray(np.float32(1) / (np.float32(1) + np.exp(np.clip(-logits, _FLOOR, -_FLOOR))), np.float32)


def calibrated(logits: Float, metadata: Metadata) -> Float:
    """(logits + bias) / temperature, channel by channel."""
    bias = np.array(metadata.bias or [0.0] * len(logits), np.float32)[:, None, None]
    temperature = np.atleast_1d(np.array(metadata.temperature, np.float32))[:, None, None]
    out = logits + bias
    out /= temperature
    return out


def doubled(image: Float) -> Float:
    """Twice as fine (layer, 2 y, 2 x): bilinear, pixel-is-area; at the edges the value is held."""
    for axis in (1, 2):
        before = np.concatenate([image.take([0], axis), image], axis).take(range(image.shape[axis]), axis)
        after = np.concatenate([image, image.take([-1], axis)], axis).take(
            range(1, image.shape[axis] + 1), axis
        )
        near, far = np.float32(0.75) * image, np.float32(0.25)
        shape = list(image.shape)
        shape[axis] *= 2
        image = np.stack([near + far * before, near + far * after], axis + 1).reshape(shape)
    return image
