"""item.json: a STAC 1.1 Item over all files of a result; core fields only, so that it validates offline."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pystac
import rasterio
import shapely
from pyproj import Transformer
from rasterio.enums import Resampling
from rasterio.features import shapes
from rasterio.transform import from_bounds

from pipeline.outputs.files import write_text
from pipeline.outputs.picture import UNOBSERVED, fitted
from pipeline.outputs.provenance import json_text
from pipeline.outputs.vectors import DECIMALS

_COG = pystac.MediaType.COG
_PARQUET = pystac.MediaType.PARQUET
# name, key, media type, roles, title: in the order in which people look for them
FILES: tuple[tuple[str, str, str, tuple[str, ...], str], ...] = (
    ("report.html", "report", "text/html", ("overview", "metadata"), "Report to read, works offline"),
    ("overview.png", "overview", pystac.MediaType.PNG, ("overview", "thumbnail"), "Both dates side by side"),
    ("changes.geojson", "changes", pystac.MediaType.GEOJSON, ("data",), "Findings, longitude and latitude"),
    ("changes.gpkg", "changes-gpkg", pystac.MediaType.GEOPACKAGE, ("data",), "Findings for QGIS, styled"),
    ("changes.kml", "changes-kml", pystac.MediaType.KML, ("data",), "Findings for Google Earth"),
    ("changes.csv", "changes-csv", "text/csv", ("data",), "Findings for spreadsheets"),
    ("changes.parquet", "changes-parquet", _PARQUET, ("data",), "Findings as GeoParquet, CRS of the grid"),
    ("change.tif", "change", _COG, ("data",), "Probability of new construction, percent; 255 = not observed"),
    ("before.tif", "before", _COG, ("data", "reflectance"), "Image before, on the site's grid"),
    ("after.tif", "after", _COG, ("data", "reflectance"), "Image after, aligned and normalised"),
    ("shift.tif", "shift", _COG, ("data", "metadata"), "How far the after image was off, metres east, north"),
    ("run.json", "run", pystac.MediaType.JSON, ("metadata",), "How the result came about; written last"),
)  # fmt: skip
_UNITS = {"change.tif": "%", "shift.tif": "m"}


def footprint(change: Path) -> shapely.Polygon:
    """What both dates show, lon/lat: the convex hull of observed pixels, or the grid if all or none are."""
    with rasterio.open(change) as source:
        shape = fitted(source.height, source.width, 512)
        seen = source.read(1, out_shape=shape, resampling=Resampling.nearest) != UNOBSERVED
        crs, bounds = source.crs, source.bounds
    outline = shapely.box(*bounds)
    if seen.any() and not seen.all():
        found = shapes(seen.astype(np.uint8), mask=seen, transform=from_bounds(*bounds, shape[1], shape[0]))
        outline = shapely.union_all([shapely.geometry.shape(part) for part, _ in found]).convex_hull
    # edges that are straight on the grid are curved in degrees: cut them up before they are transformed
    pieces = shapely.segmentize(outline, max(bounds.right - bounds.left, bounds.top - bounds.bottom) / 8)
    to_lonlat = Transformer.from_crs(crs, "OGC:CRS84", always_xy=True).transform
    lonlat = shapely.transform(pieces, to_lonlat, interleaved=False)
    return shapely.orient_polygons(shapely.transform(lonlat, lambda xy: xy.round(DECIMALS)))


def _period(summary: Mapping[str, Any]) -> tuple[datetime, datetime] | None:
    """From the start of the earlier day to the end of the later one; None where a date is not known."""
    dates = [summary.get(side, {}).get("date") for side in ("before", "after")]
    if not all(dates):
        return None
    first, last = sorted(datetime.fromisoformat(str(day)[:10]).replace(tzinfo=UTC) for day in dates)
    return first, last + timedelta(days=1) - timedelta(seconds=1)


def _raster_fields(path: Path) -> dict[str, Any]:
    """`data_type`, `nodata`, `gsd` and `bands` of a raster, as core STAC 1.1 has them."""
    with rasterio.open(path) as source:
        fields: dict[str, Any] = {"data_type": source.dtypes[0], "gsd": abs(float(source.transform.a))}
        if source.nodata is not None:
            fields["nodata"] = "nan" if np.isnan(source.nodata) else source.nodata
        fields["bands"] = [
            {"name": name or f"band{i}"} for i, name in enumerate(source.descriptions, start=1)
        ]
    if path.name in _UNITS:
        fields["unit"] = _UNITS[path.name]
    return fields


def _asset(path: Path, media_type: str, roles: tuple[str, ...], title: str) -> pystac.Asset:
    fields = _raster_fields(path) if media_type == _COG else {}
    return pystac.Asset(
        f"./{path.name}", title, media_type=media_type, roles=list(roles), extra_fields=fields
    )


def make_item(folder: Path, summary: Mapping[str, Any]) -> pystac.Item:
    """The Item of a result folder; run.json is listed though it is written after it."""
    created = datetime.fromisoformat(str(summary["created"]).replace("Z", "+00:00")).astimezone(UTC)
    period = _period(summary)
    site = summary["site"]
    days = [summary[side].get("date") or "undated" for side in ("before", "after")]
    geometry = footprint(folder / "change.tif")
    item = pystac.Item(
        id=f"{site['id']}_{days[0]}_{days[1]}",
        geometry=shapely.geometry.mapping(geometry),
        bbox=[float(v) for v in geometry.bounds],
        datetime=None if period else created,
        properties={
            "title": f"{site.get('name') or site['id']}: changes from {days[0]} to {days[1]}",
            "created": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "gsd": float(summary["grid"]["resolution_m"]),
            "keywords": ["change detection", "construction", *(["simulated"] if summary.get("made") else [])],
            "groundbreak:version": summary["groundbreak"],
            "groundbreak:made": bool(summary.get("made")),
            "groundbreak:alignment": summary["alignment"]["status"],
            "groundbreak:findings": int(summary["findings"]["count"]),
        },
        start_datetime=period[0] if period else None,
        end_datetime=period[1] if period else None,
    )
    for name, key, media_type, roles, title in FILES:
        if name == "run.json" or (folder / name).exists():
            item.add_asset(key, _asset(folder / name, media_type, roles, title))
    return item


def write_item(folder: Path, summary: Mapping[str, Any]) -> None:
    """Write item.json, with hrefs relative to itself, so that the folder can be moved."""
    item = make_item(folder, summary)
    write_text(folder / "item.json", json_text(item.to_dict(include_self_link=False, transform_hrefs=False)))
