"""Random numbers for a whole batch at once."""

from __future__ import annotations

import torch
from torch import Tensor


class Dice:
    """Random numbers for `count` dates, each shaped (count, 1, 1, 1) or with as many bands as asked for."""

    def __init__(self, generator: torch.Generator, count: int) -> None:
        self.generator, self.count = generator, count

    def _shape(self, bands: int) -> tuple[int, int, int, int]:
        return self.count, bands, 1, 1

    def uniform(self, low: float, high: float, bands: int = 1) -> Tensor:
        """Evenly spread."""
        drawn = torch.rand(self._shape(bands), generator=self.generator, device=self.generator.device)
        return low + (high - low) * drawn

    def normal(self, sigma: float, bands: int = 1) -> Tensor:
        """Normal around 0."""
        drawn = torch.randn(self._shape(bands), generator=self.generator, device=self.generator.device)
        return sigma * drawn

    def noise(self, shape: torch.Size) -> Tensor:
        """Normal around 0, sigma 1, of this shape."""
        return torch.randn(shape, generator=self.generator, device=self.generator.device)

    def chance(self, share: float) -> Tensor:
        """1 in `share` of the dates, else 0."""
        return (self.uniform(0, 1) < share).float()
