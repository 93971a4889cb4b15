"""Labelled pairs of a user's own: folders with before/, after/ and truth.geojson or truth.tif."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
from odc.geo.geobox import GeoBox

from pipeline.errors import SourceNotFoundError
from pipeline.evaluate.read import read_truth
from pipeline.pair import Pair
from pipeline.train.compared import compared

TRUTHS = ("truth.geojson", "truth.tif")


@dataclass(frozen=True, eq=False)
class Labelled:
    """A pair on one grid, its bands, and what was built on it (columns kind, direction; the grid's CRS)."""

    name: str
    pair: Pair
    bands: tuple[str, ...]
    grid: GeoBox
    truth: gpd.GeoDataFrame


def labelled_pairs(folder: Path) -> Iterator[Labelled]:
    """Every pair of `folder`: the folder itself, or those in it. Raises SourceNotFoundError where there is
    none, and as `run` does.
    """
    cases = [(path, truth) for path in (folder, *sorted(folder.glob("*"))) if (truth := _truth(path))]
    if not cases:
        raise SourceNotFoundError(
            f"{folder}: no labelled pair; give a folder with before/, after/ and truth.geojson or truth.tif,"
            " or a folder of such folders"
        )
    for case, truth in cases:
        yield _read(case, truth)


def _truth(case: Path) -> Path | None:
    there = [case / name for name in TRUTHS if (case / name).is_file()]
    return there[0] if there and (case / "before").is_dir() and (case / "after").is_dir() else None


def _read(case: Path, truth: Path) -> Labelled:
    pair, bands, grid = compared(case)
    return Labelled(case.name, pair, bands, grid, read_truth(truth, grid, None))
