"""The two ranges of resolution that look different enough to be judged by different figures."""

from __future__ import annotations

from typing import Literal

Regime = Literal["fine", "coarse"]

COARSE_FROM_M = 5.0


def regime(resolution: float) -> Regime:
    """`fine`: buildings have outlines and shadows. `coarse`: they are a few pixels. `resolution` in metres
    a pixel.
    """
    return "coarse" if resolution >= COARSE_FROM_M else "fine"
