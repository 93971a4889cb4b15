"""The stage itself: coarse to fine, then a verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import dask.base
import numpy as np
import xarray as xr
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from pipeline.errors import AlignmentRejectedError
from pipeline.mapping import plan
from pipeline.resample import reach, resample
from pipeline.shift import ShiftField
from pipeline.stages.align.coarse import candidates
from pipeline.stages.align.consensus import MAX_STRAIN, agreement
from pipeline.stages.align.fit import STIFFNESS, Fit, fit_smooth, fit_translation
from pipeline.stages.align.structure import channels, decimate, orientation
from pipeline.stages.align.ties import Lattice, Ties, tie_points

COARSE = 768  # pixels a side of the grid, at most, on which the first guess is made
MIN_SHARE = 0.15  # of reliable tie points must agree; chance alone reaches a few percent
MIN_CORRELATION = 0.15
MIN_CONTRAST = 1.15
MAX_SIGMA = 0.5  # pixels
IN_MEMORY = 2**28  # bytes of channels of one image; smaller ones are kept, larger ones read again each round


@dataclass(frozen=True)
class Alignment:
    """What came of it. Residuals are medians, in pixels of the grid, over tie points kept out of the fit."""

    field: ShiftField
    """how far the after image is off, in metres"""
    status: Literal["ok", "global-only"]
    """`ok`: a local field; `global-only`: one shift or affine map, because tie points carry no more"""
    reason: str
    """one sentence on how the status came about"""
    points: int
    """tie points that the field rests on"""
    kept_out_points: int
    """tie points that the residuals were measured on, each while it was kept out of the fit"""
    residual_before_px: float
    residual_px: float
    shift_m: tuple[float, float]
    """median (dx, dy) over the grid"""


@dataclass(frozen=True)
class Align:
    """Find how far the after image is off, and whether that can be trusted.

    Masked correlation of the whole image (Padfield 2012), then of windows (sub-pixel, Guizar-Sicairos 2008), then a
    robust smooth field (Eilers and Marx 1996) whose stiffness is chosen, and whose residual is measured, on tie points
    kept out of the fit.
    """

    window: int = 128
    """pixels a side of one correlation window; halved on small images until enough fit in"""
    spacing: int = 64
    """pixels between windows; wider on large images"""
    search: int = 64
    """pixels that the after image may be off, at most"""
    max_residual: float = 0.5
    """pixels; the pair is rejected when kept-out tie points are further off than this (median)"""
    min_points: int = 8
    """tie points that must agree, at least"""
    max_points: int = 1600
    """windows matched, at most"""

    def __call__(self, before: xr.Dataset, after: xr.Dataset, grid: GeoBox) -> Alignment:
        """`before`, `after`: lazy Images on their native grids, which may differ in CRS, resolution and extent.

        Raises AlignmentRejectedError, with figures, when no field can be trusted; BandError when no band is shared.
        """
        first, second = (_kept(image) for image in channels(before, after))
        field = self._coarse(first, second, grid)
        for _ in range(2):
            ties, fit = self._round(first, second, grid, field)
            field = fit.field
        return self._judge(ties, fit, grid)

    def _coarse(self, before: xr.Dataset, after: xr.Dataset, grid: GeoBox) -> ShiftField:
        """The best of a few whole-image shifts, refined by windows on the coarse grid."""
        factor = 2 ** max(0, math.ceil(math.log2(max(grid.shape) / COARSE)))
        small = grid.zoom_out(factor) if factor > 1 else grid
        pair = [_kept(decimate(image, _whole_ratio(image.odc.geobox, small))) for image in (before, after)]
        images, masks = zip(*(_on_grid(image, small) for image in pair), strict=True)
        search = min(math.ceil(self.search / factor) + 1, min(small.shape) // 2)
        fields = [
            ShiftField.constant(small, col * small.transform.a, row * small.transform.e)
            for row, col in candidates(images[0], images[1], masks, search)
        ]
        lattice = Lattice.over((int(small.shape[0]), int(small.shape[1])), self.window, self.spacing, 400)
        best, most = fields[0], -1
        for field in fields:
            ties = _reliable(tie_points(pair[0], pair[1], small, field, lattice, max(2, lattice.window // 8)))
            agreeing = agreement(ties)
            if agreeing.sum() > most:
                best, most = field, int(agreeing.sum())
                if most >= self.min_points:
                    best = fit_smooth(ties, agreeing, small, (1e3, 1e5)).field
        return best.finer(factor)

    def _round(
        self, before: xr.Dataset, after: xr.Dataset, grid: GeoBox, field: ShiftField
    ) -> tuple[Ties, Fit]:
        """Match around the field, and fit a better one. Raises AlignmentRejectedError when too few points agree."""
        shape = (int(grid.shape[0]), int(grid.shape[1]))
        lattice = Lattice.over(shape, self.window, self.spacing, self.max_points)
        found = tie_points(before, after, grid, field, lattice, lattice.window // 4)
        ties = _reliable(found)
        agreeing = agreement(ties)
        _raise_if_too_few(int(agreeing.sum()), len(ties), len(found), self.min_points)
        if agreeing.sum() < 3 * self.min_points:
            return ties, fit_translation(ties, agreeing, grid)
        return ties, fit_smooth(ties, agreeing, grid)

    def _judge(self, ties: Ties, fit: Fit, grid: GeoBox) -> Alignment:
        """The verdict, from tie points kept out of the fit. Raises AlignmentRejectedError with its reason."""
        believed = fit.weight > 0
        after = float(np.median(fit.kept_out))
        before = float(np.median(np.linalg.norm(ties.shift, axis=1)))
        rows, cols = (np.linspace(0, size - 1, 33) for size in grid.shape)
        dx, dy = fit.field.at(rows[:, None], cols[None, :])
        if after > self.max_residual:
            raise AlignmentRejectedError(
                f"the images do not line up: {len(ties)} tie points kept out of the fit are {after:.2f} px off (median),"
                f" more than {self.max_residual:g}; check that both show the same ground, or raise align.max_residual"
            )
        strain = fit.field.steepness((abs(grid.transform.a), abs(grid.transform.e)))
        if strain > MAX_STRAIN:
            raise AlignmentRejectedError(
                f"the shift found changes by {strain:.2f} px a pixel, which no image does; it rests on {believed.sum()}"
                " tie points: check that both images show the same ground, or mask what is not ground"
            )
        status, reason = _status(fit, int(believed.sum()), len(ties))
        shift = (float(np.median(dx)), float(np.median(dy)))
        return Alignment(
            fit.field, status, reason, int(believed.sum()), len(ties), before, after, shift
        )  # fmt: skip


def _status(fit: Fit, believed: int, reliable: int) -> tuple[Literal["ok", "global-only"], str]:
    counts = f"{believed} of {reliable} reliable tie points agree"
    if math.isinf(fit.stiffness):
        return "global-only", f"{counts}, too few for a local field: one shift for the whole image"
    if fit.stiffness >= STIFFNESS[-1]:
        return "ok", f"{counts}; an affine map says as much as any local field"
    return "ok", f"{counts} on a smooth local field"


def _raise_if_too_few(agreeing: int, reliable: int, tried: int, least: int) -> None:
    if agreeing >= least and agreeing >= MIN_SHARE * reliable:
        return
    raise AlignmentRejectedError(
        f"no shift that the images agree on: of {tried} windows {reliable} match well and {agreeing} of these agree,"
        f" at least {max(least, math.ceil(MIN_SHARE * reliable))} must; check that both show the same ground,"
        " mask clouds, or raise align.search if they are further apart"
    )


def _reliable(ties: Ties) -> Ties:
    """What is known before any fit: the peak stands out, is high enough, and sharp."""
    return ties[
        (ties.correlation > MIN_CORRELATION) & (ties.contrast > MIN_CONTRAST) & (ties.sigma < MAX_SIGMA)
    ]


def _kept(image: xr.Dataset) -> xr.Dataset:
    """In memory where small, so that each round does not read it again."""
    if image["image"].nbytes > IN_MEMORY:
        return image
    kept: xr.Dataset = image.persist()
    return kept


def _whole_ratio(native: GeoBox, grid: GeoBox) -> int:
    """Delivered pixels to a pixel of the grid, as a whole number."""
    mapping = plan(native, grid)
    return max(1, round(min(mapping.scale)))


def _on_grid(image: xr.Dataset, grid: GeoBox) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """All of a small image on the grid, as structure."""
    mapping = plan(image.odc.geobox, grid)
    rows, cols = (slice(0, int(size)) for size in grid.shape)
    top, left = mapping.source(rows, cols, reach(mapping, "cubic"))
    values, observed = dask.base.compute(image["image"].data[:, top, left], image["observed"].data[top, left])
    out, seen = resample(values, observed, (top.start, left.start), mapping, rows, cols)
    return orientation(out, seen), seen
