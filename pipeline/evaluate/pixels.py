"""Scores pixel by pixel, on the grid of change.tif."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray
from rasterio.features import rasterize

from pipeline.evaluate.rates import f1, rate

CONSTRUCTION = ("new", "altered")

Mask = NDArray[np.bool_]


def pixel_scores(found: Mask, truth: Mask, percent: NDArray[np.uint8]) -> dict[str, Any]:
    """Scores pixel by pixel over observed pixels: masks of findings and truth, and change.tif's percent."""
    hits = int((found & truth).sum())
    precision, recall = rate(hits, found.sum()), rate(hits, truth.sum())
    average = average_precision(truth, percent)
    return {
        "precision": precision,
        "recall": recall,
        "f1": f1(precision, recall),
        "average_precision": average,
    }


def average_precision(truth: Mask, percent: NDArray[np.uint8]) -> float | None:
    """Sum over thresholds of (gain in recall) x precision; values 0..100."""
    hits = np.bincount(percent[truth], minlength=101)[:101][::-1].cumsum()
    claims = np.bincount(percent, minlength=101)[:101][::-1].cumsum()
    if not truth.any():
        return None
    gains = np.diff(hits, prepend=0) / hits[-1]
    return round(float((gains * hits / np.maximum(claims, 1)).sum()), 4)


def outline_mask(frame: gpd.GeoDataFrame, grid: Any) -> Mask:
    """Pixels of an open raster whose centres lie in an outline of direction `new` or `altered`."""
    outlines = frame.geometry[frame.direction.isin(CONSTRUCTION)]
    if outlines.empty:
        return np.zeros(grid.shape, bool)
    return np.asarray(rasterize(outlines, grid.shape, transform=grid.transform), dtype=bool)
