"""A small result folder as the pipeline leaves it for the outputs: four COGs, findings, a summary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import rasterio
from rasterio.transform import from_origin
from shapely.geometry import Polygon, box
from shapely.geometry.base import BaseGeometry

CRS = "EPSG:32637"
WEST, NORTH, PIXEL = 700_000.0, 3_800_000.0, 0.5
BANDS = ("blue", "green", "red", "nir")
BUILT = (20, 30, 36, 60)  # row and column ranges of the one new building: rows 20..36, columns 30..60


def write_cog(path: Path, data: np.ndarray, *, nodata: float | None = None, **tags: Any) -> None:
    """`data` (band, y, x) as a COG on the grid of this module; tags: scale, offset, names."""
    profile = {"crs": CRS, "transform": from_origin(WEST, NORTH, PIXEL, PIXEL), "nodata": nodata}
    shape = {"count": data.shape[0], "height": data.shape[1], "width": data.shape[2], "dtype": data.dtype}
    with rasterio.open(path, "w", driver="COG", compress="deflate", **shape, **profile) as target:
        target.write(data)
        target.descriptions = tags.get("names", [None] * data.shape[0])
        target.scales = [tags.get("scale", 1.0)] * data.shape[0]
        target.offsets = [tags.get("offset", 0.0)] * data.shape[0]


def make_rasters(folder: Path, rows: int = 80, cols: int = 100, names: tuple[str, ...] = BANDS) -> None:
    """before, after (uint16, 0 = nodata), change and shift; the last ten rows were not observed after."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(7)
    before = rng.integers(2000, 4000, (len(names), rows, cols)).astype(np.uint16)
    after = before.copy()
    r0, c0, r1, c1 = BUILT
    after[:, r0:r1, c0:c1] = 9000
    after[:, -10:] = 0
    change = np.zeros((1, rows, cols), np.uint8)
    change[0, r0:r1, c0:c1] = 95
    change[0, -10:] = 255
    shift = np.stack([np.full((rows, cols), 1.25), np.full((rows, cols), -0.75)]).astype(np.float32)
    shift[0] += np.linspace(-0.2, 0.2, cols, dtype=np.float32)
    shift[:, -10:] = np.nan
    for name, data in (("before", before), ("after", after)):
        write_cog(folder / f"{name}.tif", data, nodata=0, names=names, scale=1e-4)
    write_cog(folder / "change.tif", change, nodata=255, names=("change",))
    write_cog(folder / "shift.tif", shift, nodata=float("nan"), names=("dx", "dy"))


def ground(r0: int, c0: int, r1: int, c1: int) -> BaseGeometry:
    """The outline of a range of pixels, in map coordinates."""
    return box(WEST + c0 * PIXEL, NORTH - r1 * PIXEL, WEST + c1 * PIXEL, NORTH - r0 * PIXEL)


def make_findings(rows: list[dict[str, Any]] | None = None) -> gpd.GeoDataFrame:
    """Two findings, the second a ring with a hole and its exterior wound clockwise; or those given."""
    ring = Polygon(
        [(WEST + x, NORTH - y) for x, y in ((5, 22), (20, 22), (20, 30), (5, 30))],
        holes=[[(WEST + x, NORTH - y) for x, y in ((7, 24), (7, 28), (18, 28), (18, 24))]],
    )
    usual = [
        {"id": 1, "kind": "building", "direction": "new", "confidence": 0.912345, "area_m2": 120.0,
         "length_m": 15.0, "width_m": 8.0, "zone": "north compound", "geometry": ground(*BUILT)},
        {"id": 2, "kind": "earthwork", "direction": "altered", "confidence": 0.61, "area_m2": 76.0,
         "length_m": 15.0, "width_m": 8.0, "zone": None, "geometry": ring},
    ]  # fmt: skip
    names = list(usual[0])
    rows = usual if rows is None else rows
    return gpd.GeoDataFrame({n: [row[n] for row in rows] for n in names}, geometry="geometry", crs=CRS)


def make_summary(findings: gpd.GeoDataFrame, **changes: Any) -> dict[str, Any]:
    """The summary of a run, with the keys that outputs read."""
    count = {
        k: {str(a): int(b) for a, b in findings[k].value_counts().items()} for k in ("kind", "direction")
    }
    usual = {
        "groundbreak": "0.1.0",
        "site": {"id": "boukamal", "name": "Imam Ali compound, Boukamal"},
        "before": {"date": "2019-09-09", "sensor": "made",
                   "inputs": [{"href": "before_1.tif", "sha256": "0" * 64, "bytes": 10}]},
        "after": {"date": "2019-09-21", "sensor": "made",
                  "inputs": [{"href": "after_1.tif", "sha256": "1" * 64, "bytes": 10}]},
        "made": True,
        "grid": {"crs": CRS, "shape": [80, 100], "transform": [PIXEL, 0, WEST, 0, -PIXEL, NORTH],
                 "resolution_m": PIXEL},
        "settings": {"align": {"window": 128, "spacing": 64}, "flag": {"min_confidence": 0.5}},
        "alignment": {"status": "ok", "reason": "local field from 212 tie points", "points": 212,
                      "kept_out_points": 53, "residual_before_px": 2.91, "residual_px": 0.08,
                      "shift_m": [1.25, -0.75]},
        "radiometry": {"method": "IR-MAD", "unchanged_share": 0.93,
                       "bands": {n: {"gain": 1.12, "offset": -0.01, "residual_delivered": 0.031,
                                     "residual_final": 0.009} for n in BANDS}},
        "observed": {"before": 1.0, "after": 0.875, "both": 0.875},
        "detector": {"name": "structure", "threshold": 0.5},
        "findings": {"count": len(findings), "by_kind": count["kind"], "by_direction": count["direction"],
                     "area_m2": float(findings["area_m2"].sum())},
        "stages": {"load": {"seconds": 1.2, "peak_mb": 210.0}, "align": {"seconds": 3.4, "peak_mb": 300.0}},
        "versions": {"python": "3.11", "numpy": "2.3"},
        "created": "2026-11-23T19:00:00Z",
    }  # fmt: skip
    return {**usual, **changes}
