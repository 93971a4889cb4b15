"""Training of the fine network: samples by number, so that a seed sees the same ones in the same order."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import overload

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader, Dataset

from pipeline.train.fine.augment import augmented
from pipeline.train.fine.backgrounds import Background
from pipeline.train.fine.collage import collage
from pipeline.train.fine.light import relit
from pipeline.train.fine.loss import loss
from pipeline.train.fine.network import SiameseUNet
from pipeline.train.fine.register import misaligned
from pipeline.train.fine.sample import Sample, mosaic


@dataclass(frozen=True)
class Mixture:
    """Where samples come from, by chance: made towns and arid sites, collages of real images, own pairs."""

    town: float = 0.40
    arid: float = 0.34
    collage: float = 0.26
    own: float = 0.0
    coarser: float = 0.34  # chance that four samples become one at twice the pixel size


@dataclass(frozen=True)
class Recipe:
    """How long and how fast: as the shipped network was trained, ten minutes on a GPU of 2023 that is fed."""

    steps: int = 12_000
    batch: int = 48
    rate: float = 2.5e-3
    decay_from: float = 0.4  # share of the steps after which the rate falls to nothing
    average: float = 0.999  # of the weights that are kept, over steps


class Stored(Sequence[Sample]):
    """Samples in npz files, read when asked for."""

    def __init__(self, files: Sequence[Path]) -> None:
        self.files = files

    def __len__(self) -> int:
        return len(self.files)

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> Stored: ...
    def __getitem__(self, index: int | slice) -> Sample | Stored:
        if isinstance(index, slice):
            return Stored(self.files[index])
        with np.load(self.files[index]) as held:
            return Sample(held["images"], held["labels"])


class Samples(Dataset[tuple[Tensor, Tensor]]):
    """Sample `i` of a seed, always the same: counts (6, y, x) int16 and labels (4, y, x) uint8."""

    def __init__(
        self,
        stores: Mapping[str, Sequence[Sample]],
        grounds: Sequence[Background],
        mixture: Mixture,
        seed: int,
        count: int,
    ) -> None:
        self.stores, self.grounds, self.mixture, self.seed, self.count = stores, grounds, mixture, seed, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng([self.seed, index])
        sample = self._mosaic(rng, 0) if rng.random() < self.mixture.coarser else self._one(rng)
        images, labels = augmented(rng, sample)
        return torch.from_numpy(np.rint(images).astype(np.int16)), torch.from_numpy(labels)

    def _mosaic(self, rng: np.random.Generator, depth: int) -> Sample:
        """Four samples, some of which may themselves be made of four."""
        deeper = [depth == 0 and rng.random() < self.mixture.coarser for _ in range(4)]
        return mosaic([self._mosaic(rng, 1) if deep else self._one(rng) for deep in deeper])

    def _one(self, rng: np.random.Generator) -> Sample:
        chances = {
            name: getattr(self.mixture, name) for name in ("town", "arid", "own") if self.stores.get(name)
        }
        if self.grounds:
            chances["collage"] = self.mixture.collage
        share = np.array(list(chances.values()))
        name = str(rng.choice(list(chances), p=share / share.sum()))
        if name == "collage":
            return collage(rng, self.grounds)
        store = self.stores[name]
        return store[int(rng.integers(len(store)))]


def learn(
    samples: Samples,
    recipe: Recipe,
    network: nn.Module | None = None,
    first: int = 0,
    keep: Path | None = None,
) -> nn.Module:
    """The averaged network after `recipe.steps` steps; `network`, `first` go on where another stopped.

    On a GPU where there is one (then in bfloat16, and not the same to the byte). `keep`: a file for the
    weights as they are every 50 steps.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(samples.seed)
    network = (network or SiameseUNet()).to(device, memory_format=torch.channels_last)
    averaged = AveragedModel(network, avg_fn=partial(_followed, recipe.average), use_buffers=True)
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.rate, weight_decay=1e-2)
    seen: list[Tensor] = []
    for step, (counts, labels) in enumerate(_batches(samples, recipe, first), start=first):
        for group in optimiser.param_groups:
            group["lr"] = recipe.rate * _pace(step, first, recipe)
        network.train()
        chance = torch.Generator(device).manual_seed(hash((samples.seed, step)))
        moved, known = misaligned(counts.to(device), labels.to(device), chance)
        shown = relit(moved, chance).to(memory_format=torch.channels_last)
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            logits = network(shown)
        value = loss(logits.float(), known)
        optimiser.zero_grad(set_to_none=True)
        value.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        averaged.update_parameters(network)
        seen.append(value.detach())
        if step % 50 == 49:
            print(
                f"step {step + 1}: loss {float(torch.stack(seen[-50:]).mean()):.4f}",
                file=sys.stderr,
                flush=True,
            )
            if keep is not None:
                torch.save(
                    {"step": step + 1, "now": network.state_dict(), "mean": averaged.module.state_dict()},
                    keep,
                )
    mean: nn.Module = averaged.module.cpu()
    return mean


def _batches(samples: Samples, recipe: Recipe, first: int) -> Iterator[tuple[Tensor, Tensor]]:
    order = range(first * recipe.batch, recipe.steps * recipe.batch)
    workers = max((os.cpu_count() or 2) - 1, 1)
    loader = DataLoader(
        samples,
        recipe.batch,
        sampler=order,
        num_workers=workers,
        prefetch_factor=6,
        drop_last=True,
        pin_memory=torch.cuda.is_available(),
    )
    yield from loader


def _pace(step: int, first: int, recipe: Recipe) -> float:
    """Warm up, hold, and fall to nothing."""
    warm = min(1.0, (step - first + 1) / 200)
    left = (recipe.steps - step) / max(recipe.steps * (1 - recipe.decay_from), 1)
    return warm * min(1.0, left)


def _followed(most: float, kept: Tensor, new: Tensor, count: Tensor | int) -> Tensor:
    """Exponential mean of the weights (Polyak and Juditsky 1992), which soon forgets the first ones."""
    share = min(most, (1 + int(count)) / (10 + int(count)))
    return torch.lerp(new, kept, share) if kept.is_floating_point() else new
