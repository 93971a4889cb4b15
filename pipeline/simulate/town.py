"""What a town is drawn from: its materials, its ground, how it grows, and what becomes of each lot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from pipeline.simulate.layout import AFTER, BEFORE
from pipeline.simulate.shapes import Box, Path
from pipeline.simulate.terrain import GroundStyle
from pipeline.simulate.things import ALWAYS, NEVER, Kind, Thing

DATES: Final = (BEFORE, AFTER)
SHINGLES: Final = ("grey shingle", "brown shingle", "dark shingle", "tan shingle", "slate", "red tile")
FLAT: Final = ("white roof", "gravel roof", "tar roof", "concrete", "old concrete", "metal roof")
STREETS: Final = ("asphalt", "old asphalt", "old concrete", "concrete", "packed")
YARDS: Final = ("lawn", "grass", "dry grass", "meadow", "topsoil")
BARE: Final = ("soil", "topsoil", "red soil", "graded", "fill", "dry grass")
_GROUNDS: Final = (
    ("grass", "meadow", "topsoil"),
    ("dry grass", "topsoil", "grass"),
    ("meadow", "wood", "grass"),
    ("soil", "dry grass", "silt"),
    ("red soil", "dry grass", "topsoil"),
    ("topsoil", "grass", "soil"),
    ("lawn", "dry grass", "meadow"),
    ("soil", "gravel", "silt"),
)


@dataclass(frozen=True)
class Growth:
    """Chances of a lot: built before, between the dates, torn down, altered; the rest stays bare."""

    old: float
    new: float
    gone: float = 0.0
    altered: float = 0.0


GROWTH: Final = {
    "quiet": Growth(0.9, 0.0),
    "infill": Growth(0.75, 0.15, 0.03, 0.02),
    "growing": Growth(0.35, 0.45, 0.02, 0.02),
    "new estate": Growth(0.0, 0.85),
    "clearance": Growth(0.5, 0.05, 0.35),
}


@dataclass
class Town:
    """A square of ground, `half` metres from its centre to its edge, being filled."""

    rng: np.random.Generator
    half: float
    resolution: float
    growth: Growth
    streets: list[Path]
    resurfaced: float = 0.0
    count: int = 0

    def name(self, kind: str) -> str:
        """A name of its own for the next thing."""
        self.count += 1
        return f"{kind} {self.count}"

    def pick(self, names: tuple[str, ...]) -> str:
        """One of them."""
        return names[int(self.rng.integers(len(names)))]

    def fate(self) -> tuple[str, str] | None:
        """From when until when a lot's house stands; None where it stays bare."""
        chance, growth = self.rng.random(), self.growth
        if chance < growth.old:
            return ALWAYS, NEVER
        if chance < growth.old + growth.new:
            return AFTER, NEVER
        if chance < growth.old + growth.new + growth.gone:
            return ALWAYS, AFTER
        return None


def ground_style(rng: np.random.Generator) -> GroundStyle:
    """Grass, meadow, soil or forest floor, gently rolling."""
    soils = _GROUNDS[int(rng.integers(len(_GROUNDS)))]
    return GroundStyle(
        relief=float(rng.uniform(0, 0.006)),
        tilt=float(rng.uniform(0, 0.02)),
        downhill=float(rng.uniform(0, 360)),
        channels=float(rng.choice([0.0, 0.0, 0.5])),
        gravel=float(rng.uniform(0.2, 0.7)),
        scrub=float(rng.choice([0.0, 0.002, 0.01, 0.03])),
        soils=soils,
        cells=48,
    )


def surface(shape: Box | Path, material: str, kind: Kind | None, name: str, since: str = ALWAYS) -> Thing:
    """Paving, or graded ground."""
    return Thing(shape, "surface", material, 0.0, kind, name, since)
