"""The stage itself: coarse to fine, then a verdict."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass

import xarray as xr
from odc.geo.geobox import GeoBox

from pipeline.errors import AlignmentRejectedError
from pipeline.shift import ShiftField
from pipeline.stages.align.coarse import Peak, Whole
from pipeline.stages.align.consensus import agreement
from pipeline.stages.align.fit import Fit, fit_smooth, fit_translation
from pipeline.stages.align.structure import channels, is_picture
from pipeline.stages.align.ties import Lattice, Ties, tie_points
from pipeline.stages.align.verdict import PROMINENT, Alignment, as_delivered, constant, judge, one_shift
from pipeline.stages.align.whole import kept, small_pair, structure_of

COARSE = 1280  # pixels a side of the grid, at most, on which the first guess is made
COARSE_WINDOWS = 400
ROUNDS = (4, 8)  # each round looks a window's side over this around what the one before found
MIN_SHARE = 0.15  # of reliable tie points must agree; chance alone reaches a few percent
MIN_CORRELATION = 0.15  # of a tie point's peak
MIN_CONTRAST = 1.15  # of its peak over the next
MAX_SIGMA = 0.5  # pixels, its expected error


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
    trusted_below: int = 320
    """pixels a side; a smaller place can be rebuilt so wholly that nothing is left to match: it is then
    compared as delivered, and the reason says so. 0: never
    """

    def __call__(self, before: xr.Dataset, after: xr.Dataset, grid: GeoBox) -> Alignment:
        """`before`, `after`: lazy Images on their native grids, which may differ in CRS, resolution and
        extent.

        Raises AlignmentRejectedError, with figures, when no field can be trusted; BandError when no band is
        shared.
        """
        first, second = (kept(image) for image in channels(before, after))
        factor = 2 ** max(0, math.ceil(math.log2(max(grid.shape) / COARSE)))
        small = grid.zoom_out(factor) if factor > 1 else grid
        pair = small_pair(first, second, small)
        whole = Whole(*structure_of(pair, small))
        peaks = whole.peaks(min(math.ceil(self.search / factor) + 1, min(small.shape) // 2), count=3)
        start = self._first_field(pair, small, peaks).finer(factor)
        try:
            return self._local(first, second, grid, start, 1)
        except AlignmentRejectedError as refused:
            refusal = refused
        if peaks[0].prominence >= PROMINENT:
            start = constant(small, peaks[0]).finer(factor)
            with contextlib.suppress(AlignmentRejectedError):
                return self._local(first, second, grid, start, 2)
        with contextlib.suppress(AlignmentRejectedError):
            return one_shift(whole, peaks[0], small, factor, refusal)
        if max(grid.shape) < self.trusted_below and all(is_picture(image) for image in (first, second)):
            return as_delivered(grid)
        raise refusal

    def _first_field(
        self, pair: tuple[xr.Dataset, xr.Dataset], small: GeoBox, peaks: list[Peak]
    ) -> ShiftField:
        """The peak that most windows of the small images agree with, turned into a nearly affine field by
        them.
        """
        lattice = Lattice.over(_shape(small), self.window, self.spacing, COARSE_WINDOWS)
        best, most = ShiftField.zero(small), -1
        for peak in peaks:
            field = constant(small, peak)
            ties = _reliable(tie_points(*pair, small, field, lattice, lattice.window // 8))
            agreeing = agreement(ties)
            if agreeing.sum() > most:
                best, most = field, int(agreeing.sum())
                if most >= self.min_points:
                    best = fit_smooth(ties, agreeing, small, (1e3, 1e5)).field
        return best

    def _local(
        self, before: xr.Dataset, after: xr.Dataset, grid: GeoBox, field: ShiftField, larger: int
    ) -> Alignment:
        """A local field from `field` on, by windows `larger` times the usual."""
        lattice = Lattice.over(_shape(grid), self.window, self.spacing, self.max_points)
        lattice = Lattice(lattice.window * larger, lattice.spacing)
        for part in ROUNDS:
            ties, fit = self._round(before, after, grid, field, lattice, lattice.window // (part * larger))
            field = fit.field
        return judge(ties, fit, grid, self.max_residual)

    def _round(
        self,
        before: xr.Dataset,
        after: xr.Dataset,
        grid: GeoBox,
        field: ShiftField,
        lattice: Lattice,
        search: int,
    ) -> tuple[Ties, Fit]:
        """Match around the field, and fit a better one. Raises AlignmentRejectedError when too few points
        agree.
        """
        found = tie_points(before, after, grid, field, lattice, search)
        ties = _reliable(found)
        agreeing = agreement(ties)
        count, least = int(agreeing.sum()), max(self.min_points, math.ceil(MIN_SHARE * len(ties)))
        if count < least:
            raise AlignmentRejectedError(
                f"no shift that the images agree on: {len(ties)} of {len(found)} windows match well, {count}"
                f" of these agree and {least} must; check that both images show the same ground, mask clouds,"
                f" or raise align.search ({self.search} px) if they are further apart"
            )
        if count < 3 * self.min_points:
            return ties, fit_translation(ties, agreeing, grid)
        return ties, fit_smooth(ties, agreeing, grid)


def _reliable(ties: Ties) -> Ties:
    """What is known before any fit: the peak is high enough, stands out, and is sharp."""
    good = (ties.correlation > MIN_CORRELATION) & (ties.contrast > MIN_CONTRAST) & (ties.sigma < MAX_SIGMA)
    return ties[good]


def _shape(grid: GeoBox) -> tuple[int, int]:
    return int(grid.shape[0]), int(grid.shape[1])
