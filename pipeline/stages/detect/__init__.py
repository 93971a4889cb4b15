"""Stage 4, detect: how probable is it, at each pixel, that something was built (or removed) there?

Two passes. `Detect.fit` looks at a sample of windows and ends in a small `Detector`, fitted to the scene;
that turns any block of the two images into layers of percentages, on its own and without the rest of the
image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.pair import Pair
from pipeline.stages.detect.classic import fit_classic
from pipeline.stages.detect.detector import NOT_OBSERVED, Detector

__all__ = ["NOT_OBSERVED", "Detect", "Detector"]


@dataclass(frozen=True)
class Detect:
    """Which detector looks at the images."""

    detector: Literal["auto", "classic"] = "auto"  # `auto` takes the best one that fits the images

    def fit(self, sample: Sequence[Pair], bands: tuple[str, ...], resolution: float) -> Detector:
        """The detector for a scene, from sample windows of it; `resolution` in metres a pixel.

        Raises NothingObservedError where the sample holds no pixel seen on both dates.
        """
        return fit_classic(sample, bands, resolution)
