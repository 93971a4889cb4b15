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
from pipeline.stages.align.fit import STIFFNESS, Fit, fit_smooth
from pipeline.stages.align.precision import expected_error
from pipeline.stages.align.ties import Ties

PROMINENT = 6.5  # deviations that the whole image's peak stands out; unrelated images reach about 5
SAME_GROUND = 4.5  # the same, for a peak that lies where the images say they do; chance: below 1 %
REBUILT = 256  # pixels a side up to which a place may be rebuilt wholly, so that nothing in it matches
DELIVERED = 3.0  # pixels from no shift at all that such a peak may lie
HALVES_APART = 0.25  # pixels that the shifts of two halves may differ by, for one to stand for the image
MAX_ERROR = 0.08  # pixels that a field may be expected to be off
MAX_PULL = 0.15  # pixels that tie points may move by when edges beside shadows count too
TOLERABLE = 0.5  # the same, for one shift in its place, where that was asked for


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


class UncertainError(AlignmentRejectedError):
    """Measured, but not well enough to be called right; `best` is what one might still go on with."""

    def __init__(self, message: str, best: Alignment | None) -> None:
        super().__init__(message)
        self.best = best


def judge(ties: Ties, fit: Fit, grid: GeoBox, max_residual: float, shadow_pull: float) -> Alignment:
    """The verdict, from tie points kept out of the fit. Raises AlignmentRejectedError with its reason.

    One shift was fitted where tie points are few; an affine map takes its place, as who knows whether the
    image is turned or scaled: if they do not pin that down, they do not pin the one shift down either.
    """
    if math.isinf(fit.stiffness):
        fit = fit_smooth(ties, fit.weight > 0, grid, STIFFNESS[-1:])
    points = int((fit.weight > 0).sum())
    residual = float(np.median(fit.kept_out))
    before = float(np.median(np.linalg.norm(ties.shift, axis=1)))
    shift = median_shift(fit.field, grid)
    strain = fit.field.steepness((abs(grid.transform.a), abs(grid.transform.e)))
    if strain > 2 * MAX_STRAIN:
        raise AlignmentRejectedError(
            f"the shift found changes by {strain:.2f} px a pixel, more than any image is warped ({points}"
            " tie points); check that both images show the same ground, or mask what is not ground"
        )
    error = expected_error(ties, fit, grid)
    numbers = (points, len(ties), before, residual, shift)
    if doubt := _doubt(residual, max_residual, error, shadow_pull):
        reason = f"one shift for all, uncertain by {error:.2f} px: {doubt}"
        rough = Alignment(ShiftField.constant(grid, *shift), "global-only", reason, *numbers)
        raise UncertainError(
            f"not pinned down by {points} tie points: {doubt}; check that both images show the same ground,"
            " or take a larger area or dates that look more alike",
            rough if error <= TOLERABLE else None,
        )
    affine = fit.stiffness >= max(STIFFNESS)
    told = "and an affine map says as much as any local field" if affine else "on a smooth local field"
    reason = f"{points} of {len(ties)} reliable tie points agree, {told}"
    return Alignment(fit.field, "ok", reason, *numbers)


def _doubt(residual: float, max_residual: float, error: float, shadow_pull: float) -> str:
    """Why a field is not believed; empty where it is."""
    if residual > max_residual:
        return (
            f"kept out of the fit, they are {residual:.2f} px off (align.max_residual: {max_residual:g} px)"
        )
    if shadow_pull > MAX_PULL:
        return f"shadows have moved, and draw them by {shadow_pull:.2f} px, where {MAX_PULL:g} is allowed"
    if error > MAX_ERROR:
        return f"they leave the field uncertain by {error:.2f} px, where {MAX_ERROR:g} is allowed"
    return ""


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


def uncertain(
    grid: GeoBox, peaks: list[Peak], factor: int, refusal: AlignmentRejectedError, registered: bool = False
) -> Alignment:
    """One shift that was measured roughly; else none, where a peak of the whole images, on pixels `factor`
    times larger, says that they show the same ground and lie about right, or where they were `registered` by
    somebody. Raises `refusal` where none of it holds. Of 240 unlike pairs of made and real images (128 to 512
    px) one has a peak so near and so high.
    """
    if isinstance(refusal, UncertainError) and refusal.best is not None:
        return refusal.best
    here = [peak for peak in peaks if math.hypot(peak.drow, peak.dcol) * factor <= DELIVERED]
    if any(peak.prominence >= SAME_GROUND for peak in here):
        reason = (
            f"compared as delivered: both images show the same ground to about {DELIVERED:g} px, but how far"
            " they are off could not be measured"
        )
    elif registered:
        reason = (
            "compared as delivered: nothing in the two images matches, but they come on the very same grid,"
            " and so small a place may have been rebuilt wholly; check that both show the same ground"
        )
    else:
        raise refusal
    return Alignment(ShiftField.zero(grid), "global-only", reason, 0, 0, math.nan, math.nan, (0.0, 0.0))


def constant(grid: GeoBox, peak: Peak) -> ShiftField:
    """A peak of the whole image as a field."""
    return ShiftField.constant(grid, peak.dcol * grid.transform.a, peak.drow * grid.transform.e)


def median_shift(field: ShiftField, grid: GeoBox) -> tuple[float, float]:
    """(dx, dy) in metres, over the grid."""
    rows, cols = (np.linspace(0, size - 1, 33) for size in grid.shape)
    dx, dy = field.at(rows[:, None], cols[None, :])
    return float(np.median(dx)), float(np.median(dy))
