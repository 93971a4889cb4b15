"""Pixels that no radiometric fit may rest on: not observed, saturated, water."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Values = NDArray[np.float32]

PILED_UP = 0.001  # of a band's pixels in one bin near its end: saturated, clipped, or no measurement at all
BINS = 256
END = 0.15  # of the range: resampling overshoots, so a pile is not always the very last value
INSIDE = 16  # bins next to a pile, of which none may hold a third of it; a tail has no such step
NDWI = 0.1  # grey roofs and roads lie near zero
DARK = 0.4  # of the 0.9 quantile in the near infrared
TOO_MUCH = 0.8  # water beyond this share of what is left stays in: there is too little else


def left_out(before: Values, after: Values, bands: tuple[str, ...]) -> tuple[Bools, dict[str, float]]:
    """Which of the n pixels of both dates (band, n) may be fitted, and the share of n left out by reason.

    A pixel counts for the first reason that it meets: unobserved, saturated, water.
    """
    keep = np.asarray(np.isfinite(before).all(axis=0) & np.isfinite(after).all(axis=0))
    total, shares = max(keep.size, 1), {}
    shares["unobserved"] = float((~keep).sum()) / total
    spoilt = piled_up(before, keep) | piled_up(after, keep)
    shares["saturated"] = float((keep & spoilt).sum()) / total
    keep &= ~spoilt
    wet = water(before, bands, keep) | water(after, bands, keep)
    if (keep & wet).sum() > TOO_MUCH * keep.sum():
        wet[:] = False
    shares["water"] = float((keep & wet).sum()) / total
    return keep & ~wet, shares


def piled_up(values: Values, keep: Bools) -> Bools:
    """Pixels (n) at or beyond a pile of equal values near either end of a band (band, n).

    Judged on the pixels `keep`; piles behind one another (nodata, then a clipped end) are all found.
    """
    piled = np.zeros_like(keep)
    for band in values:
        for side in (band, -band):
            for _ in range(4):
                inside = keep & ~piled
                limit = _pile(side[inside])
                if limit is None:
                    break
                piled |= np.isfinite(side) & (side >= limit)
    return piled


def _pile(values: Values) -> float | None:
    """Lower end of a pile of values near the upper end of the range; None where there is none."""
    if values.size < 50:
        return None
    low, high = float(values.min()), float(values.max())
    if not high > low:
        return None
    # half a bin of room on both sides: the last values stand in the middle of their bin
    width = (high - low) / (BINS - 1)
    counts, edges = np.histogram(values, BINS, (low - width / 2, high + width / 2))
    beyond = 0
    for i in range(BINS - 1, int(BINS * (1 - END)), -1):
        count = int(counts[i])
        if count > max(3, PILED_UP * values.size) and count > beyond:
            within = counts[max(0, i - INSIDE) : max(0, i - 1)]  # a pile may straddle two bins
            split = counts[i - 1] > 3 * within.max(initial=0)
            bottom = float(edges[i - 1] if split else edges[i])
            if count > 3 * within.max(initial=0) and _equal(values[values >= bottom], width):
                return bottom
        beyond += count
    return None


def _equal(values: Values, width: float) -> bool:
    """Whether half of the values are one and the same, but for rounding: dark water is narrow, too."""
    low, high = np.quantile(values, (0.25, 0.75))
    return bool(high - low < width / 100)


def water(values: Values, bands: tuple[str, ...], keep: Bools) -> Bools:
    """Pixels (n) that look like water: NDWI (McFeeters 1996) clearly above zero, near infrared dark.

    Glint, level and sediment change them from day to day. Dark is against what the brighter pixels of the
    scene have, whatever the unit. Without green and near infrared: none.
    """
    if not {"green", "nir"} <= set(bands) or not keep.any():
        return np.zeros_like(keep)
    green, nir = values[bands.index("green")], values[bands.index("nir")]
    with np.errstate(invalid="ignore"):
        return np.asarray(
            keep & (green - nir > NDWI * (green + nir)) & (nir < DARK * np.quantile(nir[keep], 0.9))
        )
