"""Each date of a site as a picture, all on one grid and in one stretch: what the scrubber runs through."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from PIL import Image
from rasterio.crs import CRS

from pipeline.outputs.files import replacing
from pipeline.outputs.picture import (
    Bytes,
    Floats,
    Stretch,
    common_stretch,
    display_bands,
    fitted,
    hatch,
    read_onto,
)
from pipeline.results import PairResult

FOLDER = "frames"
SIDE = 1000  # pixels of the longer side, at most
_GLANCE = 200  # likewise, of what the stretch is measured on


@dataclass(frozen=True)
class Frames:
    """Where each date's image lies, and the ground that all are shown on.

    `paths`: by date, in order. `bounds`: west, south, east, north of the outer pixel edges in `crs`; `shape`:
    rows and columns of the images. `mark`: the same for the same images.
    """

    paths: dict[str, tuple[Path, str]]
    crs: Any
    bounds: tuple[float, float, float, float]
    shape: tuple[int, int]

    @classmethod
    def of(cls, pairs: Sequence[PairResult]) -> Frames:
        """Of a site's comparisons: each date as aligned to the earliest, where it was compared with that."""
        first = min(pair.before for pair in pairs)
        found: dict[str, tuple[Path, str]] = {}
        for pair in sorted(pairs, key=lambda one: (one.before != first, one.after, one.before)):
            mark = str(pair.told.get("fingerprint"))
            found.setdefault(pair.before, (pair.folder / "before.tif", mark))
            found.setdefault(pair.after, (pair.folder / "after.tif", mark))
        with rasterio.open(found[first][0]) as image:
            crs, bounds, shape = image.crs, tuple(image.bounds), image.shape
        return cls(dict(sorted(found.items())), crs, bounds, shape)

    @property
    def mark(self) -> str:
        """SHA-256 over what the pictures follow from."""
        return _digest([(date, path.name, mark) for date, (path, mark) in self.paths.items()])

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows of a picture."""
        rows, cols = fitted(*self.shape, SIDE)
        return cols, rows

    def pictures(self, side: int = SIDE) -> Iterator[tuple[str, Bytes]]:
        """Each date with its picture (y, x, 3) uint8, one at a time; hatched where it shows nothing."""
        stretch = self.stretch()
        for date in self.paths:
            yield date, self.picture(date, stretch, side)

    def picture(self, date: str, stretch: Stretch, side: int = SIDE) -> Bytes:
        """One of them."""
        values = self._read(self.paths[date][0], side)
        unseen = np.asarray(np.isnan(values).any(axis=0))
        return _hatched(stretch(values), unseen)

    def mark_of(self, date: str, stretch: Stretch) -> str:
        """SHA-256 over what one picture follows from."""
        (path, mark), ground = self.paths[date], (str(self.crs), self.bounds, self.shape)
        return _digest([path.name, mark, ground, stretch.low.tolist(), stretch.high.tolist()])

    def stretch(self) -> Stretch:
        """Of all dates, in steps, so that one date more seldom changes how those before it look."""
        return common_stretch([self._read(path, _GLANCE) for path, _ in self.paths.values()]).in_steps()

    def _read(self, path: Path, side: int) -> Floats:
        with rasterio.open(path) as image:
            bands = display_bands(image.descriptions)
        return read_onto(
            path, bands.indexes, fitted(*self.shape, side), CRS.from_user_input(self.crs), self.bounds
        )


def _hatched(picture: Bytes, unseen: NDArray[np.bool_]) -> Bytes:
    if not unseen.any():
        return picture
    over = hatch(unseen).astype(np.float32)
    share = over[..., 3:] / 255
    mixed: Bytes = (picture * (1 - share) + over[..., :3] * share).round().astype(np.uint8)
    return mixed


def write_frames(frames: Frames, folder: Path) -> None:
    """Write `folder`/frames/DATE.jpg for each date, and take away those of dates that are gone. Each says in
    its comment what it follows from, by which it is known whether it must be drawn again.
    """
    stretch = frames.stretch()
    for date in frames.paths:
        file, mark = folder / FOLDER / f"{date}.jpg", frames.mark_of(date, stretch)
        if _mark_in(file) == mark:
            continue
        with replacing(file) as part:
            picture = Image.fromarray(frames.picture(date, stretch))
            picture.save(part, "JPEG", quality=84, subsampling=0, optimize=True, comment=mark)
    for old in (folder / FOLDER).glob("*.jpg"):
        if old.stem not in frames.paths and not old.name.startswith("."):
            old.unlink()


def _mark_in(file: Path) -> str | None:
    with suppress(OSError), Image.open(file) as picture:
        return bytes(picture.info.get("comment", b"")).decode("ascii", "replace")
    return None


def _digest(told: Any) -> str:
    return hashlib.sha256(repr(told).encode()).hexdigest()
