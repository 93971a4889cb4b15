"""What an object looks like: its shape, and its ground on both dates against the ground around it.

Every measure is a ratio, a share or a logarithm, so that it carries over between scenes, sensors and seasons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from pipeline.pair import Float, Mask, Pair
from pipeline.stages.flag.shape import Shape, measure_shape

RING_PX = 8  # pixels around an object that stand for its surroundings
NEARBY_M = 20.0
_GAP_PX = 2  # between the object and its surroundings: blurred edges belong to neither
_DARK = 0.6  # of the surroundings' median: in shadow, or as good as
_BRIGHT = 1.35


@dataclass(frozen=True)
class Look:
    """An object's ground on one date, relative to its surroundings on that date."""

    contrast: float  # mean brightness inside over that around, log
    dark: float  # share of pixels in the dark
    bright: float  # share of pixels that stand out bright
    texture: float  # standard deviation inside over mean brightness around
    colour: float  # spread of colour inside
    edge: float  # gradient along the outline, over mean brightness around
    vegetation: float  # NDVI, or excess green where there is no near infrared


@dataclass(frozen=True)
class Measures:
    """All that is known of one object."""

    shape: Shape
    before: Look
    after: Look
    alike: float  # correlation of both dates inside
    percent: float  # mean probability of change
    pixels: int
    high: float = 0.0  # 90th percentile of the probability of change, percent
    sure: float = 0.0  # share of pixels where change is more likely than not
    stands_out: float = 0.0  # mean probability of change, over that of the surroundings, percent
    crowd: float = 0.0  # other objects nearby

    def vector(self) -> NDArray[np.float64]:
        """As numbers for a linear model; the order is that of `names`."""
        shape, before, after = self.shape, np.array(astuple(self.before)), np.array(astuple(self.after))
        size = [
            np.log(shape.area_m2),
            np.log(shape.length_m),
            np.log(shape.width_m),
            np.log(shape.length_m / shape.width_m),
            np.log(self.pixels),
            shape.rectangularity,
            shape.solidity,
        ]
        rest = [self.alike, self.percent / 100, np.log1p(self.crowd)]
        layer = [self.high / 100, self.sure, self.stands_out / 100]
        return np.concatenate([size, rest, before, after, np.abs(after - before), layer])

    def by_name(self) -> dict[str, float]:
        """The numbers of `vector`, by name."""
        return dict(zip(self.names(), self.vector().tolist(), strict=True))

    @staticmethod
    def names() -> list[str]:
        """What each number of `vector` is."""
        look = [f.name for f in fields(Look)]
        size = [
            "log area",
            "log length",
            "log width",
            "log elongation",
            "log pixels",
            "rectangularity",
            "solidity",
        ]
        return (
            size
            + ["alike", "percent", "log crowd"]
            + [f"{name} {when}" for when in ("before", "after", "changed") for name in look]
            + ["high percent", "sure", "stands out"]
        )


def measure(
    pair: Pair, inside: Mask, free: Mask, percent: Float, bands: Sequence[str], pixel_m: float
) -> Measures:
    """Measure the object `inside` (y, x) of a window; `free` marks observed pixels that belong to no
    object.
    """
    away = ndimage.distance_transform_cdt(~inside, "taxicab")
    ring = (away > _GAP_PX) & (away <= RING_PX) & free
    if not ring.any():
        ring = free & ~inside if (free & ~inside).any() else pair.observed
    values = percent[inside]
    looks = [_look(image, inside, ring, bands) for image in (pair.before, pair.after)]
    greys = [image.mean(axis=0)[inside] for image in (pair.before, pair.after)]
    return Measures(
        shape=measure_shape(inside, pixel_m),
        before=looks[0],
        after=looks[1],
        alike=_correlation(*greys),
        percent=float(values.mean()),
        pixels=len(values),
        high=float(np.quantile(values, 0.9)),
        sure=float((values >= 50).mean()),
        stands_out=float(values.mean()) - float(percent[ring].mean()),
    )


def crowds(centres: NDArray[np.float64]) -> NDArray[np.intp]:
    """How many other objects lie within `NEARBY_M` of each; centres (n, 2) in metres."""
    if len(centres) == 0:
        return np.zeros(0, np.intp)
    tree = cKDTree(centres)
    return np.asarray(tree.query_ball_point(centres, NEARBY_M, return_length=True), np.intp) - 1


def vegetation(image: Float, bands: Sequence[str]) -> Float:
    """NDVI (Tucker 1979) where there is near infrared, else twice the excess green index (Woebbecke 1995);
    (y, x).
    """
    index = {name: i for i, name in enumerate(bands)}
    tiny = np.float32(1e-4)
    if "nir" in index and "red" in index:
        nir, red = image[index["nir"]], image[index["red"]]
        return np.asarray((nir - red) / np.maximum(nir + red, tiny))
    if {"red", "green", "blue"} <= index.keys():
        red, green, blue = (image[index[name]] for name in ("red", "green", "blue"))
        return np.asarray(2 * (2 * green - red - blue) / np.maximum(red + green + blue, tiny))
    return np.zeros(image.shape[1:], np.float32)


def _look(image: Float, inside: Mask, ring: Mask, bands: Sequence[str]) -> Look:
    grey = np.maximum(image.mean(axis=0), np.float32(1e-4))
    level = max(float(np.median(grey[ring])), 1e-4)
    own = image[:, inside]
    values = np.maximum(own.mean(axis=0), np.float32(1e-4))
    outline = inside ^ ndimage.binary_erosion(inside)
    filled = np.where(np.isnan(grey), np.float32(level), grey)
    share = own / np.maximum(own.sum(axis=0), np.float32(1e-4))
    return Look(
        contrast=float(np.log(max(float(values.mean()), 1e-4) / level)),
        dark=float((values < _DARK * level).mean()),
        bright=float((values > _BRIGHT * level).mean()),
        texture=float(values.std()) / level,
        colour=float(share.std(axis=1).mean()) * len(bands),
        edge=float(_gradient(filled)[outline].mean()) / level,
        vegetation=float(vegetation(own[:, None], bands).mean()),
    )


def _gradient(image: Float) -> Float:
    """Its size (y, x), smoothed by one pixel."""
    soft = ndimage.gaussian_filter(image, 1.0)
    return np.hypot(*np.gradient(soft)) if min(image.shape) > 1 else np.zeros_like(soft)


def _correlation(a: Float, b: Float) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / max(float(np.sqrt((a * a).sum() * (b * b).sum())), 1e-9))
