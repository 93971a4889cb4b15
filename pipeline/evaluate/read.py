"""Results and truth read for scoring."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from rasterio.errors import RasterioError
from rasterio.features import shapes
from rasterio.warp import Resampling, reproject

from pipeline.admit import open_raster as admitted
from pipeline.errors import SourceNotFoundError, SourceUnreadableError
from pipeline.vector_files import read_features


def compared_dates(result: Path) -> tuple[str, str] | None:
    """Before and after date of a result; None where its run.json is not there or does not know them."""
    try:
        told = json.loads((result / "run.json").read_text(encoding="utf-8"))
        before, after = told["before"]["date"], told["after"]["date"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return (str(before)[:10], str(after)[:10]) if before and after else None


def read_truth(path: Path, grid: Any, dates: tuple[str, str] | None) -> gpd.GeoDataFrame:
    """Things with name, kind, direction and geometry, in the grid's CRS."""
    if path.suffix.lower() in {".tif", ".tiff"}:
        return _pieces(path, grid)
    things = read_vectors(path).to_crs(grid.crs)
    if dates and "first_seen" in things.columns:
        first = things["first_seen"].astype(str).str[:10]
        things = things[(first > dates[0]) & (first <= dates[1])]
    return things.reset_index(drop=True)


def _pieces(path: Path, grid: Any) -> gpd.GeoDataFrame:
    truth = np.zeros(grid.shape, np.uint8)
    with open_raster(path) as source:
        reproject(
            source.read(1), truth, src_transform=source.transform, src_crs=source.crs,
            dst_transform=grid.transform, dst_crs=grid.crs, resampling=Resampling.nearest,
        )  # fmt: skip
    ones = (truth == 1).astype(np.uint8)
    found = shapes(ones, mask=ones == 1, connectivity=8, transform=grid.transform)
    outlines = [shapely.make_valid(shapely.geometry.shape(shape)) for shape, _ in found]
    told = {"kind": [None] * len(outlines), "direction": ["new"] * len(outlines)}
    return gpd.GeoDataFrame(told, geometry=outlines, crs=grid.crs)


def read_vectors(path: Path) -> gpd.GeoDataFrame:
    """Features with kind and direction, in the file's CRS, also where there are none."""
    if not path.is_file():
        raise SourceNotFoundError(f"{path}: no such file; name a result folder, and a truth file")
    frame = read_features(path)
    if len(frame) and not {"kind", "direction"} <= set(frame.columns):
        raise SourceUnreadableError(
            f"{path}: features need `kind` and `direction`; it has {list(frame.columns)}"
        )
    if not len(frame):
        return gpd.GeoDataFrame({"kind": [], "direction": []}, geometry=[], crs=frame.crs or "OGC:CRS84")
    return frame


def open_raster(path: Path) -> Any:
    """An open raster. Raises SourceNotFoundError or SourceUnreadableError."""
    if not path.is_file():
        raise SourceNotFoundError(f"{path}: no such file; name the folder of a finished run")
    try:
        return admitted(path)
    except RasterioError as error:
        raise SourceUnreadableError(f"{path}: cannot be read as a raster ({error})") from error
