"""All that is made of findings and rasters, in one call."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
from dask.delayed import delayed

from pipeline.compute import compute
from pipeline.config.pictures import USUAL, Pictures
from pipeline.outputs.chips import write_all_chips
from pipeline.outputs.figures import write_overview
from pipeline.outputs.geopackage import write_geopackage
from pipeline.outputs.item import write_item
from pipeline.outputs.kml import write_kml
from pipeline.outputs.picture import Comparison
from pipeline.outputs.provenance import begin
from pipeline.outputs.report import write_report
from pipeline.outputs.vectors import write_findings


def write_products(
    folder: Path,
    findings: gpd.GeoDataFrame,
    summary: Mapping[str, Any],
    looks: Pictures = USUAL,
    view: Comparison | None = None,
) -> None:
    """Complete a folder that holds before.tif, after.tif, change.tif and shift.tif, but for run.json.

    An earlier run.json is taken away first: `write_run` writes it when all else is done, and only a folder
    that has it is whole. `view`: what `read_comparison` gives, where it has been read. Raises OutputError
    where the folder cannot be written, SourceUnreadableError where a raster is missing.
    """
    begin(folder)
    parts = [
        partial(write_overview, findings, folder, summary, looks, view),
        partial(write_report, findings, folder, summary, view),
        partial(write_all_chips, findings, folder, summary, looks),
        partial(_write_tables, findings, folder, summary),
    ]
    compute(*[delayed(part, pure=False)() for part in parts])
    write_item(folder, summary)


def _write_tables(findings: gpd.GeoDataFrame, folder: Path, summary: Mapping[str, Any]) -> None:
    write_findings(findings, folder)
    write_geopackage(findings, folder)
    write_kml(findings, folder, summary)
