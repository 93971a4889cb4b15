"""Where a site's images come from: each kind of source tells its days, and gives the Items of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import pystac
from odc.geo import Geometry

from pipeline.config.dated import dated_paths, dates_in, is_dated
from pipeline.config.schema import SiteFile, Source
from pipeline.scenes import Place, acquired
from pipeline.scenes.calibration import calibrate
from pipeline.scenes.place import NOWHERE
from pipeline.scenes.told import Told
from pipeline.scenes.wanted import Found, Search


class SceneSource(Protocol):
    """A source of images."""

    def dates(self) -> tuple[str, ...]:
        """Days (YYYY-MM-DD) that have images, in order."""

    def scenes(self, date: str) -> list[pystac.Item]:
        """The Items of a day, sorted by id; none where it has none."""

    def unread(self) -> tuple[str, ...]:
        """What there is, but could not be read, a line each."""


@dataclass(frozen=True)
class DatedFiles:
    """Paths with {date} in them; only the files of the day that is asked for are opened."""

    folder: Path
    pattern: str
    told: Told

    def dates(self) -> tuple[str, ...]:
        return dates_in(self.folder, self.pattern)

    def scenes(self, date: str) -> list[pystac.Item]:
        paths = dated_paths(self.folder, self.pattern, date)
        return self.told.files(paths, date) if paths else []

    def unread(self) -> tuple[str, ...]:
        return ()


@dataclass(frozen=True)
class Files:
    """Paths without {date}: the images' own metadata, or names, say the day."""

    folder: Path
    pattern: str
    told: Told

    def dates(self) -> tuple[str, ...]:
        return _days(self._items)

    def scenes(self, date: str) -> list[pystac.Item]:
        return [item for item in self._items if acquired(item) == date]

    def unread(self) -> tuple[str, ...]:
        return ()

    @cached_property
    def _items(self) -> list[pystac.Item]:
        return self.told.files(self.folder / self.pattern)


@dataclass(frozen=True)
class Catalogue:
    """A STAC catalogue or API, searched once."""

    wanted: Search
    area: Geometry
    told: Told

    def dates(self) -> tuple[str, ...]:
        return _days(self._found.items)

    def scenes(self, date: str) -> list[pystac.Item]:
        return sorted((item for item in self._found.items if acquired(item) == date), key=lambda one: one.id)

    def unread(self) -> tuple[str, ...]:
        return self._found.unread

    @cached_property
    def _found(self) -> Found:
        from pipeline.scenes.search import search  # pystac-client is slow to import, and files need none

        found = search(self.wanted, self.area)
        return Found(tuple(calibrate(found.items, self.told.counts)), found.unread)


def scene_source(source: Source, file: SiteFile, folder: Path, area: Geometry | None) -> SceneSource:
    """The source that a section of the site file describes; paths in it are from `folder`."""
    told = Told(
        source.bands or file.bands,
        source.counts.or_else(file.counts),
        NOWHERE
        if source.place is None
        else Place(source.place.at, source.place.pixel_size, source.place.crs),
    )
    if source.stac is not None:
        assert area is not None  # the site file is not right without one
        return Catalogue(source.stac.search(folder), area, told)
    pattern = source.files or source.items or ""
    return (DatedFiles if is_dated(pattern) else Files)(folder, pattern, told)


def _days(items: Sequence[pystac.Item]) -> tuple[str, ...]:
    return tuple(sorted({day for day in map(acquired, items) if day}))
