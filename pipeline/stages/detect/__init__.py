"""Stage 4, detect: how probable is it, at each pixel, that something was built (or removed) there?

Two passes. `Detect.fit` looks at a sample of windows and ends in a small `ChangeModel`; the model then
turns any block of the two images into a probability, on its own and without the rest of the image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import NothingObservedError
from pipeline.pair import Float, Pair
from pipeline.stages.detect import evidence
from pipeline.stages.detect.calibration import Calibration, calibration
from pipeline.stages.detect.evidence import Texture
from pipeline.stages.detect.predict import Predictor, fit_predictor

NOT_OBSERVED = 255
_LEAST_TYPICAL = 0.1  # surprise of images that are all but the same
_TYPICAL = 0.75  # quantile of the sample's surprise that is taken as 1


@dataclass(frozen=True)
class ChangeModel:
    """What a scene's unchanged pixels look like; enough to judge any block of it."""

    bands: tuple[str, ...]
    forward: Predictor
    backward: Predictor
    typical_surprise: float
    texture: Texture
    calibration: Calibration

    @property
    def reach(self) -> int:
        """Pixels that a block needs around itself, so that blocks join without a seam."""
        blur, structure = self.calibration.surprise_sigma, self.calibration.structure_sigma
        return max(1 + evidence.reach(blur), evidence.reach(structure)) + evidence.halo_radius(blur)

    def score(self, pair: Pair) -> Float:
        """Evidence for change (y, x), float32 >= 0, comparable between scenes."""
        surprise = self._surprise(pair) / np.float32(self.typical_surprise)
        before, after = (evidence.grey(image, self.bands) for image in (pair.before, pair.after))
        structure = evidence.restructured(
            before, after, pair.observed, self.calibration.structure_sigma, self.texture
        )
        return evidence.without_halo(surprise * np.sqrt(structure), self.calibration.surprise_sigma)

    def percent(self, pair: Pair) -> NDArray[np.uint8]:
        """Probability of change in percent (y, x), `NOT_OBSERVED` where either date was not seen."""
        percent = np.rint(100 * self.calibration.probability(self.score(pair))).astype(np.uint8)
        return np.where(pair.observed, percent, np.uint8(NOT_OBSERVED))

    def as_dict(self) -> dict[str, Any]:
        """As in run.json: the detector, its looks in pixels, and the evidence at which change is as likely
        as not.
        """
        return {"name": "classic", "typical_surprise": self.typical_surprise, **asdict(self.calibration)}

    def _surprise(self, pair: Pair) -> Float:
        return evidence.surprise(pair, self.forward, self.backward, self.calibration.surprise_sigma)


@dataclass(frozen=True)
class Detect:
    """Judge change by how far each date is from what the other predicts, and by how far the local pattern
    differs.
    """

    detector: Literal["auto", "classic"] = "auto"  # `auto` takes the best one that fits the images

    def fit(self, sample: Sequence[Pair], bands: tuple[str, ...], resolution: float) -> ChangeModel:
        """Learn the scene from sample windows; `resolution` in metres a pixel.

        Raises NothingObservedError where the sample holds no pixel seen on both dates.
        """
        pixels = [pair.pixels() for pair in sample]
        before, after = (np.concatenate([p[i] for p in pixels], axis=1) for i in (0, 1))
        if before.shape[1] == 0:
            raise NothingObservedError("no pixel was observed on both dates, so nothing can be compared")
        scale = calibration(resolution)
        forward, backward = fit_predictor(before, after), fit_predictor(after, before)
        surprises = [
            evidence.surprise(pair, forward, backward, scale.surprise_sigma)[pair.observed] for pair in sample
        ]
        greys = [evidence.grey(image, bands) for pair in sample for image in (pair.before, pair.after)]
        return ChangeModel(
            bands=bands,
            forward=forward,
            backward=backward,
            typical_surprise=max(float(np.quantile(np.concatenate(surprises), _TYPICAL)), _LEAST_TYPICAL),
            texture=Texture.of(greys, scale.structure_sigma),
            calibration=scale,
        )
