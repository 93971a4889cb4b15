"""site.json: a site in a few values, for the index and for programs."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.pages.frames import FOLDER
from pipeline.pages.history import History, found_by

FILE = "site.json"


@dataclass(frozen=True)
class Card:
    """What the index says of a site.

    `phase`, `built_m2` (ground of what stands) and `counts` (things by status) are known of a site that is
    followed. `findings`: of its last comparison. `place`: lon, lat of its middle; `box`: west, south, east,
    north in degrees. `frames`: a mark of the pictures that were drawn.
    """

    id: str
    name: str
    made: bool
    phase: str | None
    first_date: str
    last_date: str
    last_activity: str | None
    counts: dict[str, int]
    built_m2: float | None
    findings: int
    comparisons: int
    place: tuple[float, float]
    box: tuple[float, float, float, float]
    frames: str

    @classmethod
    def of(cls, history: History, frames: str) -> Card:
        """The card of a site."""
        middle = history.footprint.centroid
        west, south, east, north = (round(float(v), 6) for v in history.footprint.bounds)
        return cls(
            id=history.id,
            name=history.name,
            made=history.made,
            phase=history.phase,
            first_date=history.dates[0],
            last_date=history.dates[-1],
            last_activity=history.last_activity,
            counts=history.counts,
            built_m2=None if history.built_m2 is None else round(history.built_m2, 1),
            findings=found_by(history.pairs[-1]),
            comparisons=len(history.pairs),
            place=(round(middle.x, 6), round(middle.y, 6)),
            box=(west, south, east, north),
            frames=frames,
        )

    @property
    def thumb(self) -> str:
        """The picture of the last date, within the site's folder."""
        return f"{FOLDER}/{self.last_date}.jpg"

    @classmethod
    def read(cls, folder: Path) -> Card | None:
        """That in `folder`; None where there is none that can be used. Its id is the folder's name, which is
        what links are made of.
        """
        with suppress(OSError, ValueError, TypeError):
            told = json.loads((folder / FILE).read_text(encoding="utf-8"))
            return replace(cls(**told), id=folder.name)
        return None

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)
