"""Stage 4, detect: how probable is it, at each pixel, that something was built (or removed) there?

Two passes. `Detect.fit` looks at a sample of windows and ends in a small `Detector`, fitted to the scene;
that turns any block of the two images into layers of percentages, on its own and without the rest of the
image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from pipeline.errors import ModelError
from pipeline.pair import Pair
from pipeline.regime import regime
from pipeline.stages.detect.choice import FINE, ONNX, SECOND, chosen, known
from pipeline.stages.detect.detector import NOT_OBSERVED, Detector
from pipeline.stages.detect.learned import Looks, Network, fit_networks, open_network
from pipeline.stages.detect.learned.network import SHIPPED, shipped
from pipeline.stages.detect.weights import checksums

__all__ = ["NOT_OBSERVED", "Detect", "Detector"]


@dataclass(frozen=True)
class Detect:
    """Which detector looks at the images."""

    detector: Annotated[str, AfterValidator(known)] = "auto"
    """auto (the best one that fits the images), classic, learned, or onnx:PATH."""

    looks: Looks = 2
    """How the networks see the images: as they are, or also flipped (2, 4) and turned (8), and averaged."""

    threads: Annotated[int, Field(ge=1, le=64)] = 1
    """Of one network; Dask runs several of them beside each other."""

    def __post_init__(self) -> None:
        known(self.detector)

    def check(self) -> None:
        """Raises ModelError where a user's model is not there or not what it should be."""
        if self.detector.startswith(ONNX):
            self._users_model()

    def chosen(self, bands: tuple[str, ...], resolution: float) -> str:
        """The detector that is taken for images of these bands and of `resolution` metres a pixel."""
        return chosen(self.detector, bands, resolution)

    def checksums(self) -> dict[str, str]:
        """SHA-256 of the weights that the answer may follow from, by file name."""
        return checksums(self.detector)

    def fit(self, sample: Sequence[Pair], bands: tuple[str, ...], resolution: float) -> Detector:
        """The detector for a scene, from sample windows of it; `resolution` in metres a pixel.

        Raises NothingObservedError where the sample holds no pixel seen on both dates, ModelError where the
        model is not there or not what it should be, BandError where it wants other bands.
        """
        name = chosen(self.detector, bands, resolution)
        if name == "classic":
            from pipeline.stages.detect.classic import fit_classic

            return fit_classic(sample, bands, resolution)
        if name.startswith(ONNX):
            return fit_networks(
                (self._users_model(),), sample, bands, resolution, name="onnx", looks=self.looks
            )
        if regime(resolution) == "coarse":
            from pipeline.stages.detect.coarse import fit_coarse

            return fit_coarse(sample, bands, resolution)
        if not shipped(FINE):
            raise ModelError(f"there is no learned detector for images of {resolution:.3g} m; take classic")
        networks = tuple(open_network(SHIPPED + name, self.threads) for name in (FINE, SECOND))
        return fit_networks(networks, sample, bands, resolution, looks=self.looks)

    def _users_model(self) -> Network:
        return open_network(str(Path(self.detector.removeprefix(ONNX)).absolute()), self.threads)
