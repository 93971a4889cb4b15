"""What a detector's layers say of one object: the numbers that its confidence is taken from."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import scipy

from pipeline.pair import Mask
from pipeline.stages.detect.detector import KINDS, REMOVED, STANDING
from pipeline.stages.flag.segment import Bytes
from pipeline.stages.flag.shape import Shape

RING_PX = 8  # pixels around an object that stand for its surroundings
_GAP_PX = 2  # between the object and its surroundings: blurred edges belong to neither


def names() -> list[str]:
    """What each number of `stats` is."""
    layer = ["mean", "high", "low", "sure", "stands out", "faint around"]
    shape = ["log area", "log pixels", "log elongation", "rectangularity", "solidity", "log pixel size"]
    return [*layer, "kind margin", "other way", "standing", *KINDS, *shape, "log crowd"]


def stats(
    found_in: Bytes,
    inside: Mask,
    free: Mask,
    others: Mapping[str, Bytes],
    shape: Shape,
    pixel_m: float,
    opposite: str = REMOVED,
) -> dict[str, float]:
    """Numbers about one object, by name.

    found_in: percent (y, x) of the layer it was found in. free: pixels observed that belong to no object.
    others: all layers by name, the same window. opposite: the layer that speaks against it.
    """
    values = found_in[inside].astype(np.float64) / 100
    away = scipy.ndimage.distance_transform_cdt(~inside, "taxicab")
    ring = found_in[(away > _GAP_PX) & (away <= RING_PX) & free] / 100
    around = float(ring.mean()) if ring.size else 0.0
    kinds: dict[str, float] = {kind: _mean(others, kind, inside) for kind in KINDS}
    first, second = sorted(kinds.values(), reverse=True)[:2]
    return {
        "mean": float(values.mean()),
        "high": float(np.quantile(values, 0.9)),
        "low": float(np.quantile(values, 0.2)),
        "sure": float((values >= 0.5).mean()),
        "stands out": float(values.mean()) - around,
        "faint around": float((ring >= 0.1).mean()) if ring.size else 0.0,
        "kind margin": first - second,
        "other way": _mean(others, opposite, inside),
        "standing": _mean(others, STANDING, inside),
        **kinds,
        "log area": float(np.log(shape.area_m2)),
        "log pixels": float(np.log(len(values))),
        "log elongation": float(np.log(max(shape.length_m / shape.width_m, 1.0))),
        "rectangularity": shape.rectangularity,
        "solidity": shape.solidity,
        "log pixel size": float(np.log(pixel_m)),
    }


def _mean(layers: Mapping[str, Bytes], name: str, inside: Mask) -> float:
    """Share 0..1; 0 for a layer that there is not."""
    return float(layers[name][inside].mean()) / 100 if name in layers else 0.0
