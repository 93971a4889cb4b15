"""Which scenes stand for a day: those of the sensor that shows most of the area, if that is enough of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path

import pystac
import shapely
from odc.geo import Geometry

from pipeline.config.seen import Seen
from pipeline.config.sources import SceneSource
from pipeline.errors import GroundbreakError
from pipeline.grid import crop, native_grid, resolution_m
from pipeline.scenes import band_names, band_sources
from pipeline.secrecy import without_secrets

_BESIDE = 8  # days that are looked at at a time


@dataclass(frozen=True)
class LeftOut:
    """A day that cannot be used, and why; `failed` where it could not be read. Without a day: what could not
    be read of a catalogue.
    """

    date: str | None
    reason: str
    failed: bool


@dataclass(frozen=True)
class Look:
    """What one sensor shows of a day, and its share 0..1 of the area."""

    items: tuple[pystac.Item, ...]
    seen: float


@dataclass
class Looks:
    """The days of a site's sources, each looked at no more than once."""

    sources: Sequence[SceneSource]
    area: Geometry | None
    masks: Callable[[str], Sequence[Path]]
    least: float  # share of the area that a day must show

    def __post_init__(self) -> None:
        self._sensors: dict[str, list[list[pystac.Item]]] = {}
        self._known: dict[str, Look | LeftOut] = {}
        self.seen = Seen()

    def days(self) -> tuple[str, ...]:
        """All days that have images, usable or not, in order."""
        return tuple(sorted({day for source in self.sources for day in source.dates()}))

    def usable(self, day: str) -> bool:
        """Whether enough is seen on a day."""
        return isinstance(self.look(day), Look)

    def usable_days(self) -> tuple[str, ...]:
        """Days on which enough is seen, in order."""
        days, _ = self.days(), self._ground  # found once, before several threads ask for it
        with ThreadPoolExecutor(_BESIDE) as beside:
            return tuple(day for day, good in zip(days, beside.map(self.usable, days), strict=True) if good)

    def left_out(self) -> tuple[LeftOut, ...]:
        """The other days, in order, and first what could not be read of catalogues."""
        usable = set(self.usable_days())
        looks = [self.look(day) for day in self.days() if day not in usable]
        lost = [LeftOut(None, line, True) for source in self.sources for line in source.unread()]
        return (*lost, *(look for look in looks if isinstance(look, LeftOut)))

    def look(self, day: str) -> Look | LeftOut:
        """The scenes that stand for a day, or why none do."""
        if day not in self._known:
            try:
                self._known[day] = self._look(day)
            except GroundbreakError as error:
                self._known[day] = LeftOut(day, without_secrets(str(error)), True)
        return self._known[day]

    def scenes(self, day: str) -> list[pystac.Item]:
        """The best of a day, also where it does not show enough; none where there are none."""
        sensors = self.sensors(day)
        if len(sensors) < 2:
            return sensors[0] if sensors else []
        return list(self._best(day, sensors).items)

    def sensors(self, day: str) -> list[list[pystac.Item]]:
        """The Items of a day by source and sensor, none empty; described once."""
        if day not in self._sensors:
            self._sensors[day] = [
                sorted(group, key=lambda item: item.id)
                for source in self.sources
                for _, group in groupby(sorted(source.scenes(day), key=_sensor), key=_sensor)
            ]
        return self._sensors[day]

    def _look(self, day: str) -> Look | LeftOut:
        best = self._best(day, self.sensors(day))
        if best.seen == 0 and self.area is not None:
            crop(native_grid(best.items, band_names(best.items)), self.area)  # says so if it lies beside it
        if best.seen < self.least:
            share = f"{best.seen:.0%} of the area is seen, less than min_visible ({self.least:.0%})"
            return LeftOut(day, share, False)
        return best

    def _best(self, day: str, sensors: Sequence[Sequence[pystac.Item]]) -> Look:
        """The one that sees more of the area, in whole percent; then the finer; then the first named."""
        masks = self.masks(day)
        looks = [Look(tuple(items), self.seen.share(items, self._ground, masks)) for items in sensors]
        if len(looks) == 1:
            return looks[0]
        return max(looks, key=lambda look: (round(look.seen, 2), -_pixel(look.items)))

    @cached_property
    def _ground(self) -> Geometry | None:
        """The area as far as images of any day reach: one drawn wider than them is no fault of a day's."""
        if self.area is None:
            return None
        lonlat = self.area.to_crs("EPSG:4326")
        reach = shapely.union_all([shape for day in self.days() for shape in self._footprints(day)])
        shared = lonlat.geom.intersection(reach)
        return Geometry(shared, lonlat.crs) if shared.area > 0 else lonlat

    def _footprints(self, day: str) -> list[shapely.Geometry]:
        try:
            items = [item for sensor in self.sensors(day) for item in sensor if item.geometry]
        except GroundbreakError:  # told when the day itself is looked at
            return []
        return [shapely.make_valid(shapely.geometry.shape(item.geometry)) for item in items]


def _sensor(item: pystac.Item) -> str:
    """Items that share it are tiles of one image: those of one collection, else of one constellation."""
    properties = item.properties
    return str(item.collection_id or properties.get("constellation") or properties.get("platform") or "")


def _pixel(items: Sequence[pystac.Item]) -> float:
    """Of the finest band, in metres."""
    return min(resolution_m(band.grid) for item in items for band in band_sources(item).values())
