"""One table of kinds and directions: their order, words, colours and line styles, for every figure and page.

Colours are those of Okabe & Ito (2008), "Color Universal Design", which readers with any form of colour
blindness can tell apart; all of them carry black text at a contrast of at least 5:1.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """How one kind of finding is named and drawn; `mark` stands before its number, as colours can fail."""

    one: str
    many: str
    colour: str
    mark: str


@dataclass(frozen=True)
class Direction:
    """How one direction is named and drawn; `dash` is an on/off pattern in line widths, empty = solid."""

    word: str
    dash: tuple[float, ...]


KINDS: dict[str, Kind] = {
    "building": Kind("building", "buildings", "#d55e00", "■"),
    "road": Kind("road", "roads", "#56b4e9", "━"),
    "earthwork": Kind("earthwork", "earthworks", "#f0e442", "▲"),
    "clearing": Kind("clearing", "clearings", "#009e73", "○"),
    "equipment": Kind("equipment group", "equipment groups", "#cc79a7", "◆"),
    "other": Kind("other change", "other changes", "#e6e6e6", "✚"),
}

DIRECTIONS: dict[str, Direction] = {
    "new": Direction("new", ()),
    "removed": Direction("removed", (4.0, 2.5)),
    "altered": Direction("altered", (1.2, 1.8)),
}

MADE_MARK = "MADE IMAGE"
MADE_NOTE = "simulated, not a photograph"
UNOBSERVED_NOTE = "Hatched: not observed on both dates, so neither changed nor unchanged."


def kind(name: str) -> Kind:
    """The style of a kind; a name that is not in the table is drawn as `other`."""
    return KINDS.get(name, KINDS["other"])


def direction(name: str) -> Direction:
    """The style of a direction; a name that is not in the table is drawn solid."""
    return DIRECTIONS.get(name, Direction(name, ()))
