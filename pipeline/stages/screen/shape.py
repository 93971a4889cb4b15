"""Shapes that men make: rims that run straight, and turn by right angles."""

from __future__ import annotations

import math

import numpy as np
import scipy
from numpy.typing import NDArray

_REACH = 0.4  # of the radius of a disc as large as the patch: so far along the rim directions are compared


def squareness(values: NDArray[np.float32], inside: NDArray[np.bool_]) -> float:
    """0..1: how far the rim of a patch is made of straight lines and right angles, however they lie.

    `values` (y, x): what rises inside the patch. Its gradients on the rim, turned to four times their
    angle, are averaged within reach, so that sides that are parallel or square to one another agree; the
    lengths of the averages are averaged in turn. A disc gives about 0.3, rectangles 0.8 and more.
    """
    rim = scipy.ndimage.binary_dilation(inside, iterations=2) & ~scipy.ndimage.binary_erosion(
        inside, iterations=2, border_value=1
    )
    rim &= np.isfinite(values)
    filled = np.where(np.isfinite(values), values, np.float32(0))
    down, right = (scipy.ndimage.gaussian_filter(filled, 1.5, order=order) for order in ((1, 0), (0, 1)))
    strength = np.where(rim, np.hypot(down, right), 0.0)
    if strength.max(initial=0.0) <= 0:
        return 0.0
    strength = np.minimum(strength, 2 * np.median(strength[rim]))
    angle = 4 * np.arctan2(down, right)
    reach = max(2.0, _REACH * math.sqrt(float(inside.sum()) / math.pi))
    parts = [
        scipy.ndimage.gaussian_filter(strength * turn, reach, mode="constant", truncate=3.0)
        for turn in (np.cos(angle), np.sin(angle), np.ones_like(angle))
    ]
    agreement = np.hypot(parts[0], parts[1]) / np.maximum(parts[2], 1e-12 * strength.max())
    return float((agreement * strength).sum() / strength.sum())
