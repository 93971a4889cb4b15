"""The learned detector of coarse images, fitted to one scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from pipeline.pair import Float, Mask, Pair
from pipeline.shipped import shipped_weights
from pipeline.stages.detect.coarse import maps, windows
from pipeline.stages.detect.coarse.measure import measure
from pipeline.stages.detect.coarse.scene import Scene
from pipeline.stages.detect.coarse.trees import Trees
from pipeline.stages.detect.detector import CHANGE, NOT_OBSERVED

WEIGHTS = "stages/detect/coarse/trees.npz"
MODELS = {
    "six": ("blue", "green", "red", "nir", "swir16", "swir22"),
    "four": ("blue", "green", "red", "nir"),
    "three": ("blue", "green", "red"),
    "one": ("red",),
}
"""The models that ship, and the bands that each looks at; a scene takes the first whose bands it has."""

STEP = 3  # every so many pixels, on the site's grid, a first look decides about those around
_AT_ONCE = 2048  # pixels, whose evidence (2 MB) stays near
_ROWS = 600  # that are looked at together, at most: their sums take 80 MB, those of a whole block twice that
NEVER = -20.0  # logit where the first look ends the matter


@dataclass(frozen=True)
class Model:
    """`trees`: their sum is the logit of change. `looks`: how many of them the first look takes, and `least`,
    the sum that they must reach. The probability is `expit(slope * (logit - even))`.
    """

    trees: Trees
    looks: int
    least: float
    even: float
    slope: float

    @classmethod
    def from_arrays(cls, arrays: Any, name: str) -> Model:
        """From the weights' file."""
        looks, least, even, slope = (float(value) for value in arrays[f"{name}_curve"])
        return cls(Trees.from_arrays(arrays, name), int(looks), least, even, slope)

    def arrays(self, name: str) -> dict[str, NDArray[Any]]:
        """As `from_arrays` reads it."""
        curve = np.array([self.looks, self.least, self.even, self.slope], np.float64)
        return self.trees.arrays(name) | {f"{name}_curve": curve}


@dataclass(frozen=True)
class CoarseDetector:
    """Boosted trees over what a pixel and its surroundings say of change, against the scene as a whole."""

    model: Model
    model_name: str
    scene: Scene
    name: str = "learned"
    layers: tuple[str, ...] = (CHANGE,)
    tile: int = 1
    reach: int = windows.REACH + maps.TOLERANCE_REACH + STEP

    def __call__(self, pair: Pair, origin: tuple[int, int] = (0, 0)) -> NDArray[np.uint8]:
        """Percent (1, y, x), as `Detector` has it."""
        chance = expit(
            np.float32(self.model.slope) * (self.logit(pair, origin) - np.float32(self.model.even))
        )
        percent = np.rint(100 * chance).astype(np.uint8)
        return np.where(pair.observed, percent, np.uint8(NOT_OBSERVED))[None]

    def logit(self, pair: Pair, origin: tuple[int, int] = (0, 0)) -> Float:
        """The trees' sum (y, x) float32, `NEVER` where a first look finds nothing or nothing was observed."""
        height, width = pair.observed.shape
        out = np.empty((height, width), np.float32)
        step = -(-height // -(-height // _ROWS))
        for start in range(0, height, step):
            rows = slice(start, min(start + step, height))
            around = slice(max(0, rows.start - self.reach), min(height, rows.stop + self.reach))
            part = self._strip(pair.window(around, slice(0, width)), (origin[0] + around.start, origin[1]))
            out[rows] = part[rows.start - around.start :][: rows.stop - rows.start]
        return out

    def _strip(self, pair: Pair, origin: tuple[int, int]) -> Float:
        out = np.full(pair.observed.shape, NEVER, np.float32)
        if not pair.observed.any():
            return out
        whole = maps.maps(pair, self.scene)
        sums = windows.totals(whole)
        rows, cols = np.nonzero(self._promising(whole, sums, pair.observed, origin))
        out[rows, cols] = self._sums(whole, sums, rows, cols)
        return out

    def _sums(
        self,
        whole: maps.Whole,
        sums: windows.Totals,
        rows: windows.Places,
        cols: windows.Places,
        trees: int | None = None,
    ) -> Float:
        """The sum (n,) of the first `trees` at n pixels, so many at a time that their evidence stays near."""
        out, wanted = np.empty(len(rows), np.float32), self.model.trees.used(trees)
        for start in range(0, len(rows), _AT_ONCE):
            some = slice(start, start + _AT_ONCE)
            evidence = windows.evidence(whole, sums, rows[some], cols[some], self.scene.scales, wanted)
            out[some] = self.model.trees(evidence, 0, trees)
        return out

    def as_dict(self) -> dict[str, Any]:
        """As in run.json."""
        return {
            "name": self.name,
            "model": f"coarse, {self.model_name} bands",
            "bands": list(MODELS[self.model_name]),
            "trees": len(self.model.trees.roots),
            "even": self.model.even,
            "slope": self.model.slope,
        }

    def _promising(
        self, whole: maps.Whole, sums: windows.Totals, observed: Mask, origin: tuple[int, int]
    ) -> Mask:
        """Observed pixels beside one of the grid's every `STEP`th that the first trees do not rule out."""
        rows, cols = (
            np.arange(-first % STEP, size, STEP) for first, size in zip(origin, observed.shape, strict=True)
        )
        rows, cols = (places.ravel() for places in np.meshgrid(rows, cols, indexing="ij"))
        seen = observed[rows, cols]
        rows, cols = rows[seen], cols[seen]
        keep = self._sums(whole, sums, rows, cols, self.model.looks) >= np.float32(self.model.least)
        around = np.zeros(observed.shape, bool)
        for down in range(-(STEP // 2), STEP // 2 + 1):
            for right in range(-(STEP // 2), STEP // 2 + 1):
                y, x = rows[keep] + down, cols[keep] + right
                inside = (y >= 0) & (y < observed.shape[0]) & (x >= 0) & (x < observed.shape[1])
                around[y[inside], x[inside]] = True
        return np.asarray(around & observed)


@cache
def shipped(name: str) -> Model:
    """A model of the package, by its name in `MODELS`."""
    with np.load(BytesIO(shipped_weights(WEIGHTS)), allow_pickle=False) as arrays:
        return Model.from_arrays(arrays, name)


def fit_coarse(
    sample: Sequence[Pair], bands: tuple[str, ...], resolution: float, model: Model | None = None
) -> CoarseDetector:
    """The detector for a scene; `resolution`, in metres a pixel, does not matter: evidence is in pixels.

    Raises NothingObservedError where the sample holds no pixel seen on both dates.
    """
    name = model_for(bands)
    scene = measure(sample, bands, MODELS[name])
    return CoarseDetector(model or shipped(name), name, scene)


def model_for(bands: Sequence[str]) -> str:
    """The model for images with `bands`; one of a single band where no other fits."""
    return next((name for name, wanted in MODELS.items() if set(wanted) <= set(bands)), "one")
