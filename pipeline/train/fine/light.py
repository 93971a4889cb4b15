"""What differs between two dates without anything being built: light, sensor, sharpness, compression.

Whole batches at once, on whichever device they lie.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from pipeline.stages.detect.learned.inputs import LEAST_OF_STD, LIMIT, MAD_TO_SIGMA
from pipeline.train.fine.dice import Dice
from pipeline.train.fine.jpeg import compressed

_RADIUS: Final = 4  # pixels of a blur's kernel on each side
_EVERY: Final = 4  # one pixel in so many each way gives a date's level and contrast
_FILM: Final = 0.25  # chance of a film's or an old scanner's colours


def relit(images: Tensor, generator: torch.Generator) -> Tensor:
    """Pairs (batch, 6, y, x) in counts of 0 to 255 as two sensors might have delivered them, standardised.

    float32 on `generator`'s device, clipped as `inputs.Standard` does. y and x are multiples of 8.
    """
    count, _, height, width = images.shape
    dates = images.float().reshape(2 * count, 3, height, width)
    dice = Dice(generator, 2 * count)
    both_grey = (
        dice.chance(0.08).view(count, 2, 1, 1, 1)[:, :1].expand(count, 2, 1, 1, 1).reshape(-1, 1, 1, 1)
    )
    dates = torch.lerp(dates, dates.mean(1, keepdim=True).expand_as(dates), both_grey)
    dates = _coloured(dice, dates, 1 - both_grey)
    dates = _drifting(dice, _toned(dice, dates))
    dates = _sharpened(dice, _blurred(dice, dates))
    dates = dates + dice.chance(0.5) * dice.uniform(0.5, 6) * dice.noise(dates.shape)
    some = dice.chance(0.4).flatten().bool()
    if some.any():
        quality = dice.uniform(30, 95).flatten()[some]
        dates = dates.index_put((some.nonzero().flatten(),), compressed(dates[some], quality))
    return _standard(dice, dates).reshape(count, 6, height, width)


def _toned(dice: Dice, dates: Tensor) -> Tensor:
    """Another contrast, gain a band, and curve."""
    level = dates.mean((2, 3), keepdim=True)
    gain = torch.exp(dice.normal(0.15)) * torch.exp(dice.normal(0.04, 3))
    dates = torch.where(dice.chance(0.7).bool(), level + (dates - level) * gain, dates)
    exponent = torch.exp(dice.normal(0.25) + dice.chance(0.3) * dice.normal(0.2, 3))
    curved = 255 * (dates / 255).clamp(1e-4, 1) ** exponent
    return torch.where(dice.chance(0.4).bool(), curved, dates)


def _coloured(dice: Dice, dates: Tensor, colour: Tensor) -> Tensor:
    """Paler or stronger colours, and now and then those of film, whose bands see each other's light."""
    mean = dates.mean(1, keepdim=True)
    paler = mean + (dates - mean) * dice.uniform(0.3, 1.5)
    dates = torch.where(dice.chance(0.4).bool(), paler, dates)
    mix = torch.eye(3, device=dates.device) + dice.normal(0.16, 9).reshape(-1, 3, 3)
    mix = mix / mix.sum(2, keepdim=True).clamp(0.5)
    level = dates.mean((2, 3), keepdim=True)
    mixed = level + torch.einsum("nij,njyx->niyx", mix, dates - level)
    return torch.where((dice.chance(_FILM) * colour).bool(), mixed, dates)


def _drifting(dice: Dice, dates: Tensor) -> Tensor:
    """Brighter towards one side or in wide patches: haze, vignettes, mosaics."""
    coarse = dice.noise(torch.Size((len(dates), 1, 4, 4)))
    patches = functional.interpolate(coarse, dates.shape[2:], mode="bicubic", align_corners=False)
    return dates * torch.exp(dice.chance(0.3) * dice.uniform(0, 0.12) * patches)


def _blurred(dice: Dice, dates: Tensor) -> Tensor:
    """Through a Gaussian of sigma 0.3 to 1.4 pixels, by rows and by columns."""
    count, bands, height, width = dates.shape
    off = torch.arange(-_RADIUS, _RADIUS + 1, device=dates.device)
    sigma = torch.where(
        dice.chance(0.5).bool(), dice.uniform(0.3, 1.4), torch.full_like(dice.uniform(0, 1), 0.05)
    )
    kernel = torch.exp(-0.5 * (off / sigma.flatten()[:, None]) ** 2)
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(bands, 0)[:, None, None]
    flat = functional.pad(dates.reshape(1, count * bands, height, width), (_RADIUS,) * 4, mode="reflect")
    flat = functional.conv2d(flat, kernel, groups=count * bands)
    flat = functional.conv2d(flat, kernel.transpose(2, 3), groups=count * bands)
    return flat.reshape(dates.shape)


def _sharpened(dice: Dice, dates: Tensor) -> Tensor:
    """As image products are."""
    smooth = functional.avg_pool2d(functional.pad(dates, (1,) * 4, mode="reflect"), 3, 1)
    return dates + dice.chance(0.25) * dice.uniform(0.3, 1.2) * (dates - smooth)


def _standard(dice: Dice, dates: Tensor) -> Tensor:
    """As `inputs.Standard` makes it, but measured on more than this window: a little off."""
    some = dates[:, :, ::_EVERY, ::_EVERY].flatten(2)
    median = some.median(2, keepdim=True).values
    off = (some - median).abs().flatten(1)
    robust = MAD_TO_SIGMA * off.median(1).values
    spread = torch.maximum(robust, LEAST_OF_STD * off.square().mean(1).sqrt()).clamp(1e-3)[
        :, None, None, None
    ]
    middle = median[..., None] + spread * (dice.normal(0.2) + dice.normal(0.05, 3))
    standard = (dates - middle) / (spread * torch.exp(dice.normal(0.15)))
    return standard.clamp(-float(LIMIT), float(LIMIT))
