"""Networks fitted to one scene: the scene's levels and contrasts, and the tiles on which they are run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import NothingObservedError
from pipeline.pair import Float, Pair
from pipeline.stages.detect.detector import NOT_OBSERVED
from pipeline.stages.detect.learned.inputs import Standard, halved, nearest_bands, pair_input
from pipeline.stages.detect.learned.looks import Looks, averaged
from pipeline.stages.detect.learned.metadata import STRIDE
from pipeline.stages.detect.learned.network import Network
from pipeline.stages.detect.learned.outputs import doubled, probabilities
from pipeline.stages.detect.learned.screen import difference
from pipeline.stages.detect.learned.tiles import Tile, Tiling

_SAMPLE_PIXELS = 400_000
_FAINT = 0.1  # probability of change under which a tile needs no second look


@dataclass(frozen=True)
class LearnedModel:
    """A `Detector` that asks a network, or some in turn that are used alike.

    `standards`: of before and of after; None where the network wants the images' own values. `halvings`: how
    often images are averaged by two before it sees them.
    """

    name: Literal["learned", "onnx"]
    networks: tuple[Network, ...]
    bands: tuple[int, ...]
    standards: tuple[Standard, Standard] | None
    halvings: int
    looks: Looks = 1

    @property
    def network(self) -> Network:
        """The first, which speaks for all of how they are used."""
        return self.networks[0]

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of what it gives, `change` first."""
        return self.network.layers

    @property
    def reach(self) -> int:
        """Pixels that a block of whole tiles needs around itself."""
        return self.network.metadata.overlap << self.halvings

    @property
    def tile(self) -> int:
        """Side of a tile in the images' pixels."""
        return self.network.tile << self.halvings

    def __call__(self, pair: Pair, origin: tuple[int, int] = (0, 0)) -> NDArray[np.uint8]:
        """Percent (layer, y, x), `NOT_OBSERVED` where either date was not seen."""
        before, after = (image[list(self.bands)] for image in _dates(pair, self.network.metadata.normalised))
        layers = np.zeros((len(self.layers), *pair.observed.shape), np.uint8)
        tiling = Tiling(self.tile, self.reach, STRIDE << self.halvings, self.network.size is not None)
        height, width = pair.observed.shape
        for tile in tiling((height, width), origin):
            if pair.observed[tile.window].any():
                shown = self._input(tile.cut(before), tile.cut(after))
                if difference(shown) > self.network.metadata.screen:
                    layers[:, *tile.window] = self._percent(shown, tile)
        return np.where(pair.observed, layers, np.uint8(NOT_OBSERVED))

    def as_dict(self) -> dict[str, Any]:
        """As in run.json: which network, what it was shown, its calibration and its card."""
        return {
            "name": self.name,
            "models": [_as_dict(network) for network in self.networks],
            "looks": self.looks,
            "averaged_by": 1 << self.halvings,
        }

    def _input(self, before: Float, after: Float) -> Float:
        for _ in range(self.halvings):
            before, after = halved(before), halved(after)
        if self.standards is None:
            return np.asarray(np.nan_to_num(np.concatenate([before, after]), nan=0.0), np.float32)
        return pair_input(before, after, self.standards)

    def _percent(self, shown: Float, tile: Tile) -> NDArray[np.uint8]:
        whole = self.halvings == 0
        kept = tile.kept if whole else (slice(None), slice(None))  # the margin need be no probability
        chances = [
            lambda said, metadata=network.metadata: probabilities(said[:, *kept], metadata)
            for network in self.networks
        ]
        chance = averaged(self.networks, chances, shown, self.looks, _FAINT)
        for _ in range(self.halvings):
            chance = doubled(chance)
        return _rounded(chance if whole else chance[:, *tile.kept])


def _as_dict(network: Network) -> dict[str, Any]:
    metadata = network.metadata
    return {
        "file": network.file,
        "sha256": network.checksum,
        "calibration": {"temperature": metadata.temperature, "bias": metadata.bias},
        "card": metadata.card,
    }


def _rounded(chance: Float) -> NDArray[np.uint8]:
    return np.asarray(np.rint(np.float32(100) * chance), np.uint8)


def fit_networks(
    networks: tuple[Network, ...],
    sample: Sequence[Pair],
    bands: tuple[str, ...],
    resolution: float,
    *,
    name: Literal["learned", "onnx"] = "learned",
    looks: Looks = 1,
) -> LearnedModel:
    """Measure the scene on sample windows; `resolution` in metres a pixel. All `networks` are used as the
    first says.

    Raises NothingObservedError where the sample holds no pixel seen on both dates.
    """
    metadata = networks[0].metadata
    halvings = 0
    while resolution * 2**halvings < metadata.finest * (1 - 1e-3):
        halvings += 1
    chosen = nearest_bands(bands, metadata.bands)
    if not any(pair.observed.any() for pair in sample):
        raise NothingObservedError("no pixel was observed on both dates, so nothing can be compared")
    standards = None
    if metadata.scaling == "scene":
        dates = [_dates(pair, metadata.normalised) for pair in sample]
        before, after = (
            Standard.of(_pixels([image[list(chosen)] for image in images], halvings))
            for images in zip(*dates, strict=True)
        )
        standards = before, after
    return LearnedModel(name, networks, chosen, standards, halvings, looks)


def _dates(pair: Pair, normalised: bool) -> tuple[Float, Float]:
    """Before, and after in the light of before or in its own."""
    return pair.before, pair.after if normalised else pair.as_delivered()


def _pixels(images: Sequence[Float], halvings: int) -> Float:
    """Observed pixels (band, n), not too many, of sample windows averaged down as the network sees them."""
    step = 1 << halvings
    parts = []
    for image in images:
        _, height, width = image.shape
        part = image[:, : height // step * step, : width // step * step]
        for _ in range(halvings):
            part = halved(part)
        parts.append(part.reshape(len(part), -1))
    pixels = np.concatenate(parts, axis=1)
    pixels = pixels[:, ~np.isnan(pixels).any(axis=0)]
    return pixels[:, :: max(1, pixels.shape[1] // _SAMPLE_PIXELS)]
