"""From the compared pairs of a site to its `timeline.geojson` and `timeline.csv`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import geometry_mask
from rasterio.windows import Window
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from pipeline.outputs.files import write_text
from pipeline.outputs.vectors import to_lonlat
from pipeline.stages.track import COLUMNS, Comparison, Timeline, Track

GEOJSON, CSV = "timeline.geojson", "timeline.csv"


def follow(comparisons: Mapping[Path, Comparison]) -> Timeline:
    """Track the findings of a site's comparisons, each given by the folder of its result.

    What was seen of an outline on a date is read from the `before.tif` and `after.tif` there. The
    timeline is in the CRS of the earliest comparison, whatever the others are in.
    """
    ordered = sorted(comparisons.items(), key=lambda entry: (entry[1].after, entry[1].before))
    images: dict[str, Path] = {}
    for folder, comparison in ordered:
        images.setdefault(comparison.before, folder / "before.tif")
        images[comparison.after] = folder / "after.tif"
    crs = ordered[0][1].findings.crs if ordered else None
    together = [Comparison(c.before, c.after, c.findings.to_crs(crs)) for _, c in ordered]

    def observed(date: str, outlines: Sequence[BaseGeometry]) -> NDArray[np.float64]:
        return observed_share(images[date], gpd.GeoSeries(list(outlines), crs=crs))

    return Track()(together, observed)


def observed_share(image: Path, outlines: gpd.GeoSeries) -> NDArray[np.float64]:
    """Share 0..1 of the pixels touched by each outline that hold a value in `image`; outside it none do."""
    if outlines.empty:
        return np.zeros(0)
    with rasterio.open(image) as source:
        shapes = outlines.to_crs(source.crs)
        return np.array([_share(source, shape) for shape in shapes], dtype=np.float64)


def _share(source: rasterio.DatasetReader, shape: BaseGeometry) -> float:
    window = source.window(*shape.bounds).round_offsets().round_lengths(op="ceil")
    window = Window(window.col_off - 1, window.row_off - 1, window.width + 3, window.height + 3)
    touched = ~geometry_mask(
        [shape],
        (int(window.height), int(window.width)),
        source.transform @ Affine.translation(window.col_off, window.row_off),
        all_touched=True,
    )
    inside = Window(0, 0, source.width, source.height)
    if not rasterio.windows.intersect(window, inside):
        return 0.0
    part = rasterio.windows.intersection(window, inside)
    rows = slice(int(part.row_off - window.row_off), int(part.row_off - window.row_off + part.height))
    cols = slice(int(part.col_off - window.col_off), int(part.col_off - window.col_off + part.width))
    clear = np.zeros(touched.shape, bool)
    clear[rows, cols] = source.read_masks(1, window=part) > 0
    return float(clear[touched].mean())


def write_timeline(folder: Path, timeline: Timeline) -> None:
    """Write `timeline.geojson` (RFC 7946, lon/lat) and `timeline.csv` into a site's folder."""
    table = timeline.findings[list(COLUMNS)].astype(object)
    properties = table.where(table.notna(), None).to_dict("records")
    shapes: Sequence[BaseGeometry] = list(to_lonlat(timeline.findings)) if len(table) else []
    features: list[dict[str, Any]] = [
        {"type": "Feature", "properties": row, "geometry": mapping(shape)}
        for row, shape in zip(properties, shapes, strict=True)
    ]
    collection = {"type": "FeatureCollection", "features": features}
    write_text(folder / GEOJSON, json.dumps(collection, ensure_ascii=False, allow_nan=False) + "\n")
    words = {True: "true", False: "false", None: ""}
    history = timeline.history.assign(
        **{name: timeline.history[name].map(words) for name in ("observed", "present")}
    )
    write_text(folder / CSV, history.to_csv(index=False, lineterminator="\n"))
