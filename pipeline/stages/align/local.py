"""From a first field to a local one: windows matched around what is known, and again where that was far."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr
from odc.geo.geobox import GeoBox

from pipeline.errors import AlignmentRejectedError
from pipeline.shift import ShiftField
from pipeline.stages.align.consensus import agreement
from pipeline.stages.align.fit import Fit, fit_smooth, fit_translation
from pipeline.stages.align.lattice import Lattice
from pipeline.stages.align.ties import Ties, tie_points

ROUNDS = (4, 8)  # each looks a window's side over this around what the one before found
SETTLED = 0.3  # pixels; where nine in ten windows were matched no further off, structure has nothing to gain
MIN_SHARE = 0.15  # of reliable tie points must agree; chance alone reaches a few percent
MIN_CORRELATION = 0.15  # of a tie point's peak
MIN_CONTRAST = 1.15  # of its peak over the next
MAX_SIGMA = 0.5  # pixels, its expected error


def local_fit(
    before: xr.DataArray,
    after: xr.DataArray,
    grid: GeoBox,
    start: ShiftField,
    lattice: Lattice,
    min_points: int,
    larger: int = 1,
    settled: float = SETTLED,
) -> tuple[Ties, Fit]:
    """The reliable tie points and the field through them, from `start` on; windows `larger` times the usual
    are searched no further. Where nine in ten were matched no more than `settled` pixels off, they are not
    matched again. Raises AlignmentRejectedError where too few tie points agree.
    """
    field = start
    for part in ROUNDS:
        found = tie_points(before, after, grid, field, lattice, lattice.window // (part * larger))
        ties = reliable(found)
        fit = _fit(ties, len(found), grid, min_points)
        moved = np.hypot(*_difference(fit.field, field, ties, grid))
        field = fit.field
        if np.quantile(moved, 0.9) < settled:
            break
    return ties, fit


def shadow_pull(
    before: xr.DataArray, after: xr.DataArray, grid: GeoBox, field: ShiftField, lattice: Lattice, ties: Ties
) -> float:
    """Pixels that tie points move by (median over some of them) when edges beside shadows count too.

    Next to nothing on most ground. In a town under another sun it is as much as shadows have moved, and then
    what edges not known to be shadows are left carry the field as well. `ties`: those found without.
    """
    search = lattice.window // ROUNDS[-1]
    counted = reliable(tie_points(before, after, grid, field, lattice.thinned(), search, shadows=True))
    down, across = lattice.strides
    columns = len(lattice.cols)
    place = ties.lattice_row * columns + ties.lattice_col
    same = counted.lattice_row * down * columns + counted.lattice_col * across
    _, first, second = np.intersect1d(place, same, assume_unique=True, return_indices=True)
    if not len(first):
        return 0.0
    return float(np.hypot(*np.median(ties.shift[first] - counted.shift[second], axis=0)))


def reliable(ties: Ties) -> Ties:
    """What is known before any fit: the peak is high enough, stands out, and is sharp."""
    good = (ties.correlation > MIN_CORRELATION) & (ties.contrast > MIN_CONTRAST) & (ties.sigma < MAX_SIGMA)
    return ties[good]


def _fit(ties: Ties, windows: int, grid: GeoBox, min_points: int) -> Fit:
    agreeing = agreement(ties)
    count, least = int(agreeing.sum()), max(min_points, math.ceil(MIN_SHARE * len(ties)))
    if count < least:
        raise AlignmentRejectedError(
            f"no shift that the images agree on: {len(ties)} of {windows} windows match well, {count} of"
            f" these agree and {least} must; check that both images show the same ground, mask clouds, or"
            " raise align.search if they are further apart"
        )
    if count < 3 * min_points:
        return fit_translation(ties, agreeing, grid)
    return fit_smooth(ties, agreeing, grid)


def _difference(
    field: ShiftField, other: ShiftField, ties: Ties, grid: GeoBox
) -> tuple[np.ndarray, np.ndarray]:
    """In pixels, at the tie points."""
    (dx, dy), (other_dx, other_dy) = (each.at(ties.row, ties.col) for each in (field, other))
    return (dx - other_dx) / grid.transform.a, (dy - other_dy) / grid.transform.e
