"""What alignment leaves over between two dates: one of them a little off, and not everywhere the same way."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from pipeline.train.fine.dice import Dice
from pipeline.train.fine.sample import CLASSES, REMOVED, STANDS, STOOD

_SHARE: Final = 0.6  # of the pairs
_WHOLE, _LOCAL = 0.5, 0.7  # pixels, standard deviation: all of a date, and parts of it
_PARTS: Final = 7  # nodes a side between which parts move
_SHOWN_BY: Final = ((REMOVED, STOOD), (CLASSES, STANDS))  # label layers of each date


def misaligned(images: Tensor, labels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Pairs (batch, 6, y, x) and labels (batch, 4, y, x) of which one date is moved by a smooth field.

    What is labelled where a date shows it moves with that date. float32 and the labels' own type.
    """
    count, _, height, width = images.shape
    dice = Dice(generator, count)
    which = dice.chance(0.5)
    out, moved = images.float(), labels.clone()
    at = _grid(dice, height, width)
    identity = _identity(height, width, images.device).expand_as(at)
    for date, layers in enumerate(_SHOWN_BY):
        this = dice.chance(_SHARE) * (which == date)
        where = torch.where(this.bool(), at, identity)
        bands = slice(3 * date, 3 * date + 3)
        seen = functional.grid_sample(out[:, bands], where, "bilinear", "reflection", align_corners=False)
        out = torch.cat([seen, out[:, 3:]] if date == 0 else [out[:, :3], seen], 1)
        told = functional.grid_sample(
            labels[:, list(layers)].float(), where, "nearest", "reflection", align_corners=False
        )
        moved[:, list(layers)] = told.to(labels.dtype)
    return out, moved


def _identity(height: int, width: int, device: torch.device) -> Tensor:
    rows = (2 * torch.arange(height, device=device) + 1) / height - 1
    cols = (2 * torch.arange(width, device=device) + 1) / width - 1
    return torch.stack(torch.meshgrid(rows, cols, indexing="ij")[::-1], -1)[None]


def _grid(dice: Dice, height: int, width: int) -> Tensor:
    """Where each pixel is taken from, in grid_sample's units."""
    whole = dice.normal(_WHOLE, 2)
    parts = _LOCAL * dice.noise(torch.Size((dice.count, 2, _PARTS, _PARTS)))
    pixels = whole + functional.interpolate(parts, (height, width), mode="bicubic", align_corners=True)
    size = torch.tensor([width, height], device=pixels.device).view(1, 2, 1, 1)
    return _identity(height, width, pixels.device) + (2 * pixels / size).permute(0, 2, 3, 1)
