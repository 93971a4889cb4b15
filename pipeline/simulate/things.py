"""What stands on the ground, from when to when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.simulate.shapes import Shape

Kind = Literal["building", "road", "earthwork", "clearing", "equipment"]
Form = Literal[
    "surface",
    "field",
    "track",
    "berm",
    "wall",
    "roof",
    "hip roof",
    "gable roof",
    "bare walls",
    "rubble",
    "vehicle",
    "tree",
    "yard",
    "wood",
]

ALWAYS = ""  # sorts before every date
NEVER = "9999-12-31"


@dataclass(frozen=True)
class Thing:
    """One thing with a footprint, a material and a form, seen from date `since` until before date `until`.

    Things of one `name` are one object to the truth; `kind` None is what nobody reports: vehicles, crops.
    """

    shape: Shape
    form: Form
    material: str
    height: float = 0.0  # metres above the ground
    kind: Kind | None = None
    name: str = ""
    since: str = ALWAYS
    until: str = NEVER

    def stands(self, date: str) -> bool:
        """Whether it is there on `date` (YYYY-MM-DD)."""
        return self.since <= date < self.until
