"""A labelled case as the program itself sees it: aligned and normalised, so that what is learned is what it
will see.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import rasterio
from odc.geo.geobox import GeoBox

from pipeline.config import Settings
from pipeline.job import Job
from pipeline.outputs.rasters import PairReader
from pipeline.pair import Pair
from pipeline.progress import Progress
from pipeline.run import run
from pipeline.scenes import describe
from pipeline.stages.detect import Detect


def compared(case: Path) -> tuple[Pair, tuple[str, ...], GeoBox]:
    """The pair in `case`/before and `case`/after with the program's defaults, its bands, and its grid.

    Raises as `run` does.
    """
    with tempfile.TemporaryDirectory() as scratch:
        before, after = (tuple(describe(case / name)) for name in ("before", "after"))
        settings = Settings(detect=Detect("classic"))
        result = run(Job(case.name, case.name, Path(scratch) / "result", before, after, settings), Progress())
        with rasterio.open(result.folder / "change.tif") as file:
            grid = GeoBox.from_rio(file)
        reader = PairReader(result.folder / "before.tif", result.folder / "after.tif")
        pair = reader(slice(0, grid.shape.y), slice(0, grid.shape.x))
    return pair, tuple(result.summary["grid"]["bands"]), grid
