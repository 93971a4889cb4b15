"""What an object looks like: its shape, and its ground on both dates against the ground around it.

Every measure is a ratio, a share or a logarithm, so that it carries over between scenes, sensors and seasons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from operator import attrgetter

import numpy as np
import scipy
from numpy.typing import NDArray

from pipeline.pair import Float, Mask, Pair
from pipeline.stages.flag.look import Look, correlation, look
from pipeline.stages.flag.shape import Shape, measure_shape

RING_PX = 8  # pixels around an object that stand for its surroundings
NEARBY_M = 20.0
_GAP_PX = 2  # between the object and its surroundings: blurred edges belong to neither


_EACH = attrgetter(*(field.name for field in fields(Look)))


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
        shape, before, after = self.shape, np.array(_EACH(self.before)), np.array(_EACH(self.after))
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
        each = [f.name for f in fields(Look)]
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
            + [f"{name} {when}" for when in ("before", "after", "changed") for name in each]
            + ["high percent", "sure", "stands out"]
        )


def measure(
    pair: Pair, inside: Mask, free: Mask, percent: Float, bands: Sequence[str], pixel_m: float
) -> Measures:
    """Measure the object `inside` (y, x) of a window; `free` marks observed pixels that belong to no
    object.
    """
    away = scipy.ndimage.distance_transform_cdt(~inside, "taxicab")
    ring = (away > _GAP_PX) & (away <= RING_PX) & free
    if not ring.any():
        ring = free & ~inside if (free & ~inside).any() else pair.observed
    values = percent[inside]
    looks = [look(image, inside, ring, bands) for image in (pair.before, pair.after)]
    greys = [image[:, inside].mean(axis=0) for image in (pair.before, pair.after)]
    return Measures(
        shape=measure_shape(inside, pixel_m),
        before=looks[0],
        after=looks[1],
        alike=correlation(*greys),
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
    tree = scipy.spatial.cKDTree(centres)
    return np.asarray(tree.query_ball_point(centres, NEARBY_M, return_length=True), np.intp) - 1
