"""The phase of what is being built on a date, in the words of the IARPA SMART heavy-construction data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Phase = Literal["No Activity", "Site Preparation", "Active Construction", "Post Construction", "Unknown"]


@dataclass(frozen=True)
class Seen:
    """A finding on one date: `area_m2` is 0 where it was seen not to be there."""

    date: str
    observed: bool
    area_m2: float


def activity_phases(kind: str, state: str | None, seen: Sequence[Seen]) -> list[Phase]:
    """The phase on each date, in the order of `seen` (by date).

    There is work on a date on which the ground that is taken has grown since the last clear one: site
    preparation where it is cleared, construction elsewhere. Without growth it is over, but for a building
    that has no roof yet (`state` is `started`) and for a clearing, which waits for what will stand there.
    """
    working: Phase = "Site Preparation" if kind == "clearing" else "Active Construction"
    idle: Phase = working if kind == "clearing" or state == "started" else "Post Construction"
    phases: list[Phase] = []
    area = 0.0
    for each in seen:
        if not each.observed:
            phases.append("Unknown")
            continue
        if each.area_m2 == 0:
            phases.append("No Activity")
        else:
            phases.append(working if each.area_m2 > area else idle)
        area = each.area_m2
    return phases
