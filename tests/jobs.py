"""Whole comparisons through the command line, and what they leave behind."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import rasterio
from numpy.typing import NDArray
from typer.testing import CliRunner, Result

from pipeline.cli import app

FILES = {
    "changes.geojson", "changes.parquet", "changes.gpkg", "changes.kml", "changes.csv",
    "change.tif", "before.tif", "after.tif", "shift.tif",
    "report.html", "overview.png", "run.json", "item.json",
}  # fmt: skip
RASTERS = ("change", "before", "after", "shift")
SAME_BYTES = (
    "changes.geojson", "changes.parquet", "changes.gpkg", "changes.csv",
    *(f"{name}.tif" for name in RASTERS),
)  # fmt: skip
"""Files that hold nothing of when, where, under what name or with what settings they were made."""


def groundbreak(*words: object) -> Result:
    """The command line in this process."""
    return CliRunner().invoke(app, [str(word) for word in words])


def compare(before: Path, after: Path, out: Path, *options: object) -> Path:
    """`groundbreak compare`, which must succeed; the folder of the result."""
    told = groundbreak("compare", before, after, "--out", out, "--quiet", *options)
    assert told.exit_code == 0, told.output
    return out


def read(path: Path) -> NDArray[Any]:
    """All bands (band, y, x) as stored."""
    with rasterio.open(path) as file:
        stored: NDArray[Any] = file.read()
    return stored


def physical(path: Path) -> NDArray[np.float32]:
    """All bands (band, y, x), scaled, NaN for nodata."""
    with rasterio.open(path) as file:
        counts = file.read(masked=True).astype("float32").filled(np.nan)
        scaled: NDArray[np.float32] = counts * np.float32(file.scales[0]) + np.float32(file.offsets[0])
    return scaled


def run_json(folder: Path) -> dict[str, Any]:
    """What the run says of itself."""
    told: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    return told


def findings(folder: Path) -> gpd.GeoDataFrame:
    """The findings in the grid's CRS."""
    return gpd.read_parquet(folder / "changes.parquet")


def checksums(folder: Path, names: tuple[str, ...] = SAME_BYTES) -> dict[str, str]:
    """SHA-256 of files of a folder."""
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}


def share_found(truth: gpd.GeoDataFrame, found: gpd.GeoDataFrame) -> list[float]:
    """How much of each true thing's ground the findings cover."""
    everything = found.to_crs(truth.crs).union_all()
    return [shape.intersection(everything).area / shape.area for shape in truth.geometry]
