"""How far the network's answer is from what is known: cross-entropy and overlap, unknown pixels left out."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from pipeline.train.fine.network import CHANNELS
from pipeline.train.fine.sample import (
    BUILDING,
    CLASSES,
    IGNORE,
    NO_BUILDING,
    REMOVED,
    SOMETHING,
    STANDS,
    STOOD,
)

_KINDS: Final = 6  # nothing and the five kinds come first in CHANNELS
_WEIGHTS: Final = (1.0, 2.0, 2.0, 8.0, 3.0, 8.0)
_KIND_WEIGHTS: Final = (1.0, 1.2, 4.0, 2.5, 4.0)  # rare kinds are few pixels, and as many things
_EPS: Final = 1e-6


def loss(logits: Tensor, labels: Tensor) -> Tensor:
    """`logits` (batch, channel, y, x), `labels` (batch, 4, y, x) as in Sample; a scalar."""
    classes = labels[:, CLASSES].long()
    known, something, elsewhere = classes < _KINDS, classes == SOMETHING, classes == NO_BUILDING
    log_share = functional.log_softmax(logits[:, :_KINDS], 1)
    weights = torch.tensor(_WEIGHTS, device=logits.device)
    cross = functional.nll_loss(log_share, torch.where(known, classes, 0), weights, reduction="none")
    share = log_share.exp()
    no_building = -torch.log1p(-share[:, BUILDING].clamp(max=1 - 1e-4))
    any_kind = -torch.log((1 - share[:, 0]).clamp(min=1e-4))
    total = _mean(cross, known) + _mean(no_building, elsewhere) + _mean(any_kind, something)
    judged = known | elsewhere
    total = total + _overlap(share[:, BUILDING], (classes == BUILDING).float(), judged)
    total = total + 0.5 * _overlap(
        1 - share[:, 0], ((known & (classes > 0)) | something).float(), known | something
    )
    total = total + _kind(logits[:, 1:_KINDS], classes)
    for code in range(BUILDING + 1, _KINDS):
        total = total + 0.2 * _overlap(share[:, code], (classes == code).float(), known)
    for name, layer, weight in (("removed", REMOVED, 1.0), ("stood", STOOD, 0.5), ("stands", STANDS, 0.5)):
        total = total + weight * _binary(logits[:, CHANNELS.index(name)], labels[:, layer])
    return total


def _kind(logits: Tensor, classes: Tensor) -> Tensor:
    """Cross-entropy of the kind, over the pixels where something of a known kind was constructed."""
    built = (classes > 0) & (classes < _KINDS)
    target, weights = torch.where(built, classes - 1, 0), torch.tensor(_KIND_WEIGHTS, device=logits.device)
    cross = functional.nll_loss(functional.log_softmax(logits, 1), target, weights, reduction="none")
    return _mean(cross, built)


def _binary(logit: Tensor, label: Tensor) -> Tensor:
    known = label <= SOMETHING
    target = (known & (label > 0)).float()
    cross = functional.binary_cross_entropy_with_logits(logit, target, reduction="none")
    return _mean(cross, known) + 0.5 * _overlap(logit.sigmoid(), target, known)


def _overlap(share: Tensor, target: Tensor, known: Tensor) -> Tensor:
    """One minus the soft Dice over the batch (Milletari et al. 2016); 0 where there is nothing to overlap, as
    it would drive a rare class out of every batch that happens to lack it.
    """
    kept = known.float()
    both, wanted = (share * target * kept).sum(), (target * kept).sum()
    return (wanted > 0) * (1 - (2 * both + 50) / ((share * kept).sum() + wanted + 50))


def _mean(values: Tensor, where: Tensor) -> Tensor:
    return (values * where).sum() / (where.sum() + _EPS)


assert IGNORE > NO_BUILDING > SOMETHING > _KINDS
