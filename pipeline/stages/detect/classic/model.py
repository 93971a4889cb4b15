"""What a scene's unchanged pixels look like, and how probable change is against that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import NothingObservedError
from pipeline.pair import Float, Pair
from pipeline.stages.detect.classic import evidence
from pipeline.stages.detect.classic.calibration import Calibration, calibration
from pipeline.stages.detect.classic.evidence import Texture
from pipeline.stages.detect.detector import CHANGE, NOT_OBSERVED
from pipeline.stages.detect.predict import Predictor, fit_predictor

_LEAST_TYPICAL = 0.1  # surprise of images that are all but the same
_TYPICAL = 0.75  # quantile of the sample's surprise that is taken as 1


@dataclass(frozen=True)
class ClassicModel:
    """A `Detector` that gives `change` alone."""

    bands: tuple[str, ...]
    forward: Predictor
    backward: Predictor
    typical_surprise: float
    texture: Texture
    calibration: Calibration
    name: str = "classic"
    layers: tuple[str, ...] = (CHANGE,)
    tile: int = 1

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

    def __call__(self, pair: Pair, origin: tuple[int, int] = (0, 0)) -> NDArray[np.uint8]:
        """Probability of change in percent (1, y, x), `NOT_OBSERVED` where either date was not seen."""
        del origin  # every pixel is judged by its neighbours alone, wherever it lies
        percent = np.rint(100 * self.calibration.probability(self.score(pair))).astype(np.uint8)
        return np.where(pair.observed, percent, np.uint8(NOT_OBSERVED))[None]

    def as_dict(self) -> dict[str, Any]:
        """As in run.json: the detector, its looks in pixels, and the evidence at which change is as likely
        as not.
        """
        return {"name": self.name, "typical_surprise": self.typical_surprise, **asdict(self.calibration)}

    def _surprise(self, pair: Pair) -> Float:
        return evidence.surprise(pair, self.forward, self.backward, self.calibration.surprise_sigma)


def fit_classic(sample: Sequence[Pair], bands: tuple[str, ...], resolution: float) -> ClassicModel:
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
    return ClassicModel(
        bands=bands,
        forward=forward,
        backward=backward,
        typical_surprise=max(float(np.quantile(np.concatenate(surprises), _TYPICAL)), _LEAST_TYPICAL),
        texture=Texture.of(greys, scale.structure_sigma),
        calibration=scale,
    )
