"""What a case of the corpus is: something wrong, or odd, that is made; what is typed; what must come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import rasterio.shutil
from affine import Affine
from imagery import write
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

SIDE = 96
PIXEL = 1.0  # metres
BANDS = ["blue", "green", "red", "nir"]
GRID = GeoBox((SIDE, SIDE), Affine(PIXEL, 0, 600_000, 0, -PIXEL, 3_810_000), "EPSG:32637")
ROOF = (slice(56, 72), slice(26, 44))  # rows and columns of the building that is new
Array = NDArray[np.generic]


@dataclass(frozen=True)
class Done:
    """A result comes. `found`: the new building is found (True), nothing is (False), or either (None);
    `seen`: the share of the grid that both dates show, None where that is not said; `says`: what a warning
    must hold.
    """

    found: bool | None = True
    seen: float | None = 1.0
    notes: str = ""
    says: tuple[str, ...] = ()

    def told(self) -> str:
        """For the table of docs/robustness.md."""
        what = {True: "the building is found", False: "nothing is found", None: "a result"}[self.found]
        part = f", {self.seen:.0%} observed" if self.seen not in {None, 1.0} else ""
        warned = f"; told: {', '.join(f'`{word}`' for word in self.says)}" if self.says else ""
        return f"done: {what}{part}{warned}{f' ({self.notes})' if self.notes else ''}"


@dataclass(frozen=True)
class Refused:
    """One line on standard error that holds all of `words`, and exit status 1."""

    words: tuple[str, ...]

    def told(self) -> str:
        """For the table of docs/robustness.md."""
        return f"refused: {', '.join(f'`{word}`' for word in self.words)}"


def refused(*words: str) -> Refused:
    """What the line must hold."""
    return Refused(words)


def ground(seed: int = 3, side: int = SIDE, bands: int = 4) -> Array:
    """Fields, tracks and stones, the same in all bands but for their level: something to align by."""
    rng = np.random.default_rng(seed)
    coarse = np.kron(rng.normal(0, 350, (-(-side // 8),) * 2), np.ones((8, 8)))[:side, :side]
    fine = rng.normal(0, 120, (side, side))
    stones = np.where(rng.random((side, side)) > 0.992, 900.0, 0.0)
    levels = 2200 + 350 * np.arange(bands)
    lit = (coarse + fine + stones)[None] * (1 + 0.1 * np.arange(bands))[:, None, None]
    return (levels[:, None, None] + lit).clip(200, 9000).astype("uint16")


def built(values: Array) -> Array:
    """The same with a bright roof and its shadow."""
    after = values.copy()
    rows, cols = ROOF
    after[:, rows, cols] = np.minimum(7000, np.iinfo(after.dtype).max)  # type: ignore[type-var]
    after[:, rows, cols.stop : cols.stop + 5] = 450
    return after


@dataclass
class Yard:
    """A folder in which a case is made. `before` and `after` are (4, SIDE, SIDE) uint16, the latter with a
    building more.
    """

    folder: Path
    before: Array = field(default_factory=ground)
    after: Array = field(default_factory=lambda: built(ground()))

    def write(self, name: str, values: Array, box: GeoBox = GRID, **profile: object) -> Path:
        """A GeoTIFF with named bands and nodata 0, unless `profile` says otherwise."""
        names = BANDS if len(values) == len(BANDS) else ["pan"] if len(values) == 1 else None
        return write(self.folder / name, values, box, **{"names": names, "nodata": 0, **profile})  # type: ignore[arg-type]

    def good(self) -> list[object]:
        """Both images as they should be: before.tif and after.tif."""
        return self.both()

    def both(
        self, change: Callable[[Array], Array] = lambda values: values, box: GeoBox = GRID, **profile: object
    ) -> list[object]:
        """Both images with the same change made to them."""
        self.write("before.tif", change(self.before), box, **profile)
        self.write("after.tif", change(self.after), box, **profile)
        return PAIR

    def odd(self, values: Array | None = None, box: GeoBox = GRID, **profile: object) -> list[object]:
        """A good before.tif, and an after.tif of which something is odd."""
        self.write("before.tif", self.before)
        self.write("after.tif", self.after if values is None else values, box, **profile)
        return PAIR

    def cog(self) -> bytes:
        """The after image as a COG, whose header comes first, so that it opens however short it is cut."""
        self.good()
        rasterio.shutil.copy(
            self.folder / "after.tif", self.folder / "cog.tif", driver="COG", compress="deflate"
        )
        data = (self.folder / "cog.tif").read_bytes()
        (self.folder / "cog.tif").unlink()
        return data

    def bytes(self, data: bytes, name: str = "after.tif") -> list[object]:
        """A good pair, but for the bytes of one file."""
        self.good()
        (self.folder / name).write_bytes(data)
        return PAIR


PAIR: list[object] = ["compare", "before.tif", "after.tif"]
Make = Callable[[Yard], list[object]]


@dataclass(frozen=True)
class Case:
    """`make` makes it in a new folder and gives the words to type there (`--out result` is added)."""

    group: str
    what: str
    make: Make
    expect: Done | Refused
    needs: str = ""  # "unprivileged": means nothing to root

    @property
    def id(self) -> str:
        """For pytest."""
        return f"{self.group}: {self.what}".lower()
