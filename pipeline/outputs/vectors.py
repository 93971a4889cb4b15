"""Findings as files: GeoJSON (RFC 7946) for everyone, GeoParquet 1.1 for programs, CSV for spreadsheets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from pipeline.outputs import words
from pipeline.outputs.files import replacing, write_text
from pipeline.outputs.sheets import csv_text

DECIMALS = 7  # of a degree: about a centimetre, and what RFC 7946 counts as enough
COLUMNS = ("id", "kind", "direction", "confidence", "area_m2", "length_m", "width_m", "zone")
_ROUND = {"confidence": 4, "area_m2": 2, "length_m": 2, "width_m": 2}
_MARK = "\ufeff"  # by which spreadsheets know that a CSV is UTF-8
_WGS84 = "OGC:CRS84"  # longitude first, whatever the library's axis order


def typed(findings: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The contract's columns with their types, sorted by id: the same for no rows as for many.

    id int64; kind, direction, zone string (zone may be missing); the rest float64, rounded to what they mean.
    """
    if findings.empty and "geometry" not in findings.columns:
        findings = gpd.GeoDataFrame({"geometry": []}, geometry="geometry", crs=findings.crs)
    frame = gpd.GeoDataFrame(geometry=findings.geometry.array, crs=findings.crs)
    for position, name in enumerate(COLUMNS):
        values = (
            findings[name] if name in findings.columns else pd.Series([None] * len(findings), dtype=object)
        )
        frame.insert(position, name, _cast(values.reset_index(drop=True), name))
    return frame.sort_values("id", kind="stable").reset_index(drop=True)


def _cast(values: pd.Series[Any], name: str) -> pd.Series[Any]:
    if name == "id":
        return values.astype("int64")
    if name in _ROUND:
        return values.astype("float64").round(_ROUND[name])
    return values.astype("string")


def to_lonlat(findings: gpd.GeoDataFrame) -> gpd.GeoSeries:
    """Geometries in lon/lat, rounded to `DECIMALS`, exterior rings anticlockwise (RFC 7946, 3.1.6)."""
    lonlat = findings.geometry.to_crs(_WGS84)
    rounded = shapely.transform(lonlat.array, lambda xy: xy.round(DECIMALS))
    return gpd.GeoSeries(shapely.orient_polygons(rounded), crs=_WGS84)


def feature_collection(findings: gpd.GeoDataFrame) -> dict[str, Any]:
    """Findings as an RFC 7946 FeatureCollection, also when there are none."""
    frame = typed(findings)
    geometries = to_lonlat(frame)
    collection: dict[str, Any] = {"type": "FeatureCollection"}
    if len(frame):
        collection["bbox"] = [round(float(v), DECIMALS) for v in geometries.total_bounds]
    collection["features"] = [
        {"type": "Feature", "properties": properties, "geometry": shapely.geometry.mapping(geometry)}
        for properties, geometry in zip(_records(frame), geometries, strict=True)
    ]
    return collection


def _records(frame: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """Rows as plain JSON values; what is missing or not a number becomes null."""
    table = frame[list(COLUMNS)].astype(object)
    records: list[dict[str, Any]] = table.where(table.notna(), None).to_dict("records")
    return records


def _geojson_text(collection: dict[str, Any]) -> str:
    """One feature a line: short enough to ship, and a diff of two results can be read."""
    head = {key: value for key, value in collection.items() if key != "features"}
    start = json.dumps(head, ensure_ascii=False)[:-1]
    lines = [json.dumps(f, ensure_ascii=False, allow_nan=False) for f in collection["features"]]
    body = "\n" + ",\n".join(lines) + "\n" if lines else ""
    return f'{start}, "features": [{body}]}}\n'


def write_findings(findings: gpd.GeoDataFrame, folder: Path) -> None:
    """Write `changes.geojson` (lon/lat, RFC 7946), `changes.parquet` (GeoParquet 1.1, the findings' CRS) and
    `changes.csv`.

    The same findings give the same bytes. GeoJSON cannot say which columns it would have had, so an empty
    result keeps its columns and their types in the GeoParquet only. Raises OutputError.
    """
    write_text(folder / "changes.geojson", _geojson_text(feature_collection(findings)))
    with replacing(folder / "changes.parquet") as part:
        typed(findings).to_parquet(
            part, index=False, schema_version="1.1.0", write_covering_bbox=True, compression="zstd"
        )
    write_text(folder / "changes.csv", _MARK + csv_text(_with_places(typed(findings))))


def _with_places(frame: gpd.GeoDataFrame) -> pd.DataFrame:
    """The columns without the geometry, and after them `latitude` and `longitude` of a point on each."""
    places = words.centres(frame)
    table = pd.DataFrame(frame[list(COLUMNS)])
    table["latitude"] = [round(lat, DECIMALS) for _, lat in places]
    table["longitude"] = [round(lon, DECIMALS) for lon, _ in places]
    return table
