"""What may stand in a site file: every key, its type, and what it means."""

from __future__ import annotations

import difflib
import re
from typing import Annotated, Any

from odc.geo import CRS
from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from pipeline.config.alerts import Rule
from pipeline.config.pictures import Pictures
from pipeline.config.settings import Compute, Detector
from pipeline.config.stac import Location, Stac
from pipeline.config.values import Day, Names, Nodata, Section
from pipeline.scenes.counts import Counts, told_counts
from pipeline.stages.align import Align
from pipeline.stages.detect import Detect
from pipeline.stages.flag import Flag
from pipeline.stages.normalize import Normalize
from pipeline.stages.screen import Screen
from pipeline.stages.track import Track


def _area(value: Any) -> Any:
    box = isinstance(value, list) and len(value) == 4 and all(type(each) in {int, float} for each in value)
    if isinstance(value, str) or box:
        return value
    raise ValueError("neither a file nor a box; write a path, or [west, south, east, north]")


def _dated(value: Any) -> Any:
    if isinstance(value, str) and "{date}" not in value:
        raise ValueError("has no {date} in it; put it where the files' date stands")
    return value


def _region(value: str) -> str:
    if not re.fullmatch(r"[A-Z]{2}_([RST]\d{3}|C[0-7]\d{2})", value):
        raise ValueError(f"{value!r} is no name of a region; write a country code and a number, as SY_R001")
    return value


def _known_crs(value: str | None) -> str | None:
    if value is not None:
        try:
            CRS(value)
        except Exception:  # pyproj and odc-geo have several kinds
            raise ValueError(f"{value!r} is not a known CRS; write one such as EPSG:32637") from None
    return value


def _without_password(value: Any) -> Any:
    if isinstance(value, str) and re.search(r"://[^/@]*:[^/@]*@", value):
        raise ValueError("has a password in it; leave it to PGPASSWORD or ~/.pgpass")
    return value


Area = Annotated[Any, BeforeValidator(_area)]


class PlaceOfImages(Section):
    """Where images lie that do not say so themselves: plain pictures, or such with a world file alone."""

    at: tuple[float, float] | None = Field(
        None, description="[latitude, longitude] of their middle, north up"
    )
    pixel_size: Annotated[float, Field(gt=0)] | None = Field(None, description="metres")
    crs: Annotated[str | None, AfterValidator(_known_crs)] = Field(
        None, description="of images with a world file, as EPSG:32637"
    )


class Source(Section):
    """Where images are: one of files, items and stac."""

    files: Location | None = Field(
        None, description="files or folders, with * and {date} (YYYY-MM-DD or YYYYMMDD) in it"
    )
    items: Location | None = Field(
        None, description="STAC Items on disk: a file, folder or glob, {date} allowed"
    )
    stac: Stac | None = Field(None, description="a STAC catalogue or API, searched for the aoi")
    bands: Names | None = Field(None, description="of this source; else those of the site")
    scale: Annotated[float, Field(gt=0)] | None = Field(None, description="of this source; else the site's")
    offset: float | None = Field(None, description="see scale")
    nodata: Nodata | None = Field(None, description="of this source; else the site's")
    place: PlaceOfImages | None = Field(None, description="of images that do not say where they lie")

    @model_validator(mode="after")
    def _one(self) -> Source:
        if [self.files, self.items, self.stac].count(None) != 2:
            raise ValueError("name one of files, items and stac")
        return self

    @property
    def counts(self) -> Counts:
        """What is said of its counts."""
        return told_counts(self.scale, self.offset, self.nodata)


Sources = Annotated[
    tuple[Source, ...],
    BeforeValidator(lambda value: value if isinstance(value, list) else [value]),
    Field(min_length=1),
]


class Dates(Section):
    """The two dates that `run` compares."""

    before: Day | None = Field(None, description="YYYY-MM-DD; the last but one there is, if not given")
    after: Day | None = Field(None, description="YYYY-MM-DD; the last there is, if not given")

    @model_validator(mode="after")
    def _in_order(self) -> Dates:
        if self.before and self.after and self.before >= self.after:
            raise ValueError(f"before ({self.before}) is not earlier than after ({self.after})")
        return self


