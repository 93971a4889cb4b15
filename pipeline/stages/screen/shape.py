"""Shapes that men make: rims that run in two directions only, square to one another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


def squareness(values: NDArray[np.float32], inside: NDArray[np.bool_]) -> float:
    """0..1: how far the rim of a patch runs along two directions at right angles, whichever they are.

    `values` (y, x): what rises inside the patch; its gradients on the rim, doubled twice in angle, are
    averaged by their strength. A disc gives 0, a rectangle nearly 1.
    """
    rim = ndimage.binary_dilation(inside, iterations=2) & ~ndimage.binary_erosion(
        inside, iterations=2, border_value=1
    )
    rim &= np.isfinite(values)
    filled = np.where(np.isfinite(values), values, np.float32(0))
    down, right = (ndimage.gaussian_filter(filled, 1.5, order=order) for order in ((1, 0), (0, 1)))
    strength = np.hypot(down, right)[rim]
    total = float(strength.sum())
    if total <= 0:
        return 0.0
    angle = np.arctan2(down, right)[rim]
    return float(np.abs((strength * np.exp(4j * angle)).sum()) / total)
