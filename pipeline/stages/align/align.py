"""The stage itself: coarse to fine, then a verdict."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass

import numpy as np
import xarray as xr
from odc.geo.geobox import GeoBox

from pipeline.errors import AlignmentRejectedError
from pipeline.shift import ShiftField
from pipeline.stages.align.channels import channels
from pipeline.stages.align.coarse import Whole
from pipeline.stages.align.lattice import Lattice
from pipeline.stages.align.local import SETTLED, local_fit, shadow_pull
from pipeline.stages.align.start import sparse_start, whole_start
from pipeline.stages.align.verdict import (
    PROMINENT,
    REBUILT,
    Alignment,
    UncertainError,
    constant,
    judge,
    one_shift,
    uncertain,
)
from pipeline.stages.align.whole import decimated, kept, structure_of

COARSE = 1280  # pixels a side of the grid, at most, on which the whole image is looked at
COARSE_WINDOWS = 400
LARGE = 2560  # pixels a side; larger grids are matched in clusters of windows, from a few tiles on
CLUSTERS = 11  # an axis, at most, and
CLUSTER_PITCH = 680  # pixels apart, at least
ENOUGH = 1.5  # pixels; see SETTLED: on a large grid a second look costs seconds and gains 0.01 px
CLUSTER_SPACING = 0.75  # of a window


@dataclass(frozen=True)
class Align:
    """Find how far the after image is off, and whether that can be trusted.

    Masked correlation of the whole image (Padfield 2012), then of windows (to a fraction of a pixel, after
    Guizar-Sicairos 2008), then a robust smooth field (Eilers and Marx 1996) whose stiffness is chosen, and
    whose residual is measured, on tie points kept out of the fit.
    """

    window: int = 128
    """pixels a side of one correlation window; halved on small images until enough of them fit in"""
    spacing: int = 64
    """pixels between windows; wider on large images"""
    search: int = 64
    """pixels that the after image may be off, at most"""
    max_residual: float = 0.5
    """pixels; a local field is not believed when kept-out tie points are further off than this (median)"""
    min_points: int = 8
    """tie points that must agree, at least"""
    max_points: int = 1600
    """windows matched, at most"""
    accept_uncertain: bool = True
    """go on, as `global-only`, with one shift that may be off by up to half a pixel; or as delivered where
    the images show the same ground to about 3 pixels and no more can be measured, or where small ones come on
    the very same grid; else they are refused
    """

    def __call__(self, before: xr.Dataset, after: xr.Dataset, grid: GeoBox) -> Alignment:
        """`before`, `after`: lazy Images on their native grids, which may differ in CRS, resolution and
        extent.

        Raises AlignmentRejectedError, with figures, when no field can be trusted; BandError when no band is
        shared.
        """
        first, second = (kept(image) for image in channels(before, after))
        if min(grid.shape) > LARGE:
            start = sparse_start(first, second, grid, self.search, self.min_points)
            if start is not None:
                with contextlib.suppress(AlignmentRejectedError):
                    return self._local(first, second, grid, start)
        return self._from_whole(first, second, grid)

    def _from_whole(self, before: xr.DataArray, after: xr.DataArray, grid: GeoBox) -> Alignment:
        """Starting from one shift for the whole image."""
        factor = 2 ** max(0, math.ceil(math.log2(max(grid.shape) / COARSE)))
        small = grid.zoom_out(factor) if factor > 1 else grid
        first, second = (kept(image) for image in decimated(before, after, small))
        whole = Whole(*structure_of((first, second), small))
        peaks = whole.peaks(min(math.ceil(self.search / factor) + 1, min(small.shape) // 2), count=3)
        lattice = Lattice.dense(_shape(small), self.window, self.spacing, COARSE_WINDOWS)
        start = whole_start((first, second), small, peaks, lattice, self.min_points).zoomed(factor)
        try:
            return self._local(before, after, grid, start)
        except AlignmentRejectedError as refused:
            refusal = refused
        if peaks[0].prominence >= PROMINENT:
            start = constant(small, peaks[0]).zoomed(factor)
            with contextlib.suppress(AlignmentRejectedError):
                return self._local(before, after, grid, start, larger=2)
        if not isinstance(refusal, UncertainError):  # what windows measured is not bettered by the whole
            with contextlib.suppress(AlignmentRejectedError):
                return one_shift(whole, peaks[0], small, factor, refusal)
        if self.accept_uncertain:
            return uncertain(grid, peaks, factor, refusal, _registered(before, after, grid))
        raise refusal

    def _local(
        self, before: xr.DataArray, after: xr.DataArray, grid: GeoBox, start: ShiftField, larger: int = 1
    ) -> Alignment:
        """A local field from `start` on, by windows `larger` times the usual."""
        shape = _shape(grid)
        if min(shape) > LARGE and larger == 1:
            most = min(CLUSTERS, round(max(shape) / CLUSTER_PITCH))
            lattice = Lattice.clusters(shape, self.window, int(CLUSTER_SPACING * self.window), most)
            settled = ENOUGH
        else:
            lattice = Lattice.dense(shape, self.window, self.spacing, self.max_points, larger)
            settled = SETTLED
        ties, fit = local_fit(before, after, grid, start, lattice, self.min_points, larger, settled)
        pull = shadow_pull(before, after, grid, fit.field, lattice, ties)
        return judge(ties, fit, grid, self.max_residual, pull)


def _registered(before: xr.DataArray, after: xr.DataArray, grid: GeoBox) -> bool:
    """Whether somebody brought both images to one grid, of a place so small that it may be rebuilt wholly."""
    if before.odc.geobox != after.odc.geobox or max(grid.shape) > REBUILT:
        return False
    return all(bool(np.nanstd(np.asarray(image)) > 0) for image in (before, after))


def _shape(grid: GeoBox) -> tuple[int, int]:
    return int(grid.shape[0]), int(grid.shape[1])
