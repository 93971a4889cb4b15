"""The `stac` section of a source: a catalogue or API, and what is wanted of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator, model_validator

from pipeline.config.values import Day, Names, Section
from pipeline.remote import is_url
from pipeline.scenes.wanted import OPERATORS, Search
from pipeline.secrecy import holds_secret

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
CLOUD = "eo:cloud_cover"


def without_credentials(value: Any) -> Any:
    """A validator of paths and URLs: secrets do not stand in site files."""
    if isinstance(value, str) and is_url(value) and holds_secret(value):
        mend = "give credentials by the environment (docs/sources.md)"
        raise ValueError(f"the URL holds a password or token; take it out and {mend}")
    return value


def _tests(value: Any) -> Any:
    """{property: value} and {property: {operator: value}} as the latter."""
    if not isinstance(value, Mapping):
        return value
    return {str(name): test if isinstance(test, Mapping) else {"eq": test} for name, test in value.items()}


Location = Annotated[str, BeforeValidator(without_credentials)]


class Stac(Section):
    """A STAC API, or a static catalogue: a URL, or a file."""

    url: Location = Field(description="of the API or catalogue; or the file of a static catalogue")
    collections: Names = Field((), description="those to search; all, if not given")
    start: Day | None = Field(None, description="the first day, YYYY-MM-DD")
    end: Day | None = Field(None, description="the last day")
    max_cloud_cover: Annotated[float, Field(ge=0, le=100)] | None = Field(
        None, description="percent, as the catalogue says of the whole image (eo:cloud_cover)"
    )
    query: Annotated[dict[str, dict[str, Any]], BeforeValidator(_tests)] = Field(
        default_factory=dict,
        description="property: value, or property: {lt: value}; eq, neq, lte, gt, gte, in",
    )
    credentials: dict[str, str] = Field(
        default_factory=dict, description="HTTP header: the environment variable that holds its value"
    )

    @field_validator("query")
    @classmethod
    def _known_operators(cls, value: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for name, tests in value.items():
            for test, given in tests.items():
                if test not in OPERATORS:
                    raise ValueError(f"{name}: unknown operator {test!r}; there are {', '.join(OPERATORS)}")
                if test == "in" and not isinstance(given, list):
                    raise ValueError(f"{name}: in takes a list of values; write [a, b]")
        return value

    @field_validator("credentials")
    @classmethod
    def _variables(cls, value: dict[str, str]) -> dict[str, str]:
        for header, name in value.items():
            if not _VARIABLE.fullmatch(name):  # may be the secret itself, which is not shown
                raise ValueError(f"{header}: not the name of an environment variable; put the value in one")
        return value

    @model_validator(mode="after")
    def _in_order(self) -> Stac:
        if self.start and self.end and self.start > self.end:
            raise ValueError(f"start ({self.start}) is later than end ({self.end})")
        return self

    def search(self, folder: Path) -> Search:
        """What is to be searched; the path of a catalogue is from `folder`."""
        query = dict(self.query)
        if self.max_cloud_cover is not None:
            query[CLOUD] = {**query.get(CLOUD, {}), "lte": self.max_cloud_cover}
        url = self.url if is_url(self.url) else str(folder.absolute() / self.url)
        return Search(url, self.collections, self.start, self.end, query, self.credentials)
