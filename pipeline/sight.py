"""The smallest thing of each kind that shows at a resolution, so that what cannot be seen is said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.stages.detect.detector import KINDS, Kind

Measure = Literal["a side", "wide", "across"]


@dataclass(frozen=True)
class _Least:
    """`pixels` and `metres`: how large a thing must be, whichever is more. `coarsest_m`: metres a pixel up to
    which it can be told. `largest_m`: things of the kind are hardly ever larger.
    """

    measure: Measure
    pixels: float
    metres: float
    coarsest_m: float
    largest_m: float


_LEAST: dict[Kind, _Least] = {
    "building": _Least("a side", 5.0, 3.0, 60.0, 200.0),
    "road": _Least("wide", 2.5, 2.5, 20.0, 40.0),
    "earthwork": _Least("wide", 3.0, 1.5, 20.0, 45.0),
    "clearing": _Least("a side", 10.0, 5.0, 60.0, 1000.0),
    "equipment": _Least("across", 4.0, 6.0, 1.5, 60.0),
}


@dataclass(frozen=True)
class Smallest:
    """The smallest thing of a kind: `size_m` metres `measure`; None where none can be told from others."""

    kind: Kind
    size_m: float | None
    measure: Measure


def smallest(kind: Kind, resolution: float) -> Smallest:
    """For images of `resolution` metres a pixel."""
    least = _LEAST[kind]
    size = max(least.pixels * resolution, least.metres)
    told = resolution <= least.coarsest_m * (1 + 1e-3) and size <= least.largest_m
    return Smallest(kind, size if told else None, least.measure)


def can_be_told(kind: str, resolution: float) -> bool:
    """Whether things of a kind can be told from others at all; true for what is no kind of its own."""
    return all(smallest(each, resolution).size_m is not None for each in KINDS if each == kind)


def too_narrow(kind: str, width_m: float) -> bool:
    """Whether a thing is narrower than any of its kind: a pavement is no road, a fence no bank."""
    return any(
        width_m < least.metres for each, least in _LEAST.items() if each == kind and least.measure == "wide"
    )


def sight(resolution: float) -> tuple[Smallest, ...]:
    """Every kind's, for images of `resolution` metres a pixel."""
    return tuple(smallest(kind, resolution) for kind in KINDS)
