"""What is wanted of a STAC catalogue, and what it gave."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pystac

OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "neq": operator.ne,
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
    "in": lambda value, given: value in given,
}
"""Of the STAC query extension (https://github.com/stac-api-extensions/query)."""


@dataclass(frozen=True)
class Search:
    """What is wanted of a catalogue: collections (none: all), days (YYYY-MM-DD, both included), and
    conditions on properties, {property: {operator: value}}; an Item without the property does not meet one.

    `credentials` are headers of HTTP with the environment variables that hold their values.
    """

    url: str
    collections: tuple[str, ...] = ()
    start: str | None = None
    end: str | None = None
    query: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    credentials: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """Items, each once, in the order of day, collection and id; a line for each that could not be read."""

    items: tuple[pystac.Item, ...]
    unread: tuple[str, ...] = ()
