"""Who is told of which findings: the `alerts` of a site file.

Addresses that hold a secret stand in the environment, and the file names the variable: `${NAME}`.
"""

from __future__ import annotations

import posixpath
import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from pipeline.config.values import Day, Names, Section
from pipeline.stages.detect.detector import KINDS

Channel = Literal["file", "atom", "webhook", "apprise"]
STATUSES = ("candidate", "confirmed", "refuted", "removed")
_VARIABLE = re.compile(r"^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$")


def variable(address: str) -> str | None:
    """The environment variable that `${NAME}` names, None for any other text."""
    match = _VARIABLE.match(address)
    return match[1] if match else None


def _among(there: tuple[str, ...]) -> AfterValidator:
    def check(names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in there:
                raise ValueError(f"{name!r} is not known; there are {', '.join(there)}")
        return names

    return AfterValidator(check)


def _open_address(address: str | None) -> str | None:
    """A web address without a secret in it. The fault never repeats it."""
    if address is None or variable(address):
        return address
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("not a web address; write https://..., or ${NAME} for one in the environment")
    if parts.username or parts.password or parts.query:
        raise ValueError("holds what may be a secret; put it in the environment and write ${NAME}")
    return address


def _secret_address(address: str | None) -> str | None:
    if address is not None and not variable(address):
        raise ValueError("such an address holds a secret; put it in the environment and write ${NAME}")
    return address


def _inside(path: str | None) -> str | None:
    """A path from a site's folder that stays within the output folder."""
    if path is None:
        return None
    place = posixpath.normpath(f"site/{path}")
    if path.startswith("/") or place.startswith("..") or place in {".", "site"}:
        raise ValueError(f"{path!r} is no file in the output folder; write a name, or ../NAME to share one")
    return path


def _targets(value: Any) -> Any:
    """A list of targets. Faults are said here, in words that repeat no address."""
    if not isinstance(value, list) or not value or not all(isinstance(each, dict) for each in value):
        raise ValueError("not a list of targets; write `- file: NAME`, or atom, webhook or apprise")
    return value


class Target(Section):
    """One place that alerts go to. Files are relative to the site's output folder."""

    file: Annotated[str | None, AfterValidator(_inside)] = Field(
        None, description="a line of JSON an alert is added to this file"
    )
    atom: Annotated[str | None, AfterValidator(_inside)] = Field(
        None, description="this file is a feed for news readers (Atom)"
    )
    webhook: Annotated[str | None, AfterValidator(_open_address)] = Field(
        None, description="JSON is posted to this address; or to the one in ${NAME}"
    )
    apprise: Annotated[str | None, AfterValidator(_secret_address)] = Field(
        None, description="${NAME}, whose value is one or more Apprise URLs (mail, chat, SMS, ...)"
    )

    @model_validator(mode="after")
    def _one(self) -> Target:
        if sum(address is not None for address in self._given()) != 1:
            raise ValueError("name one of file, atom, webhook and apprise")
        return self

    def _given(self) -> tuple[str | None, ...]:
        return self.file, self.atom, self.webhook, self.apprise

    @property
    def channel(self) -> Channel:
        """Which of the four it is."""
        channels: tuple[Channel, ...] = ("file", "atom", "webhook", "apprise")
        return next(name for name, given in zip(channels, self._given(), strict=True) if given is not None)

    @property
    def address(self) -> str:
        """As written: secrets are still the names of variables."""
        return next(given for given in self._given() if given is not None)

    @property
    def name(self) -> str:
        """Tells it from other targets, for the ledger and for people."""
        return f"{self.channel} {self.address}"


class Rule(Section):
    """Which findings, by what the timeline says of them, and who is told; what is not given is any."""

    name: Annotated[str, Field(min_length=1)] = Field(
        description="told in every alert; a rule of another name tells all again"
    )
    zone: Names | None = Field(None, description="one or more of `zones`")
    kind: Annotated[Names, _among((*KINDS, "other"))] | None = Field(None, description="building, road, ...")
    status: Annotated[Names, _among(STATUSES)] = Field(
        ("confirmed",), description="candidate, confirmed, ..."
    )
    min_area_m2: Annotated[float, Field(ge=0)] = Field(0.0, description="smaller findings are left out")
    min_confidence: Annotated[float, Field(ge=0, le=1)] = Field(0.0, description="and so are less sure ones")
    since: Day | None = Field(None, description="YYYY-MM-DD; what was first seen earlier is left out")
    to: Annotated[tuple[Target, ...], BeforeValidator(_targets)] = Field(
        (Target(file="alerts.jsonl", atom=None, webhook=None, apprise=None),), description="where they go"
    )
