"""How far around a pixel the evidence looks, a set a range of resolutions."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.regime import Regime, regime


@dataclass(frozen=True)
class Scales:
    """In pixels. `surprise`, `structure`, `shape`: sigmas of Gaussian windows. `sizes`: sides of the squares
    that a roof or a shadow is narrower than, odd.
    """

    surprise: float
    structure: float
    shape: float
    sizes: tuple[int, ...]


_SCALES: dict[Regime, Scales] = {
    "fine": Scales(surprise=1.5, structure=3.0, shape=1.0, sizes=(7, 15)),
    "coarse": Scales(surprise=1.0, structure=2.0, shape=1.0, sizes=(5, 9)),
}


def scales(resolution: float) -> Scales:
    """For images of `resolution` metres a pixel."""
    return _SCALES[regime(resolution)]
