"""Values of a source raster at the pixel centres of another grid: exact, bilinear or nearest, the same for
any block.

Positions are computed from whole pixel numbers of the full grid, never from a block's own transform, so that
a pixel gets the same bits in whatever block it is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from pyproj import Transformer

EXACT = 0.01  # pixels: closer than this to a pixel centre is on it

Floats = NDArray[np.float64]
Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True)
class Positions:
    """Where the pixel centres of a block lie in a source, in its pixel numbers (0 = centre of the first
    pixel).

    `cols` and `rows` broadcast to the block's shape: (1, W) and (H, 1) where the axes are parallel, else (H,
    W) both.
    """

    cols: Floats
    rows: Floats

    @property
    def exact(self) -> bool:
        """Whether every position is a pixel centre, pixels in the same order: values can be copied."""
        axes = self.cols.shape[0] == 1 and self.rows.shape[1] == 1
        return axes and all(
            bool(np.all(np.abs(at - (round(at[0]) + np.arange(at.size))) < EXACT))
            for at in (self.cols[0], self.rows[:, 0])
        )

    def inside(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """Whether the position is on the source at all; (H, W)."""
        rows, cols = shape
        within_rows = (self.rows > -0.5 - EXACT) & (self.rows < rows - 0.5 + EXACT)
        within_cols = (self.cols > -0.5 - EXACT) & (self.cols < cols - 0.5 + EXACT)
        return np.asarray(within_rows & within_cols)

    def window(self, shape: tuple[int, int]) -> tuple[slice, slice] | None:
        """Rows and columns of the source that are needed for these positions; None where there are none."""
        spans = []
        for at, size in zip((self.rows, self.cols), shape, strict=True):
            near = at[(at > -1) & (at < size)]
            if near.size == 0:
                return None
            low, high = int(np.floor(near.min())), int(np.ceil(near.max()))
            spans.append(slice(min(max(low, 0), size - 1), min(max(high, 0), size - 1) + 1))
        return spans[0], spans[1]

    def within(self, window: tuple[slice, slice]) -> Positions:
        """The same positions, counted from the first pixel of a window."""
        return Positions(self.cols - window[1].start, self.rows - window[0].start)


def positions(base: GeoBox, block: tuple[slice, slice], source: GeoBox) -> Positions:
    """Centres of the pixels of `base` in `block`, in pixel numbers of `source`."""
    cols = np.arange(block[1].start, block[1].stop)[np.newaxis, :] + 0.5
    rows = np.arange(block[0].start, block[0].stop)[:, np.newaxis] + 0.5
    if base.crs == source.crs:
        there = ~source.transform * base.transform
        reach = max(base.shape)
        if abs(there.b) * reach < EXACT and abs(there.d) * reach < EXACT:
            return Positions(there.a * cols + there.c - 0.5, there.e * rows + there.f - 0.5)
    x, y = _apply(base.transform, *np.broadcast_arrays(cols, rows))
    if base.crs != source.crs:
        x, y = Transformer.from_crs(base.crs.to_wkt(), source.crs.to_wkt(), always_xy=True).transform(x, y)  # type: ignore[union-attr]
    source_cols, source_rows = _apply(~source.transform, x, y)
    return Positions(source_cols - 0.5, source_rows - 0.5)


def _apply(affine: Affine, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    return affine.a * x + affine.b * y + affine.c, affine.d * x + affine.e * y + affine.f


def nearest(values: NDArray[Scalar], at: Positions) -> NDArray[Scalar]:
    """Values (..., h, w) of the pixel that each position lies in; the edge's beyond it."""
    rows = np.clip(np.floor(at.rows + 0.5).astype(int), 0, values.shape[-2] - 1)
    cols = np.clip(np.floor(at.cols + 0.5).astype(int), 0, values.shape[-1] - 1)
    return values[..., rows, cols]


def bilinear(values: NDArray[np.float32], valid: NDArray[np.bool_], at: Positions) -> NDArray[np.float32]:
    """Values (band, h, w) between pixel centres, from valid (h, w) pixels; else the nearest."""
    numerator = _blend(np.where(valid, values, np.float32(0)), at)
    if valid.all():
        return numerator
    weight = _blend(valid.astype(np.float32), at)
    # Not divided where all neighbours are valid: the weights add up to 1 but for rounding, and another block
    # may not divide.
    full = weight > 1 - 1e-6
    blended = numerator / np.where(full | (weight <= 0), np.float32(1), weight)
    return np.where(weight > 0, blended, nearest(values, at)).astype(np.float32)


def _blend(values: NDArray[np.float32], at: Positions) -> NDArray[np.float32]:
    height, width = values.shape[-2:]
    rows, cols = np.clip(at.rows, 0, height - 1), np.clip(at.cols, 0, width - 1)
    top, left = np.floor(rows).astype(int), np.floor(cols).astype(int)
    down, right = (rows - top).astype(np.float32), (cols - left).astype(np.float32)
    bottom, east = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
    upper = values[..., top, left] * (1 - right) + values[..., top, east] * right
    lower = values[..., bottom, left] * (1 - right) + values[..., bottom, east] * right
    return np.asarray(upper * (1 - down) + lower * down, dtype=np.float32)
