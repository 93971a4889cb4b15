"""What a result's rasters say of places: how much of them was seen, how they changed, where they lie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import geometry_mask
from rasterio.windows import Window
from shapely.geometry.base import BaseGeometry


class Places:
    """Outlines with a CRS. Which pixels they touch is found once for all rasters of one grid."""

    def __init__(self, outlines: gpd.GeoSeries) -> None:
        self.outlines = outlines
        self._on: dict[tuple[Any, ...], list[_Touched]] = {}

    def observed_share(self, image: Path) -> NDArray[np.float64]:
        """Share 0..1 of the pixels touched by each outline that hold a value in `image`; outside it none
        do.
        """

        def share(source: rasterio.DatasetReader, touched: _Touched) -> float:
            seen = source.read_masks(1, window=touched.window)[touched.inside]
            return float((seen > 0).sum() / touched.total)

        return self._each(image, share)

    def mean_inside(self, raster: Path, least: float) -> NDArray[np.float64]:
        """Mean of the pixels touched by each outline; NaN where less than a share `least` of them has any."""

        def mean(source: rasterio.DatasetReader, touched: _Touched) -> float:
            inside = source.read(1, window=touched.window, masked=True)[touched.inside]
            values = inside.compressed()
            enough = len(values) >= least * touched.total and len(values)
            return float(values.mean()) if enough else np.nan

        return self._each(raster, mean)

    def _each(
        self, raster: Path, measure: Callable[[rasterio.DatasetReader, _Touched], float]
    ) -> NDArray[np.float64]:
        if self.outlines.empty:
            return np.zeros(0)
        with rasterio.open(raster) as source:
            grid = (source.crs, source.transform, source.shape)
            if grid not in self._on:
                shapes = self.outlines.to_crs(source.crs)
                self._on[grid] = [_touched(source, shape) for shape in shapes]
            return np.array([measure(source, touched) for touched in self._on[grid]], dtype=np.float64)


def on_the_reference(findings: gpd.GeoDataFrame, shift: Path) -> gpd.GeoDataFrame:
    """Findings of an image moved to where their ground lies on the reference. `shift`: the image's
    `shift.tif`, whose (dx, dy) metres say that what lies at (X, Y) is seen at (X + dx, Y + dy).
    """
    if findings.empty:
        return findings
    field = _Field.read(shift)

    def ground(seen: NDArray[np.float64]) -> NDArray[np.float64]:
        at = seen
        for _ in range(3):  # a fixed point: the field bends slowly
            at = seen - field(at)
        return at

    return findings.set_geometry(shapely.transform(findings.geometry.array, ground), crs=findings.crs)


def on_the_image(places: gpd.GeoSeries, shift: Path) -> gpd.GeoSeries:
    """Places on the reference moved to where an image shows them; `shift` as above."""
    field = _Field.read(shift)
    return gpd.GeoSeries(shapely.transform(places.array, lambda xy: xy + field(xy)), crs=places.crs)


@dataclass(frozen=True, eq=False)
class _Field:
    """A `shift.tif`, at any point: that of the pixel it lies in, or of the nearest one."""

    values: NDArray[np.float64]
    transform: Affine

    @classmethod
    def read(cls, path: Path) -> _Field:
        with rasterio.open(path) as source:
            values, transform = source.read().astype(np.float64), source.transform
        mean = np.nanmean(values, axis=(1, 2), keepdims=True)
        return cls(np.where(np.isnan(values), mean, values), transform)

    def __call__(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """(dx, dy) in metres, (n, 2), at points (n, 2)."""
        cols, rows = ~self.transform @ (points[:, 0], points[:, 1])
        row = np.clip(np.floor(rows).astype(int), 0, self.values.shape[1] - 1)
        col = np.clip(np.floor(cols).astype(int), 0, self.values.shape[2] - 1)
        return np.asarray(self.values[:, row, col].T)


class _Touched(NamedTuple):
    """The part of a raster that an outline touches; how many pixels it touches, and which of that part: those
    beyond the raster's border are among the former only.
    """

    window: Window
    total: int
    inside: NDArray[np.bool_]


def _touched(source: rasterio.DatasetReader, shape: BaseGeometry) -> _Touched:
    window = source.window(*shape.bounds).round_offsets().round_lengths(op="ceil")
    window = Window(window.col_off - 1, window.row_off - 1, window.width + 3, window.height + 3)
    touched = ~geometry_mask(
        [shape],
        (int(window.height), int(window.width)),
        source.transform @ Affine.translation(window.col_off, window.row_off),
        all_touched=True,
    )
    count, inside = int(touched.sum()), Window(0, 0, source.width, source.height)
    if not rasterio.windows.intersect(window, inside):
        return _Touched(Window(0, 0, 0, 0), count, np.zeros((0, 0), bool))
    part = rasterio.windows.intersection(window, inside)
    rows = slice(int(part.row_off - window.row_off), int(part.row_off - window.row_off + part.height))
    cols = slice(int(part.col_off - window.col_off), int(part.col_off - window.col_off + part.width))
    return _Touched(part, count, touched[rows, cols])
