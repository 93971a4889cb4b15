"""run.json as a typed value: how a result came about."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A part of run.json; keys that a later version adds are kept."""

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True)


class Input(Section):
    """One file that was read."""

    href: str = Field(description="path or URL, without secrets")
    sha256: str | None = Field(None, description="null for a file on another machine")
    bytes: int | None = Field(None, description="size; null likewise")


class Date(Section):
    """One of the two images."""

    date: str | None = Field(None, description="YYYY-MM-DD, UTC; null where nothing says it")
    inputs: tuple[Input, ...] = ()
    sensor: str | None = Field(None, description="platform, as the STAC Items say")


class Site(Section):
    """What was compared."""

    id: str = Field(description="`compare` where there was no site file")
    name: str = Field(description="heads the report")


class Grid(Section):
    """The grid that both images, and all rasters of the result, lie on."""

    crs: str = Field(description="such as EPSG:32637, or WKT")
    shape: tuple[int, int] = Field(description="rows, columns")
    transform: tuple[float, ...] = Field(description="affine: a, b, c, d, e, f")
    resolution_m: float = Field(description="side of a pixel, metres")
    bands: tuple[str, ...] = Field(description="compared, by their STAC common names")


class Alignment(Section):
    """Whether the two images line up, and how that is known."""

    status: Literal["ok", "global-only"] = Field(
        description="`ok`: a field; `global-only`: one shift, or none; a rejected pair leaves no result"
    )
    reason: str = Field(description="for people")
    points: int = Field(description="tie points that the field was fitted to")
    kept_out_points: int = Field(description="tie points kept out of the fit, on which it was measured")
    residual_before_px: float | None = Field(description="median offset as delivered, pixels")
    residual_px: float | None = Field(description="median offset that is left, pixels")
    shift_m: tuple[float, float] = Field(description="mean shift, metres east and north")


class Observed(Section):
    """Shares of the grid, 0..1."""

    before: float | None = Field(None, description="seen on the date before, share of the grid")
    after: float | None = Field(None, description="seen on the date after")
    both: float | None = Field(None, description="seen on both, so that change could be found")


class Counts(Section):
    """What was found."""

    count: int = Field(description="findings")
    by_kind: dict[str, int] = Field(description="findings of each kind")
    by_direction: dict[str, int] = Field(description="findings of each direction")
    area_m2: float = Field(description="of all outlines together, square metres")


class Cost(Section):
    """What a stage took."""

    seconds: float = Field(description="of the clock")
    peak_mb: float = Field(description="most memory held by this process and its children, MB (10^6 bytes)")


class File(Section):
    """One file of the result."""

    href: str = Field(description="its name")
    sha256: str = Field(description="checksum")
    bytes: int = Field(description="size")


class Run(Section):
    """All of run.json."""

    groundbreak: str = Field(description="version of this program")
    created: str = Field(description="end of the run, ISO 8601, UTC")
    fingerprint: str = Field(
        description="SHA-256 of all that the result follows from: inputs, settings, models"
    )
    made: bool = Field(description="whether an image is simulated, by its own metadata")
    site: Site
    before: Date
    after: Date
    grid: Grid
    alignment: Alignment
    radiometry: dict[str, Any] | None = Field(
        None,
        description="how the light was matched: method, unchanged share; a band: gain, offset, residuals",
    )
    screen: dict[str, Any] | None = Field(None, description="clouds and shadows screened, a date each")
    observed: Observed | None = Field(None, description="what was seen")
    excluded: dict[str, Any] | None = Field(
        None, description="areas in which nothing is a finding, and their share"
    )
    detector: dict[str, Any] | None = Field(
        None, description="which one was taken, and its weights' checksum"
    )
    findings: Counts | None = Field(None, description="none where the images were only aligned")
    settings: dict[str, Any] = Field(description="all parameters, a stage each")
    stages: dict[str, Cost] = Field(description="load, align, screen, normalize, detect, flag, report")
    versions: dict[str, str] = Field(description="of Python and the libraries that can change a result")
    files: tuple[File, ...] = Field((), description="all other files of the result")
