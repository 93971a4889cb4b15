"""A site: the area that is watched, its images by date, and how they are compared."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pystac
from odc.geo import Geometry

from pipeline.area import read_area
from pipeline.config.dated import dated_paths
from pipeline.config.looks import LeftOut, Looks
from pipeline.config.reading import read_site_file
from pipeline.config.schema import SiteFile
from pipeline.config.settings import Settings
from pipeline.config.sources import scene_source
from pipeline.errors import AreaError, ConfigError, GroundbreakError, SourceNotFoundError
from pipeline.scenes import common_bands
from pipeline.scenes.by_date import none_of
from pipeline.stages.detect.choice import located
from pipeline.stages.track import Track


@dataclass(frozen=True)
class Site:
    """A site file that was found to be right, with its areas read."""

    path: Path
    file: SiteFile
    aoi: Geometry | None
    zones: dict[str, Geometry]
    exclude: dict[str, Geometry]

    @property
    def id(self) -> str:
        """Names the output folder."""
        return self.file.id

    @property
    def name(self) -> str:
        """For people."""
        return self.file.name or self.file.id

    @property
    def bands(self) -> tuple[str, ...] | None:
        """The bands that the user names; None for all."""
        return self.file.bands

    @property
    def settings(self) -> Settings:
        """Parameters of all stages."""
        file = self.file
        detector = located(file.detector or file.detect.detector, self.path.parent)
        return Settings(
            align=file.align,
            screen=file.screen,
            normalize=file.normalize,
            detect=replace(file.detect, detector=detector),
            flag=file.flag,
            compute=file.compute,
            crs=file.crs,
            resolution=file.resolution,
        )

    @property
    def track(self) -> Track:
        """How findings are followed over dates. Not among `settings`: no comparison follows from it."""
        return self.file.track

    @property
    def store(self) -> str | None:
        """The address of the timelines' database: the file's, else GROUNDBREAK_STORE; None for a file beside
        the results.
        """
        return self.file.store or os.environ.get("GROUNDBREAK_STORE") or None

    def available_dates(self) -> tuple[str, ...]:
        """Days (YYYY-MM-DD) whose images show enough of the area, in order. Raises what a source raises."""
        return self.looks.usable_days()

    def left_out(self) -> tuple[LeftOut, ...]:
        """Days that have images, but cannot be used, with the reason; also what could not be read."""
        return self.looks.left_out()

    def scenes(self, date: str) -> list[pystac.Item]:
        """The Items of one day, also where they show little; of the best sensor, where several saw it.

        Raises SourceNotFoundError, naming the days there are, if it has none.
        """
        items = self.looks.scenes(date)
        if not items:
            raise SourceNotFoundError(f"{self.id}: {none_of(date, self.looks.days())}.")
        return items

    def masks(self, date: str) -> tuple[Path, ...]:
        """Cloud masks of one day, sorted; may be none."""
        pattern = self.file.masks
        return () if pattern is None else tuple(dated_paths(self.path.parent, pattern, date))

    def pair(self, before: str | None = None, after: str | None = None) -> tuple[str, str]:
        """The two days to compare: as given, else as the file says, else the last two there are."""
        before, after = before or self.file.dates.before, after or self.file.dates.after
        if before is None or after is None:
            latest = self.looks.days()[::-1]
            after = after or self._first_usable(day for day in latest if before is None or day > before)
            before = before or self._first_usable(day for day in latest if after is not None and day < after)
        if before is None or after is None:
            raise SourceNotFoundError(f"{self.id}: two dates are needed; {self._told_dates()}.")
        return before, after

    def _told_dates(self) -> str:
        there = ", ".join(self.available_dates()) or "none"
        out = "; ".join(
            f"{each.date}: {each.reason}" if each.date else each.reason for each in self.left_out()
        )
        return f"dates with images: {there}{f'; left out: {out}' if out else ''}"

    def _first_usable(self, days: Iterable[str]) -> str | None:
        return next(filter(self.looks.usable, days), None)

    @cached_property
    def looks(self) -> Looks:
        """What there is of each day; catalogues are searched, and dates looked at, once in a site's life."""
        sources = [scene_source(each, self.file, self.path.parent, self.aoi) for each in self.file.source]
        return Looks(sources, self.aoi, self.masks, self.file.min_visible)


def load_site(path: str | Path) -> Site:
    """Read and check a site file. Raises ConfigError, which lists all that is wrong with it, or AreaError."""
    path = Path(path)
    site, faults = _read(path)
    if faults:
        raise faults[0]
    return site


def problems(path: str | Path) -> tuple[Site | None, list[str]]:
    """The site, where the file is right; all that is wrong with file, areas and images, a line each."""
    try:
        site, faults = _read(Path(path))
    except ConfigError as error:
        return None, str(error).splitlines()
    found = [str(fault) for fault in faults]
    try:
        site.settings.detect.check()
    except GroundbreakError as error:
        found.append(f"detector: {error}")
    if site.aoi is None and site.file.aoi is not None:
        return None, found  # nothing to search for, or to look at
    return (None if faults else site), [*found, *_scene_problems(site)]


def _scene_problems(site: Site) -> list[str]:
    try:
        before, after = site.pair()
    except GroundbreakError as error:
        return [str(error)]
    found: list[str] = []
    scenes: list[list[pystac.Item]] = []
    for day in (before, after):
        try:
            scenes.append(site.scenes(day))
        except GroundbreakError as error:
            found.append(str(error))
    if len(scenes) == 2:
        try:
            common_bands(scenes[0], scenes[1], site.bands)
        except GroundbreakError as error:
            found.append(str(error))
    return found


def _read(path: Path) -> tuple[Site, list[AreaError]]:
    """The site, and what is wrong with its areas."""
    file = read_site_file(path)
    faults: list[AreaError] = []

    def read(key: str, given: dict[str, Any]) -> dict[str, Geometry]:
        areas: dict[str, Geometry] = {}
        for name, area in given.items():
            try:
                areas[name] = read_area(path.parent / area if isinstance(area, str) else area)
            except AreaError as error:
                faults.append(AreaError(f"{path}: {f'{key}.{name}' if key else name}: {error}"))
        return areas

    aoi = read("", {} if file.aoi is None else {"aoi": file.aoi}).get("aoi")
    return Site(path, file, aoi, read("zones", file.zones), read("exclude", file.exclude)), faults