class Smart(Section):
    """How the site is named in the models of the IARPA SMART heavy-construction data set."""

    region_id: Annotated[str, AfterValidator(_region)] = Field(
        description="country code and number, as SY_R001"
    )
    originator: str = Field("groundbreak", description="who made the models; the program's teams have codes")


class SiteFile(Section):
    """All of a site file. Paths are relative to it."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")] = Field(
        description="names the output folder: letters, digits, - and _"
    )
    name: str | None = Field(None, description="for people; the id, if not given")
    aoi: Area | None = Field(
        None, description="polygon file, or [west, south, east, north]; all of the image if not given"
    )
    source: Sources = Field(description="where the images are: one source, or a list of them")
    min_visible: Annotated[float, Field(ge=0, le=1)] = Field(
        0.3, description="share of the aoi that a date must show, by masks and nodata; others are left out"
    )
    bands: Names | None = Field(None, description="the bands of each file by position, or those to use")
    scale: Annotated[float, Field(gt=0)] | None = Field(
        None, description="physical value = counts * scale + offset"
    )
    offset: float | None = Field(None, description="see scale")
    nodata: Nodata | None = Field(
        None, description="the value of pixels that hold no image, or none; what the images say, if not given"
    )
    masks: Annotated[str | None, BeforeValidator(_dated)] = Field(
        None, description="cloud masks, with {date}: nonzero is not usable"
    )
    dates: Dates = Field(
        default_factory=lambda: Dates(before=None, after=None), description="the two dates of `run`"
    )
    zones: dict[str, Area] = Field(
        default_factory=dict, description="named areas that findings are assigned to"
    )
    exclude: dict[str, Area] = Field(
        default_factory=dict, description="named areas in which nothing is a finding"
    )
    alerts: tuple[Rule, ...] = Field((), description="which findings someone is told of, and how")
    smart: Smart | None = Field(None, description="writes region and site models of IARPA SMART too")
    crs: Annotated[str | None, AfterValidator(_known_crs)] = Field(
        None, description="of the result, in metres; the before image's or UTM, if not given"
    )
    resolution: Annotated[float, Field(gt=0)] | None = Field(None, description="of the result, in metres")
    detector: Detector | None = Field(
        None, description="auto, classic, learned or onnx:PATH; short for detect.detector"
    )
    align: Align = Field(default_factory=Align, description="how the images are aligned")
    screen: Screen = Field(
        default_factory=Screen, description="how clouds and shadows are found on dates without masks"
    )
    normalize: Normalize = Field(default_factory=Normalize, description="how their radiometry is matched")
    detect: Detect = Field(default_factory=Detect, description="how change becomes a probability")
    flag: Flag = Field(default_factory=Flag, description="which changes are reported")
    track: Track = Field(default_factory=Track, description="how findings are followed over dates")
    store: Annotated[str | None, BeforeValidator(_without_password)] = Field(
        None,
        description="a database for the timelines, postgresql://HOST/DATABASE; a file beside the results",
    )
    pictures: Pictures = Field(default_factory=Pictures, description="how pictures for people are made")
    compute: Compute = Field(default_factory=Compute, description="how the work is cut up")

    @property
    def counts(self) -> Counts:
        """What is said of the counts of all sources."""
        return told_counts(self.scale, self.offset, self.nodata)

    @field_validator("alerts")
    @classmethod
    def _told_apart(cls, alerts: tuple[Rule, ...], info: ValidationInfo) -> tuple[Rule, ...]:
        """Each by its own name, and in zones that there are."""
        zones = info.data.get("zones", {})
        for i, rule in enumerate(alerts):
            if any(rule.name == other.name for other in alerts[:i]):
                raise ValueError(f"two are called {rule.name!r}; give each a name of its own")
            for zone in rule.zone or ():
                if zone not in zones:
                    near = difflib.get_close_matches(zone, zones, n=1)
                    there = f"is {near[0]} meant?" if near else f"there are {', '.join(zones) or 'none'}"
                    raise ValueError(f"{rule.name!r}: there is no zone {zone!r}; {there}")
        return alerts

    @model_validator(mode="after")
    def _area_to_search(self) -> SiteFile:
        if self.aoi is None and any(source.stac for source in self.source):
            raise ValueError("source.stac needs an aoi, to be searched for; add one")
        return self
