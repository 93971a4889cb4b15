"""The corpus of bad and odd input: a table of cases, each made on the spot, and what must come of it."""

from corpus import areas, damaged, paths, places, sites, values
from corpus.case import Case, Done, Refused, Yard

CASES: list[Case] = [
    *damaged.CASES, *values.CASES, *places.CASES, *areas.CASES, *paths.CASES, *sites.CASES,
]  # fmt: skip

__all__ = ["CASES", "Case", "Done", "Refused", "Yard"]
