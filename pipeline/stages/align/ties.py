"""Tie points: windows on a lattice over the grid, matched block by block with what is known of the shift so
far.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr
from dask.delayed import delayed
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from pipeline.compute import compute_groups, even_groups
from pipeline.delivered import Delivered
from pipeline.mapping import Mapping, plan
from pipeline.resample import reach, resample
from pipeline.shift import ShiftField
from pipeline.stages.align.correlate import Floats, match
from pipeline.stages.align.lattice import Lattice, Starts
from pipeline.stages.align.structure import REACH, edges

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


def tie_points(
    before: xr.DataArray,
    after: xr.DataArray,
    grid: GeoBox,
    field: ShiftField,
    lattice: Lattice,
    search: int,
    shadows: bool = False,
) -> Ties:
    """Match the two images (see `channels`, on their native grids) up to `search` pixels around `field`;
    `shadows`: edges beside shadows count too.
    """

    work = _Matching(before, after, grid, field, lattice, search, shadows)
    return Ties.joined(compute_groups(work, even_groups(list(lattice.blocks()))))


@dataclass(frozen=True, eq=False)
class _Block:
    """Windows that one task matches: their starts and places on the lattice, and the pixels they lie in."""

    rows: slice
    cols: slice
    starts: tuple[Starts, Starts]
    places: tuple[Starts, Starts]
    pixel: tuple[float, float]  # signed metres a pixel, along x and y


@dataclass(frozen=True, eq=False)
class _Matching:
    """One round of `tie_points`: lazily, the ties of some blocks of the lattice. What it takes for any block
    is made once in each process.
    """

    before: xr.DataArray
    after: xr.DataArray
    grid: GeoBox
    field: ShiftField
    lattice: Lattice
    search: int
    shadows: bool

    def __call__(self, parts: Sequence[tuple[slice, slice]]) -> list[Any]:
        match_block = delayed(_match_block, pure=False)
        return [
            match_block(block, self.field, self.lattice.window, self.search, self.shadows, *pair)
            for block, pair in map(self._block, parts)
        ]

    @cached_property
    def _mappings(self) -> tuple[Mapping, Mapping]:
        before, after = self.before.odc.geobox, self.after.odc.geobox
        return plan(before, self.grid), plan(after, self.grid, self.field)

    @cached_property
    def _images(self) -> tuple[Delivered, Delivered]:
        return Delivered.of(self.before.data), Delivered.of(self.after.data)

    def _block(self, parts: tuple[slice, slice]) -> tuple[_Block, list[object]]:
        lattice, shape = self.lattice, (int(self.grid.shape[0]), int(self.grid.shape[1]))
        axes = list(zip((lattice.rows, lattice.cols), parts, shape, strict=True))
        rows, cols = (
            slice(max(int(s[part][0]) - REACH, 0), min(int(s[part][-1]) + lattice.window + REACH, size))
            for s, part, size in axes
        )
        starts, places = (
            (axes[0][0][parts[0]], axes[1][0][parts[1]]),
            (np.arange(len(lattice.rows))[parts[0]], np.arange(len(lattice.cols))[parts[1]]),
        )
        pair: list[object] = []
        for image, mapping in zip(self._images, self._mappings, strict=True):
            top, left = mapping.source(rows, cols, reach(mapping, "cubic"))
            pair += [image.window(top, left), (top.start, left.start), mapping]
        pixel = self.grid.transform.a, self.grid.transform.e
        return _Block(rows, cols, starts, places, pixel), pair


def _match_block(
    block: _Block, field: ShiftField, window: int, search: int, shadows: bool, *pair: object
) -> Ties:
    """Both images to the grid, reduced to structure, cut into tapered windows, matched."""
    structures, masks = [], []
    for image, origin, mapping in (pair[:3], pair[3:]):
        seen = np.isfinite(image[0])  # type: ignore[index]
        values, seen = resample(image, seen, origin, mapping, block.rows, block.cols)  # type: ignore[arg-type]
        structures.append(edges(values, seen, shadows=shadows))
        masks.append(seen)
    rows, cols = (s.ravel() for s in np.meshgrid(*block.starts, indexing="ij"))
    place_rows, place_cols = (s.ravel() for s in np.meshgrid(*block.places, indexing="ij"))
    top, left = rows - block.rows.start, cols - block.cols.start
    taper = _taper(window)
    weight = _cut((masks[0] & masks[1])[None], top, left, taper)[:, 0]
    keep = weight.mean(axis=(1, 2)) > MIN_OBSERVED * taper.mean()
    windows = [_cut(s, top[keep], left[keep], taper) for s in structures]
    found = match(windows[0], windows[1], min(search, window // 4))
    weight = weight[keep] * taper
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
    planes: NDArray[np.float32] | NDArray[np.bool_], top: Starts, left: Starts, taper: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Tapered windows (window, channel, n, n) out of (channel, y, x)."""
    size = len(taper)
    windows = np.empty((len(top), len(planes), size, size), np.float32)
    for window, row, col in zip(windows, top, left, strict=True):
        np.multiply(planes[:, row : row + size, col : col + size], taper, out=window)
    return windows
