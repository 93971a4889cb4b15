"""What came of an alignment, and whether it is believed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from odc.geo.geobox import GeoBox

from pipeline.errors import AlignmentRejectedError
from pipeline.shift import ShiftField
from pipeline.stages.align.coarse import Peak, Whole
from pipeline.stages.align.consensus import MAX_STRAIN
from pipeline.stages.align.fit import STIFFNESS, Fit
from pipeline.stages.align.ties import Ties

PROMINENT = 6.5  # deviations that the whole image's peak stands out; unrelated images reach about 5
HALVES_APART = 3.0  # pixels that the shifts of two halves may differ by, for one shift to stand for the image


@dataclass(frozen=True)
class Alignment:
    """What came of it. Residuals are medians, in pixels of the grid, over tie points kept out of the fit; NaN
    where there were none to measure on.
    """

    field: ShiftField
    """how far the after image is off"""
    status: Literal["ok", "global-only"]
    """`ok`: a local field; `global-only`: one shift for all, because the images carry no more"""
    reason: str
    """one sentence on how the status came about"""
    points: int
    """tie points that the field rests on"""
    kept_out_points: int
    """tie points that the residuals were measured on, each while it was kept out of the fit; with none,
    halves of the image, each compared with the other
    """
    residual_before_px: float
    residual_px: float
    shift_m: tuple[float, float]
    """median (dx, dy) over the grid"""


def judge(ties: Ties, fit: Fit, grid: GeoBox, max_residual: float) -> Alignment:
    """The verdict, from tie points kept out of the fit. Raises AlignmentRejectedError with its reason."""
    points = int((fit.weight > 0).sum())
    residual = float(np.median(fit.kept_out))
    if residual > max_residual:
        raise AlignmentRejectedError(
            f"the images do not line up: {len(ties)} tie points kept out of the fit are {residual:.2f} px"
            f" off (median); check that both images show the same ground, or raise align.max_residual"
            f" ({max_residual:g} px)"
        )
    strain = fit.field.steepness((abs(grid.transform.a), abs(grid.transform.e)))
    if strain > 2 * MAX_STRAIN:
        raise AlignmentRejectedError(
            f"the shift found changes by {strain:.2f} px a pixel, more than any image is warped ({points}"
            " tie points); check that both images show the same ground, or mask what is not ground"
        )
    before = float(np.median(np.linalg.norm(ties.shift, axis=1)))
    status, reason = _status(fit, points, len(ties))
    shift = median_shift(fit.field, grid)
    return Alignment(fit.field, status, reason, points, len(ties), before, residual, shift)


def one_shift(
    whole: Whole, peak: Peak, small: GeoBox, factor: int, refusal: AlignmentRejectedError
) -> Alignment:
    """One shift by the whole image, where windows are too unlike; raises `refusal` where that is no
    better.
    """
    apart = [one.distance(other) * factor for one, other in whole.halves(peak, max(2, round(8 / factor)))]
    if peak.prominence >= PROMINENT and max(apart) <= HALVES_APART:
        field = constant(small, peak).zoomed(factor)
        reason = (
            "windows of the two images are too unlike for a local field; one shift, by the whole image"
            f" ({peak.prominence:.1f} sigma above chance), on which halves agree to {max(apart):.1f} px"
        )
        before = factor * math.hypot(peak.drow, peak.dcol)
        shift = median_shift(field, small)
        return Alignment(field, "global-only", reason, 0, 0, before, math.nan, shift)
    raise refusal


def as_delivered(grid: GeoBox) -> Alignment:
    reason = (
        "not measured: nothing that both images show could be matched, as when a place of"
        f" {grid.shape.x} x {grid.shape.y} px is rebuilt wholly; compared as delivered, so look whether both"
        " show the same ground"
    )
    unknown = math.nan
    return Alignment(ShiftField.zero(grid), "global-only", reason, 0, 0, unknown, unknown, (0.0, 0.0))


def _status(fit: Fit, points: int, reliable: int) -> tuple[Literal["ok", "global-only"], str]:
    counts = f"{points} of {reliable} reliable tie points agree"
    if math.isinf(fit.stiffness):
        return "global-only", f"{counts}, too few for a local field: one shift for the whole image"
    if fit.stiffness >= max(STIFFNESS):
        return "ok", f"{counts}, and an affine map says as much as any local field"
    return "ok", f"{counts} on a smooth local field"


def constant(grid: GeoBox, peak: Peak) -> ShiftField:
    """A peak of the whole image as a field."""
    return ShiftField.constant(grid, peak.dcol * grid.transform.a, peak.drow * grid.transform.e)


def median_shift(field: ShiftField, grid: GeoBox) -> tuple[float, float]:
    """(dx, dy) in metres, over the grid."""
    rows, cols = (np.linspace(0, size - 1, 33) for size in grid.shape)
    dx, dy = field.at(rows[:, None], cols[None, :])
    return float(np.median(dx)), float(np.median(dy))
