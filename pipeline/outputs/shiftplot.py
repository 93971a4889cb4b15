"""The shift field of a result as a small drawing: how the misalignment differs from place to place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from rasterio.enums import Resampling

from pipeline.errors import SourceUnreadableError
from pipeline.outputs.picture import fitted
from pipeline.outputs.words import nice_length

_CELLS = 14  # along the longer side
_CELL = 20.0  # units of the drawing


@dataclass(frozen=True)
class Arrow:
    """One cell: its corner, its middle, the tip of its arrow, and how dense its colour is (0..1)."""

    left: float
    top: float
    x: float
    y: float
    tip_x: float
    tip_y: float
    shade: float


@dataclass(frozen=True)
class ShiftPlot:
    """The drawing in its own units (y down), and its numbers in metres (x east, y north).

    `median` is the shift of the whole; arrows are departures from it, `largest` the greatest of them, and an
    arrow of `key_length` units stands for `key` metres.
    """

    width: float
    height: float
    cell: float
    arrows: list[Arrow]
    median: tuple[float, float]
    largest: float
    key: float
    key_length: float


def read_shift(path: Path) -> ShiftPlot | None:
    """Reduce shift.tif (bands dx, dy, metres, NaN unknown) to the drawing; None where nothing is known."""
    try:
        with rasterio.open(path) as source:
            shape = fitted(source.height, source.width, _CELLS)
            field = source.read(out_shape=(2, *shape), masked=True, resampling=Resampling.average)
    except rasterio.errors.RasterioIOError as error:
        raise SourceUnreadableError(
            f"{path}: cannot be read ({error}); run again to write it anew"
        ) from error
    field = np.ma.filled(field.astype(np.float64), np.nan)
    known = np.isfinite(field).all(axis=0)
    if not known.any():
        return None
    median = np.median(field[:, known], axis=1)
    away = field - median[:, None, None]
    size = np.hypot(away[0], away[1])
    largest = float(size[known].max())
    key = nice_length(max(largest, 1e-3))
    scale = 0.9 * _CELL / max(largest, key)
    arrows = [_arrow(row, col, away[:, row, col] * scale) for row, col in np.argwhere(known).tolist()]
    height, width = shape[0] * _CELL, shape[1] * _CELL
    return ShiftPlot(
        width, height, _CELL, arrows, (float(median[0]), float(median[1])), largest, key, key * scale
    )


def _arrow(row: int, col: int, away: np.ndarray) -> Arrow:
    """The arrow of a cell, centred on it; `away` in units of the drawing, y north."""
    x, y = (col + 0.5) * _CELL, (row + 0.5) * _CELL
    dx, dy = float(away[0]) / 2, -float(away[1]) / 2
    shade = min(1.0, float(np.hypot(*away)) / (0.9 * _CELL))
    return Arrow(col * _CELL, row * _CELL, x - dx, y - dy, x + dx, y + dy, round(shade, 3))
