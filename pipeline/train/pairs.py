"""Labelled pairs of a user's own: folders with before/, after/ and truth.geojson or truth.tif.

They are aligned and normalised by the program itself, so that what is learned is what it will see.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import rasterio
from odc.geo.geobox import GeoBox

from pipeline.config import Settings
from pipeline.errors import SourceNotFoundError
from pipeline.evaluate.read import read_truth
from pipeline.job import Job
from pipeline.outputs.rasters import PairReader
from pipeline.pair import Pair
from pipeline.progress import Progress
from pipeline.run import run
from pipeline.scenes import describe
from pipeline.stages.detect import Detect

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
    cases = [path for path in (folder, *sorted(folder.glob("*"))) if _truth(path) is not None]
    if not cases:
        raise SourceNotFoundError(
            f"{folder}: no labelled pair; give a folder with before/, after/ and truth.geojson or truth.tif,"
            " or a folder of such folders"
        )
    for case in cases:
        yield _compared(case)


def _truth(case: Path) -> Path | None:
    there = [case / name for name in TRUTHS if (case / name).is_file()]
    return there[0] if there and (case / "before").is_dir() and (case / "after").is_dir() else None


def _compared(case: Path) -> Labelled:
    truth = _truth(case)
    assert truth is not None
    with tempfile.TemporaryDirectory() as scratch:
        before, after = (tuple(describe(case / name)) for name in ("before", "after"))
        settings = Settings(detect=Detect(detector="classic"))
        result = run(Job(case.name, case.name, Path(scratch) / "result", before, after, settings), Progress())
        with rasterio.open(result.folder / "change.tif") as source:
            grid = GeoBox.from_rio(source)
        pair = PairReader(result.folder)(slice(0, grid.shape.y), slice(0, grid.shape.x))
        bands = tuple(result.summary["grid"]["bands"])
    return Labelled(case.name, pair, bands, grid, read_truth(truth, grid, None))
