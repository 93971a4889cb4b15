"""Tie points: windows on a lattice over the grid, matched block by block with what is known of the shift so
far.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import xarray as xr
from dask.base import compute
from dask.delayed import delayed
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from pipeline.mapping import plan
from pipeline.resample import reach, resample
from pipeline.shift import ShiftField
from pipeline.stages.align.correlate import Floats, match
from pipeline.stages.align.structure import REACH, edges

TILE = 768  # pixels a side of the windows' starts in one task
MIN_OBSERVED = 0.4  # of a window, on both dates


@dataclass(frozen=True, eq=False)
class Ties:
    """Tie points, one value each. `row`, `col`: where in the grid; `drow`, `dcol`: the whole shift there in
    pixels; `correlation`, `contrast`, `sigma`: see correlate.Matches; `lattice_row`, `lattice_col`: which
    window.
    """

    row: Floats
    col: Floats
    drow: Floats
    dcol: Floats
    correlation: Floats
    contrast: Floats
    sigma: Floats
    lattice_row: Floats
    lattice_col: Floats

    def __len__(self) -> int:
        return len(self.row)

    def __getitem__(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> Ties:
        return Ties(*(getattr(self, field.name)[chosen] for field in fields(self)))

    @staticmethod
    def joined(parts: list[Ties]) -> Ties:
        return Ties(*(np.concatenate([getattr(p, f.name) for p in parts] or [[]]) for f in fields(Ties)))

    @property
    def shift(self) -> Floats:
        """(n, 2) of drow, dcol."""
        return np.stack([self.drow, self.dcol], axis=1)


@dataclass(frozen=True)
class Lattice:
    """Windows of `window` pixels, one every `spacing` pixels of a grid."""

    window: int
    spacing: int

    @staticmethod
    def over(shape: tuple[int, int], window: int, spacing: int, most: int) -> Lattice:
        """Smaller windows on small grids, so that there are enough; wider spacing on large ones, at most
        `most`.
        """
        fitting = 2 ** int(math.log2(max(min(shape) / 4, 1)))
        size = max(min(window, fitting), 32)
        apart = max(16, round(spacing * size / window), math.ceil(math.sqrt(shape[0] * shape[1] / most)))
        return Lattice(size, apart)

    def starts(self, size: int) -> NDArray[np.intp]:
        """First pixel of each window along an axis, centred; none where the axis is shorter than a window."""
        count = (size - self.window) // self.spacing + 1
        if count < 1:
            return np.empty(0, np.intp)
        margin = (size - self.window - (count - 1) * self.spacing) // 2
        return np.arange(count) * self.spacing + margin


def tie_points(
    before: xr.Dataset, after: xr.Dataset, grid: GeoBox, field: ShiftField, lattice: Lattice, search: int
) -> Ties:
    """Match the two images (channels, on their native grids) up to `search` pixels around `field`."""
    tasks = [
        delayed(_match_block, pure=False)(block, field, lattice.window, search, *pair)
        for block, pair in _blocks(before, after, grid, field, lattice)
    ]
    return Ties.joined(list(compute(*tasks)))


@dataclass(frozen=True, eq=False)
class _Block:
    """Windows that one task matches: their starts and places on the lattice, and the pixels they lie in."""

    rows: slice
    cols: slice
    starts: tuple[NDArray[np.intp], NDArray[np.intp]]
    places: tuple[NDArray[np.intp], NDArray[np.intp]]
    pixel: tuple[float, float]  # signed metres a pixel, along x and y


def _blocks(
    before: xr.Dataset, after: xr.Dataset, grid: GeoBox, field: ShiftField, lattice: Lattice
) -> Iterator[tuple[_Block, list[object]]]:
    mappings = (plan(before.odc.geobox, grid), plan(after.odc.geobox, grid, field))
    height, width = (int(size) for size in grid.shape)
    pixel = (grid.transform.a, grid.transform.e)
    group = max(1, TILE // lattice.spacing)
    row_starts, col_starts = lattice.starts(height), lattice.starts(width)
    for i in range(0, len(row_starts), group):
        for j in range(0, len(col_starts), group):
            starts = (row_starts[i : i + group], col_starts[j : j + group])
            rows, cols = (
                slice(max(int(s[0]) - REACH, 0), min(int(s[-1]) + lattice.window + REACH, size))
                for s, size in zip(starts, (height, width), strict=True)
            )
            places = (i + np.arange(len(starts[0])), j + np.arange(len(starts[1])))
            pair: list[object] = []
            for image, mapping in zip((before, after), mappings, strict=True):
                top, left = mapping.source(rows, cols, reach(mapping, "cubic"))
                pair += [
                    image["image"].data[:, top, left],
                    image["observed"].data[top, left],
                    (top.start, left.start),
                    mapping,
                ]
            yield _Block(rows, cols, starts, places, pixel), pair


def _match_block(block: _Block, field: ShiftField, window: int, search: int, *pair: object) -> Ties:
    """Both images to the grid, reduced to structure, cut into tapered windows, matched."""
    structures, masks = [], []
    for image, observed, origin, mapping in (pair[:4], pair[4:]):
        values, seen = resample(image, observed, origin, mapping, block.rows, block.cols)  # type: ignore[arg-type]
        structures.append(edges(values, seen))
        masks.append(seen)
    rows, cols = (s.ravel() for s in np.meshgrid(*block.starts, indexing="ij"))
    place_rows, place_cols = (s.ravel() for s in np.meshgrid(*block.places, indexing="ij"))
    top, left = rows - block.rows.start, cols - block.cols.start
    taper = _taper(window)
    seen_both = _cut((masks[0] & masks[1])[None], top, left, window)[:, 0]
    keep = (seen_both * taper).mean(axis=(1, 2)) > MIN_OBSERVED * taper.mean()
    windows = [_cut(s, top[keep], left[keep], window) * taper for s in structures]
    found = match(windows[0], windows[1], min(search, window // 4))
    weight = seen_both[keep] * taper**2
    total = weight.sum(axis=(1, 2))
    along = np.arange(window)
    row = rows[keep] + (weight.sum(axis=2) @ along) / total
    col = cols[keep] + (weight.sum(axis=1) @ along) / total
    dx, dy = field.at(row + found.drow, col + found.dcol)
    return Ties(
        row, col, found.drow + dy / block.pixel[1], found.dcol + dx / block.pixel[0],
        found.correlation, found.contrast, found.sigma,
        place_rows[keep].astype(np.float64), place_cols[keep].astype(np.float64),
    )  # fmt: skip


def _taper(window: int) -> NDArray[np.float32]:
    hann = np.hanning(window + 2)[1:-1]
    return np.outer(hann, hann).astype(np.float32)


def _cut(
    planes: NDArray[np.float32] | NDArray[np.bool_],
    top: NDArray[np.intp],
    left: NDArray[np.intp],
    window: int,
) -> NDArray[np.float32]:
    """(window, channel, n, n) out of (channel, y, x)."""
    along = np.arange(window)
    rows, cols = top[:, None, None] + along[:, None], left[:, None, None] + along
    return np.ascontiguousarray(planes[:, rows, cols].swapaxes(0, 1), dtype=np.float32)
