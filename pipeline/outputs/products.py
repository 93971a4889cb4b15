"""All that is made of findings and rasters, in one call."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
from dask.delayed import delayed

from pipeline.compute import compute
from pipeline.outputs.figures import write_overview
from pipeline.outputs.geopackage import write_geopackage
from pipeline.outputs.item import write_item
from pipeline.outputs.kml import write_kml
from pipeline.outputs.provenance import begin
from pipeline.outputs.report import write_report
from pipeline.outputs.vectors import write_findings


def write_products(folder: Path, findings: gpd.GeoDataFrame, summary: Mapping[str, Any]) -> None:
    """Complete a folder that holds before.tif, after.tif, change.tif and shift.tif, but for run.json.

    An earlier run.json is taken away first: `write_run` writes it when all else is done, and only a folder
    that has it is whole. Raises OutputError where the folder cannot be written, SourceUnreadableError where a
    raster is missing.
    """
    begin(folder)
    write_findings(findings, folder)
    write_geopackage(findings, folder)
    write_kml(findings, folder, summary)
    pictures = [partial(write, findings, folder, summary) for write in (write_overview, write_report)]
    compute(*[delayed(draw, pure=False)() for draw in pictures])
    write_item(folder, summary)
