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
from pipeline.stages.detect.classic.filters import reach
from pipeline.stages.detect.classic.null import Null
from pipeline.stages.detect.classic.scales import Scales, scales
from pipeline.stages.detect.classic.texture import Texture
from pipeline.stages.detect.detector import CHANGE, NOT_OBSERVED
from pipeline.stages.detect.predict import Predictor, fit_predictor

_LEAST_TYPICAL = 0.1  # surprise of images that are all but the same
_TYPICAL = 0.75  # quantile of the sample's surprise that is taken as 1
_NO_HATS = 0.3  # how far change counts where nothing stands out more or less than before
_WINDOWS = 24  # of the sample, whose scores say what is usual


@dataclass(frozen=True)
class Evidence:
    """How a scene's evidence is put together; enough to score any block of it."""

    bands: tuple[str, ...]
    forward: Predictor
    backward: Predictor
    texture: Texture
    scales: Scales
    typical_surprise: float = 1.0

    @property
    def reach(self) -> int:
        """Pixels around a pixel that its score hangs on."""
        hats = 2 * (max(self.scales.sizes) // 2) + reach(self.scales.shape)
        return max(1 + reach(self.scales.surprise), 1 + reach(self.scales.structure), hats)

    def surprise(self, pair: Pair) -> Float:
        """See `evidence.surprise`; (y, x), not yet against what is typical."""
        return evidence.surprise(pair, self.forward, self.backward, self.scales.surprise)

    def score(self, pair: Pair) -> Float:
        """Evidence for change (y, x), float32 >= 0."""
        level = np.float32(self.texture.level)
        before, after = (
            np.where(pair.observed, evidence.grey(image, self.bands) - level, np.float32(0))
            for image in (pair.before, pair.after)
        )
        structure = evidence.restructured(before, after, self.scales.structure, self.texture)
        hats = evidence.rebuilt(before, after, self.scales.shape, self.scales.sizes, self.texture)
        surprise = self.surprise(pair) / np.float32(self.typical_surprise)
        return np.asarray(surprise * np.sqrt(structure * (np.float32(_NO_HATS) + hats)))


@dataclass(frozen=True)
class ClassicModel:
    """A `Detector` that gives `change` alone."""

    evidence: Evidence
    null: Null
    name: str = "classic"
    layers: tuple[str, ...] = (CHANGE,)
    tile: int = 1

    @property
    def reach(self) -> int:
        """Pixels that a block needs around itself, so that blocks join without a seam."""
        return self.evidence.reach + evidence.halo_radius(self.evidence.scales.surprise)

    def score(self, pair: Pair) -> Float:
        """Evidence for change (y, x), float32 >= 0, without the rim around what changed."""
        return evidence.without_halo(self.evidence.score(pair), self.evidence.scales.surprise)

    def __call__(self, pair: Pair, origin: tuple[int, int] = (0, 0)) -> NDArray[np.uint8]:
        """Probability of change in percent (1, y, x), `NOT_OBSERVED` where either date was not seen."""
        del origin  # every pixel is judged by its neighbours alone, wherever it lies
        percent = np.rint(100 * self.null.probability(self.score(pair))).astype(np.uint8)
        return np.where(pair.observed, percent, np.uint8(NOT_OBSERVED))[None]

    def as_dict(self) -> dict[str, Any]:
        """As in run.json: the detector, its looks in pixels, the share of unchanged pixels that it calls
        changed, and the evidence at which change is as likely as not.
        """
        return {
            "name": self.name,
            "model": "evidence against the scene's own unchanged pixels, nothing learned",
            "scales_px": asdict(self.evidence.scales),
            **self.null.as_dict(),
        }


def fit_classic(sample: Sequence[Pair], bands: tuple[str, ...], resolution: float) -> ClassicModel:
    """Learn the scene from sample windows; `resolution` in metres a pixel.

    Raises NothingObservedError where the sample holds no pixel seen on both dates.
    """
    pixels = [pair.pixels() for pair in sample]
    before, after = (np.concatenate([p[i] for p in pixels], axis=1) for i in (0, 1))
    if before.shape[1] == 0:
        raise NothingObservedError("no pixel was observed on both dates, so nothing can be compared")
    scale = scales(resolution)
    seen = [pair for pair in sample if pair.observed.any()]
    some = [seen[i] for i in np.unique(np.linspace(0, len(seen) - 1, _WINDOWS).round().astype(int))]
    greys = [evidence.grey(image, bands) for pair in some for image in (pair.before, pair.after)]
    forward, backward = fit_predictor(before, after), fit_predictor(after, before)
    plain = Evidence(bands, forward, backward, Texture.of(greys, scale.structure), scale)
    surprises = np.concatenate([plain.surprise(pair)[pair.observed] for pair in some])
    typical = max(float(np.quantile(surprises, _TYPICAL)), _LEAST_TYPICAL)
    against = Evidence(bands, forward, backward, plain.texture, scale, typical)
    scores = np.concatenate([against.score(pair)[pair.observed] for pair in some])
    return ClassicModel(against, Null.of(scores))
