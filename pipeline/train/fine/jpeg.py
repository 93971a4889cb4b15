"""JPEG's losses on whole batches: colour at half the resolution, cosine terms in whole steps (ITU-T T.81)."""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

# Annex K of the standard: steps of brightness and of colour at quality 50.
_BRIGHTNESS: Final = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_COLOUR: Final = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * 8,) * 4,
)
_TO_YCC: Final = (
    (0.299, 0.587, 0.114),
    (-0.168736, -0.331264, 0.5),
    (0.5, -0.418688, -0.081312),
)


def compressed(images: Tensor, quality: Tensor) -> Tensor:
    """Red, green, blue (batch, 3, y, x) in 0..255 as JPEG of `quality` (batch,) 1..100 gives them back.

    y and x are multiples of 8, of 16 for exact half-resolution colour.
    """
    to_ycc = torch.tensor(_TO_YCC, device=images.device)
    counts = images.clamp(0, 255).round()
    ycc = torch.einsum("ij,njyx->niyx", to_ycc, counts)
    step = torch.where(quality < 50, 5000 / quality, 200 - 2 * quality)[:, None, None] / 100
    bright = _quantised(ycc[:, :1] - 128, step * torch.tensor(_BRIGHTNESS, device=images.device)) + 128
    colour = _quantised(
        functional.avg_pool2d(ycc[:, 1:], 2), step * torch.tensor(_COLOUR, device=images.device)
    )
    colour = functional.interpolate(colour, scale_factor=2.0, mode="bilinear", align_corners=False)
    back = torch.einsum("ij,njyx->niyx", torch.linalg.inv(to_ycc), torch.cat([bright, colour], 1))
    return back.round().clamp(0, 255)


def _quantised(planes: Tensor, steps: Tensor) -> Tensor:
    """Planes (batch, n, y, x), the cosine terms of each square of 8 x 8 rounded to `steps` (batch, 8, 8)."""
    count, bands, height, width = planes.shape
    basis = _cosines(planes.device)
    steps = steps.round().clamp(1, 255)[:, None, None, None]
    squares = planes.reshape(count, bands, height // 8, 8, width // 8, 8).transpose(3, 4)
    terms = basis @ squares @ basis.T
    rounded = basis.T @ ((terms / steps).round() * steps) @ basis
    return rounded.transpose(3, 4).reshape(planes.shape)


def _cosines(device: torch.device) -> Tensor:
    """The orthonormal cosine transform of eight values (Ahmed, Natarajan and Rao 1974)."""
    number = torch.arange(8, device=device)
    basis = torch.cos(math.pi / 8 * (number + 0.5) * number[:, None]) / 2
    return basis * torch.where(number == 0, math.sqrt(0.5), 1.0)[:, None]
