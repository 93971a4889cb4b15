"""Where each pixel of the site's grid is found in an image as it was delivered.

One mapping joins the shift field, the change of CRS and the delivered image's own transform, so pixels are
resampled once. It is held on a lattice of every 16th pixel of the whole grid and interpolated bilinearly in
between: the lattice never depends on the block that is asked for. Both map projections and shift fields bend
far too little over 16 pixels for that to show (less than a thousandth of a pixel in any sane case).

Coordinates are (row, col) of pixel centres: (0.0, 0.0) is the centre of the first pixel; pixel-is-area
throughout.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from pyproj import Transformer

from pipeline.errors import GeoreferenceError
from pipeline.shift import ShiftField

STEP = 16  # pixels of the grid between nodes of the lattice
SNAP = 1e-4  # pixels; a coordinate nearer than this to a pixel's centre is on it


@dataclass(frozen=True, eq=False)
class Mapping:
    """`rows`, `cols`: float64 lattice of source coordinates at every 16th grid pixel; `scale`: source pixels
    a grid pixel (row, col), where above one the kernel is widened so that nothing aliases.
    """

    native: GeoBox
    grid: GeoBox
    rows: NDArray[np.float64]
    cols: NDArray[np.float64]
    scale: tuple[float, float]
    offset: tuple[int, int] | None = None  # (row, col), where source and grid differ by whole pixels only

    def source(self, rows: slice, cols: slice, reach: tuple[int, int]) -> tuple[slice, slice]:
        """The part of the delivered image that a block needs, with `reach` more pixels all round; may be
        empty.
        """
        if self.offset is not None:
            row, col = (
                _clipped(part.start + shift, part.stop + shift, int(size))
                for part, shift, size in zip((rows, cols), self.offset, self.native.shape, strict=True)
            )
            return row, col
        block = (
            slice(rows.start // STEP, math.ceil((rows.stop - 1) / STEP) + 1),
            slice(cols.start // STEP, math.ceil((cols.stop - 1) / STEP) + 1),
        )
        row, col = (
            _span(nodes[block], extra, int(size))
            for nodes, extra, size in zip((self.rows, self.cols), reach, self.native.shape, strict=True)
        )
        return row, col


def _span(nodes: NDArray[np.float64], reach: int, size: int) -> slice:
    """Whole pixels, clipped to the image, that coordinates between the nodes touch."""
    finite = nodes[np.isfinite(nodes)]
    if finite.size == 0:
        return slice(0, 0)
    return _clipped(math.floor(finite.min()) - reach, math.ceil(finite.max()) + reach + 1, size)


def _clipped(start: int, stop: int, size: int) -> slice:
    start = min(max(start, 0), size)
    return slice(start, min(max(stop, start), size))


def plan(native: GeoBox, grid: GeoBox, field: ShiftField | None = None) -> Mapping:
    """Grid pixel -> ground -> plus shift -> the delivered image's CRS -> its pixel.

    Raises GeoreferenceError where either grid has no CRS. Points that the projection cannot carry become NaN.
    """
    if native.crs is None or grid.crs is None:
        raise GeoreferenceError(
            "an image without a CRS cannot be placed on the site's grid; give it one (gdal_edit)"
        )
    height, width = (max(math.ceil((int(size) - 1) / STEP) + 1, 2) for size in grid.shape)
    row, col = np.meshgrid(np.arange(height) * float(STEP), np.arange(width) * float(STEP), indexing="ij")
    x, y = grid.transform @ (col + 0.5, row + 0.5)
    if field is not None:
        dx, dy = field.at(row, col)
        x, y = x + dx, y + dy
    if native.crs != grid.crs:
        x, y = Transformer.from_crs(grid.crs.proj, native.crs.proj, always_xy=True).transform(x, y)
    source_col, source_row = ~native.transform @ (x, y)
    source_row = np.where(np.isfinite(source_row), source_row - 0.5, np.nan)
    source_col = np.where(np.isfinite(source_col), source_col - 0.5, np.nan)
    scale = _scale(source_row), _scale(source_col)
    return Mapping(native, grid, source_row, source_col, scale, _offset(source_row - row, source_col - col))


def _offset(rows: NDArray[np.float64], cols: NDArray[np.float64]) -> tuple[int, int] | None:
    """The whole pixels by which all nodes are off, if so."""
    first = rows[0, 0], cols[0, 0]
    if not np.isfinite(first).all():
        return None
    row, col = (round(float(value)) for value in first)
    same = (np.abs(rows - row) < SNAP).all() and (np.abs(cols - col) < SNAP).all()
    return (row, col) if same else None


def _scale(nodes: NDArray[np.float64]) -> float:
    """Source pixels along one source axis that a grid pixel spans (median), where that is enough to alias."""
    span = np.hypot(np.diff(nodes, axis=0)[:, :-1], np.diff(nodes, axis=1)[:-1]) / STEP
    span = span[np.isfinite(span)]
    ratio = float(np.median(span)) if span.size else 1.0
    return ratio if ratio > 1.5 else 1.0
