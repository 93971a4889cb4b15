"""All that is made of findings and rasters, in one call."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
from dask.delayed import delayed

from pipeline.compute import aside, compute, has_processes
from pipeline.config.pictures import USUAL, Pictures
from pipeline.outputs.chips import write_all_chips
from pipeline.outputs.figures import write_overview
from pipeline.outputs.geopackage import write_geopackage
from pipeline.outputs.item import write_item
from pipeline.outputs.kml import write_kml
from pipeline.outputs.picture import read_comparison
from pipeline.outputs.provenance import begin
from pipeline.outputs.report import write_report
from pipeline.outputs.vectors import write_findings


def write_products(
    folder: Path, findings: gpd.GeoDataFrame, summary: Mapping[str, Any], looks: Pictures = USUAL
) -> None:
    """Complete a folder that holds before.tif, after.tif, change.tif and shift.tif, but for run.json.

    An earlier run.json is taken away first: `write_run` writes it when all else is done, and only a folder
    that has it is whole. Raises OutputError where the folder cannot be written, SourceUnreadableError where a
    raster is missing.
    """
    begin(folder)
    with nullcontext() if has_processes() else aside(partial(read_comparison, folder)) as reading:
        write_findings(findings, folder)
        write_geopackage(findings, folder)
        write_kml(findings, folder, summary)
    view = reading.result() if reading else None  # which each process reads, rather than be sent it
    draws = [
        partial(write_overview, findings, folder, summary, looks, view),
        partial(write_report, findings, folder, summary, view),
        partial(write_all_chips, findings, folder, summary, looks),
    ]
    compute(*[delayed(draw, pure=False)() for draw in draws])
    write_item(folder, summary)
