"""The fine network: a siamese U-Net (Daudt et al. 2018, "Fully Convolutional Siamese Networks for Change
Detection").

Both dates go through one encoder; at each level before, after and their absolute difference are joined and
go into one decoder. Needs torch, which is for training only.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

WIDTHS: Final = (16, 32, 64, 128, 192)  # channels at a half, a quarter, ... of the resolution
CHANNELS: Final = (
    "nothing",
    "building",
    "road",
    "earthwork",
    "clearing",
    "equipment",
    "removed",
    "stood",
    "stands",
)
DELIVERED: Final = 8  # of CHANNELS: `stands`, buildings after, only helps to learn


def _convolutions(inputs: int, outputs: int, count: int) -> nn.Sequential:
    """3 x 3 convolutions, each with batch norm and ReLU."""
    layers: list[nn.Module] = []
    for number in range(count):
        start = inputs if number == 0 else outputs
        layers += [
            nn.Conv2d(start, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers)


class SiameseUNet(nn.Module):
    """(batch, 6, y, x) standardised red, green, blue of both dates to (batch, len(CHANNELS), y, x) logits.

    y and x are multiples of 32. The finest level, where most of the time goes, has one convolution only.
    """

    def __init__(self, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        inputs, counts = (12, *widths[:-1]), (1,) + (2,) * (len(widths) - 1)
        self.encoder = nn.ModuleList(
            _convolutions(i, o, n) for i, o, n in zip(inputs, widths, counts, strict=True)
        )
        self.joint = nn.ModuleList(
            nn.Sequential(nn.Conv2d(3 * w, w, 1, bias=False), nn.BatchNorm2d(w), nn.ReLU(inplace=True))
            for w in widths
        )
        wide = (*widths[-1:0:-1], max(widths[0], 24))
        self.decoder = nn.ModuleList(
            _convolutions(low + skip, high, n)
            for low, high, skip, n in zip(wide, wide[1:], widths[-2::-1], counts[::-1], strict=False)
        )
        self.head = nn.Conv2d(wide[-1], 4 * len(CHANNELS), 1)

    def forward(self, pair: Tensor) -> Tensor:
        """Logits of every channel at every pixel."""
        dates = functional.pixel_unshuffle(torch.cat([pair[:, :3], pair[:, 3:]]), 2)
        joined = []
        for level, (encode, join) in enumerate(zip(self.encoder, self.joint, strict=True)):
            dates = encode(dates if level == 0 else functional.max_pool2d(dates, 2))
            before, after = dates.chunk(2)
            joined.append(join(torch.cat([before, after, (before - after).abs()], 1)))
        found = joined[-1]
        for decode, skip in zip(self.decoder, joined[-2::-1], strict=True):
            found = decode(
                torch.cat([functional.interpolate(found, scale_factor=2.0, mode="nearest"), skip], 1)
            )
        return functional.pixel_shuffle(self.head(found), 2)
