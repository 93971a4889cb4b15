"""Real single-date images with roofs outlined by hand: ground to change, and roofs to build with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.features import rasterize
from shapely.affinity import scale
from shapely.geometry import Polygon, box

from pipeline.train.fine.sample import Bytes

Labels = NDArray[np.int32]
_LEAST_SIDE = 128


@dataclass(frozen=True, eq=False)
class Background:
    """`image`: (3, y, x) uint8 red, green, blue. `roofs`: (y, x) the roof's number, 0 none, -1 not known."""

    name: str
    image: Bytes
    roofs: Labels

    @property
    def labelled(self) -> bool:
        """Whether any roof is outlined."""
        return bool((self.roofs > 0).any())


def backgrounds(folder: Path, scales: Sequence[float] = (1.0, 0.7, 0.5)) -> list[Background]:
    """Every outlined image under `folder`, at some scales of its own resolution; roofs.json outlines them."""
    outlines = json.loads(files("pipeline.train.fine").joinpath("roofs.json").read_text(encoding="utf-8"))
    found = []
    for told in outlines:
        path = folder / str(told["image"])
        if not path.exists():
            continue
        found += [one for share in scales if (one := _scaled(path, told, share)) is not None]
    return found


def _scaled(path: Path, told: dict[str, list[object]], share: float) -> Background | None:
    with rasterio.open(path) as source:
        rows, cols = round(source.height * share), round(source.width * share)
        if min(rows, cols) < _LEAST_SIDE:
            return None
        image = source.read([1, 2, 3], out_shape=(3, rows, cols), resampling=Resampling.average)
    roofs = np.zeros((rows, cols), np.int32)
    known = scale(box(*told["complete_within"]), share, share, origin=(0, 0))
    roofs[rasterize([known], (rows, cols), fill=0, default_value=1) == 0] = -1
    for corners in told.get("unsure", []):
        roofs[_inside(corners, share, roofs.shape)] = -1
    for number, corners in enumerate(told["buildings"], start=1):
        roofs[_inside(corners, share, roofs.shape)] = number
    return Background(f"{path.parent.name}/{path.stem}@{share:g}", image, roofs)


def _inside(corners: object, share: float, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    outline = scale(Polygon(corners), share, share, origin=(0, 0))
    return np.asarray(rasterize([outline], shape, dtype="uint8").astype(bool))
