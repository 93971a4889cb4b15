"""The kinds of input that are fuzzed: how each is spoilt, and what reads it.

Whatever a reader is given, it must give an answer or raise a GroundbreakError.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mutate import nearly, nearly_json, nearly_yaml

from pipeline.area import read_area
from pipeline.config import load_site
from pipeline.errors import GroundbreakError
from pipeline.grid import native_grid
from pipeline.scenes import describe
from pipeline.scenes.masks import item_masks
from pipeline.scenes.sources import band_names
from pipeline.stages.load import Load

HERE = Path(__file__).parent
FOUND = HERE / "found"
_PIXELS = 10**6  # of images larger than that the header is read alone


@dataclass(frozen=True)
class Kind:
    """`file`: the name that an input is given, in a folder with all files of `beside`."""

    name: str
    file: str
    spoil: Callable[[bytes, random.Random], bytes]
    read: Callable[[Path], object]
    beside: tuple[Path, ...] = ()

    @property
    def seeds(self) -> list[Path]:
        """What is spoilt."""
        return sorted((HERE / "seeds" / self.name).iterdir())

    @property
    def found(self) -> list[Path]:
        """Inputs that once did harm."""
        return sorted(FOUND.glob(f"{self.name}-*"))

    def input(self, number: int) -> bytes:
        """The same for the same number."""
        rng = random.Random(f"{self.name} {number}")
        return self.spoil(rng.choice(self.seeds).read_bytes(), rng)

    def try_out(self, content: bytes, folder: Path) -> bool:
        """Whether it was read, or else refused as it should be. Raises whatever else a reader raises."""
        for path in self.beside:
            if not (folder / path.name).exists():
                shutil.copy(path, folder / path.name)
        path = folder / self.file
        path.write_bytes(content)
        try:
            self.read(path)
        except GroundbreakError as refusal:
            if not str(refusal).strip():
                raise ValueError("refused without a reason") from refusal
            return False
        return True


def _read_items(path: Path) -> None:
    """All that a run asks an Item before it reads pixels."""
    items = describe(path)
    for item in items:
        item_masks(item)
    native_grid(items, band_names(items))


def _read_image(path: Path) -> None:
    """Header and pixels."""
    items = describe(path)
    bands = band_names(items)
    grid = native_grid(items, bands)
    if grid.shape.x * grid.shape.y * len(bands) <= _PIXELS:
        Load(bands)(items, grid)["image"].data.compute(scheduler="synchronous")


KINDS = {
    kind.name: kind
    for kind in (
        Kind("site", "site.yaml", nearly_yaml, load_site, (HERE / "seeds/geojson/polygon.geojson",)),
        Kind("stac", "item.json", nearly_json, _read_items, (HERE / "seeds/tiff/tiles.tif",)),
        Kind("geojson", "area.geojson", nearly_json, read_area),
        Kind("tiff", "image.tif", nearly, _read_image),
    )
}
