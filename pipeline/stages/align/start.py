"""The first guess: a stiff field, good to a pixel or two, however far the images are off."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr
from odc.geo.geobox import GeoBox

from pipeline.shift import ShiftField
from pipeline.stages.align.coarse import Peak
from pipeline.stages.align.consensus import agreement
from pipeline.stages.align.fit import fit_smooth
from pipeline.stages.align.lattice import TILE, Lattice
from pipeline.stages.align.local import reliable
from pipeline.stages.align.ties import tie_points
from pipeline.stages.align.verdict import constant
from pipeline.stages.align.whole import decimated

STIFF = (1e3, 1e5)
FACTOR = 4  # pixels of a large grid that one of the first look stands for, along each side
WINDOW = 96  # of those, a side: with what structure needs around it, a tile
TILES = 5  # an axis, looked at first
AGREE = 0.4  # of the reliable windows must, or the whole image is looked at


def sparse_start(
    before: xr.DataArray, after: xr.DataArray, grid: GeoBox, search: int, min_points: int
) -> ShiftField | None:
    """From a few well spread tiles of a large grid, averaged down; None where they do not agree."""
    small = grid.zoom_out(FACTOR)
    shape = int(small.shape[0]), int(small.shape[1])
    lattice = Lattice.sparse(shape, WINDOW, TILES, TILE // FACTOR)
    images = decimated(before, after, small)
    zero = ShiftField.zero(small)
    ties = reliable(tie_points(*images, small, zero, lattice, math.ceil(search / FACTOR) + 1))
    agreeing = agreement(ties)
    if agreeing.sum() < max(min_points, AGREE * len(ties)):
        return None
    return fit_smooth(ties, agreeing, small, STIFF).field.zoomed(FACTOR)


def whole_start(
    pair: tuple[xr.DataArray, xr.DataArray],
    small: GeoBox,
    peaks: list[Peak],
    lattice: Lattice,
    min_points: int,
) -> ShiftField:
    """The peak of the whole image that most windows agree with, turned into a nearly affine field by them."""
    best, most = ShiftField.zero(small), -1
    for peak in peaks:
        field = constant(small, peak)
        ties = reliable(tie_points(*pair, small, field, lattice, lattice.window // 8))
        agreeing = agreement(ties)
        if agreeing.sum() > most:
            best, most = field, int(np.sum(agreeing))
            if most >= min_points:
                best = fit_smooth(ties, agreeing, small, STIFF).field
    return best
