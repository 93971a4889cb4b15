"""Temperature and bias of the network's channels, so that its probabilities hold on pairs it has not seen.

Training weighs rare kinds up, and so says them too often; one bias a channel and one temperature take that
back (Guo et al. 2017, "On Calibration of Modern Neural Networks").
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.stages.detect.learned.inputs import Standard
from pipeline.train.fine.sample import CLASSES, REMOVED, SOMETHING, STOOD

_PIXELS: Final = 12_000  # of each pair
_KINDS: Final = 6
_SEED: Final = 0


class Calibration(NamedTuple):
    """For each delivered channel: (logit + bias) / temperature."""

    temperature: tuple[float, ...]
    bias: tuple[float, ...]


class _Pixels(NamedTuple):
    logits: Tensor  # (n, 8)
    classes: Tensor  # (n,)
    others: Tensor  # (n, 2): removed, stood


def calibrated(network: nn.Module, files: Iterable[Path]) -> Calibration:
    """Fit to pairs (files of samples) that the network has not seen, pixel by pixel."""
    rng = np.random.default_rng(_SEED)
    parts = [_pixels(network.eval(), file, rng) for file in files]
    seen = _Pixels(*(torch.cat(list(layer)) for layer in zip(*parts, strict=True)))
    bias, heat = torch.zeros(_KINDS + 2, requires_grad=True), torch.ones(3, requires_grad=True)
    fit = torch.optim.LBFGS([bias, heat], max_iter=80)

    def error() -> Tensor:
        fit.zero_grad()
        kinds = (seen.logits[:, :_KINDS] + bias[:_KINDS] - bias[0]) / heat[0]
        others = (seen.logits[:, _KINDS:] + bias[_KINDS:]) / heat[1:]
        total = functional.cross_entropy(kinds, seen.classes)
        total = total + functional.binary_cross_entropy_with_logits(others, seen.others)
        total.backward()
        return total

    fit.step(error)
    fixed = torch.cat([bias[:_KINDS] - bias[0], bias[_KINDS:]]).detach()
    spread = torch.cat([heat[:1].repeat(_KINDS), heat[1:]]).detach()
    return Calibration(_rounded(spread), _rounded(fixed))


@torch.no_grad()
def _pixels(network: nn.Module, file: Path, rng: np.random.Generator) -> _Pixels:
    """Some pixels of one pair of which everything is known."""
    with np.load(file) as held:
        images, labels = held["images"].astype(np.float32), held["labels"].reshape(4, -1)
    shown = np.concatenate([Standard.of(date)(date) for date in (images[:3], images[3:])])
    logits = network(torch.from_numpy(shown)[None])[0].reshape(-1, labels.shape[1])
    some = rng.choice(labels.shape[1], min(_PIXELS, labels.shape[1]), replace=False)
    some = some[(labels[CLASSES, some] < _KINDS) & (labels[REMOVED, some] < SOMETHING)]
    others = np.stack([labels[REMOVED, some] > 0, labels[STOOD, some] == 1], axis=1)
    return _Pixels(
        logits[: _KINDS + 2, some].T,
        torch.from_numpy(labels[CLASSES, some].astype(np.int64)),
        torch.from_numpy(others.astype(np.float32)),
    )


def _rounded(values: Tensor) -> tuple[float, ...]:
    return tuple(round(float(value), 2) for value in values)
