"""What images a folder holds, and the pattern by which a site file names them."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import takewhile
from pathlib import Path

import pystac
import shapely

from pipeline.config.dated import PLACE, dated_paths, dates_in, is_dated
from pipeline.errors import SourceNotFoundError
from pipeline.grid import native_grid, resolution_m
from pipeline.scenes import Place, acquired, band_names, describe
from pipeline.scenes.by_date import days_of
from pipeline.scenes.find import find_files
from pipeline.scenes.place import NOWHERE

_DAY = re.compile(r"(?<!\d)(?:(?:19|20)\d\d-\d\d-\d\d|(?:19|20)\d{6})(?!\d)")
"""As {date} stands for it."""


@dataclass(frozen=True)
class Images:
    """Images of a site: `pattern` names them from the site file's folder; `dates` are days (YYYY-MM-DD).

    `bands`, `resolution_m` and `crs` are those of the last day; `extent` (west, south, east, north in
    degrees) is the ground that all days show, None where there is none.
    """

    pattern: str
    dates: tuple[str, ...]
    count: int
    bands: tuple[str, ...]
    resolution_m: float
    crs: str
    extent: tuple[float, float, float, float] | None

    def told(self) -> str:
        """For people, a line."""
        days = f"{self.dates[0]} to {self.dates[-1]}" if len(self.dates) > 1 else self.dates[0]
        count = f"{len(self.dates)} date{'s' if len(self.dates) > 1 else ''}"
        files = f"{self.count} image{'s' if self.count > 1 else ''}"
        return (
            f"{count}, {days}; {files} of {self.resolution_m:.3g} m ({', '.join(self.bands)}) in {self.crs}"
        )


def find_images(source: str, folder: Path, place: Place = NOWHERE) -> Images:
    """Look at the images that a folder, or a pattern with {date} in it, holds; headers are read, no pixels.

    `folder` is the site file's; `place` counts for images that do not say where they lie.
    Raises SourceNotFoundError where there are none, or none says its day;
    SourceUnreadableError, GeoreferenceError or BandError for what is wrong with them.
    """
    here = Path.cwd()
    if is_dated(source):
        pattern = _from(folder, Path(source))
        items = _dated(here, source, place)
        if not items:
            raise SourceNotFoundError(f"{source}: no image matches this, with a day in place of {PLACE}")
        return _summary(pattern, items)
    root = Path(source).expanduser()
    pattern, items = _in_folder(root, place)
    return _summary(_from(folder, Path(glob.escape(str(root))) / pattern), items)


def _in_folder(root: Path, place: Place) -> tuple[str, list[pystac.Item]]:
    """The pattern (from `root`) and the images; without {date} where names do not say the day as it does."""
    files = find_files(root)
    pattern = _pattern([file.relative_to(root) for file in files])
    if pattern is not None and root.is_dir():
        return pattern, _dated(root, pattern, place)
    items = describe(root, place=place)
    if not days_of(items):
        raise SourceNotFoundError(
            f"{root}: no day in the names or metadata of {len(items)} images;"
            " name files, or a folder of each date, by it, as 2019-09-09"
        )
    return ".", items


def _dated(folder: Path, pattern: str, place: Place) -> list[pystac.Item]:
    days = dates_in(folder, pattern)
    return [
        item for day in days for item in describe(dated_paths(folder, pattern, day), date=day, place=place)
    ]


def _pattern(files: Sequence[Path]) -> str | None:
    """Of the first part of the paths in which each has its day; None where there is none."""
    for depth in range(min(len(file.parts) for file in files)):
        parts = [_split(file.parts[depth]) for file in files]
        if all(parts):
            above = [_common([file.parts[level] for file in files]) for level in range(depth)]
            named = [part for part in parts if part is not None]
            begin, end = _begin([before for before, _ in named]), _end([behind for _, behind in named])
            return "/".join([*above, f"{begin}{PLACE}{end}"])
    return None


def _split(name: str) -> tuple[str, str] | None:
    """What stands before and behind the day in a name; None where there is none."""
    for match in _DAY.finditer(name):
        try:
            date.fromisoformat(match[0])
        except ValueError:
            continue
        return name[: match.start()], name[match.end() :]
    return None


def _common(names: Sequence[str]) -> str:
    return glob.escape(names[0]) if len(set(names)) == 1 else "*"


def _begin(texts: Sequence[str]) -> str:
    """What names have in common before the day."""
    if len(set(texts)) == 1:
        return glob.escape(texts[0])
    alike = takewhile(lambda letters: len(set(letters)) == 1, zip(*texts, strict=False))
    return f"{glob.escape(''.join(letters[0] for letters in alike))}*"


def _end(texts: Sequence[str]) -> str:
    """What names have in common behind the day: all, or how they end: tiles that come later count too."""
    if len(set(texts)) == 1:
        return glob.escape(texts[0])
    endings = {Path(f"_{text}").suffix for text in texts}
    return f"*{glob.escape(endings.pop())}" if len(endings) == 1 else "*"


def _from(folder: Path, path: Path) -> str:
    """A path or pattern as it stands in a file of `folder`."""
    return Path(os.path.relpath(path.absolute(), folder.absolute())).as_posix()


def _summary(pattern: str, items: Sequence[pystac.Item]) -> Images:
    days = days_of(items)
    last = [item for item in items if acquired(item) == days[-1]]
    bands = band_names(last)
    grid = native_grid(last, bands)
    return Images(pattern, days, len(items), bands, resolution_m(grid), str(grid.crs), _shared(items, days))


def _shared(items: Sequence[pystac.Item], days: Sequence[str]) -> tuple[float, float, float, float] | None:
    """The box around the ground that all days show."""
    grounds = [
        shapely.union_all([shapely.geometry.shape(item.geometry) for item in items if acquired(item) == day])
        for day in days
    ]
    shared = shapely.intersection_all(grounds)
    if shared.area == 0:
        return None
    west, south, east, north = shared.bounds
    return west, south, east, north
