"""How far off a field may be, as its own tie points tell: fitted well is not yet pinned down."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from pipeline.stages.align.fit import FLOOR, Fit
from pipeline.stages.align.spline import Design, Floats, bending
from pipeline.stages.align.ties import Ties

BLOCKS = (2, 3)  # windows a side that are left out together, as neighbours share their errors
FEWEST, MOST = 4, 12  # parts to leave out in turn; fewer tell nothing, more cost time
OVERLAP = 3.0  # tie points of which about one is independent, as windows reach halfway into one another
SOFTEST = 1.0  # stiffness; softer fields differ mostly beside their own tie points, which kept_out tells
PLACES = 12  # along each side of the grid, at which fields are compared


def expected_error(ties: Ties, fit: Fit, grid: GeoBox) -> float:
    """Pixels (RMS over the grid) that the field may be off, by the worst of three tellings.

    Two are the jackknife (Tukey 1958) over blocks of neighbours, which also sees what lies far from any tie
    point. With few blocks it is itself a guess, so the third asks what as many tie points can pin down at all
    that scatter as these do.
    """
    used = fit.weight > 0
    scatter = float(np.median(fit.kept_out)) * math.sqrt(OVERLAP / max(int(used.sum()), 1))
    return max(scatter, *(_jackknife(ties[used], fit.weight[used], fit, grid, side) for side in BLOCKS))


def _jackknife(ties: Ties, weight: Floats, fit: Fit, grid: GeoBox, side: int) -> float:
    """Standard error of the field, leaving out blocks of `side` x `side` windows in turn.

    It is that of a second field through what the first leaves, or a warp that nothing but the block left out
    tells of would count as error. What is left is made as large as it is where tie points are kept out.
    """
    part = _parts(ties, side)
    count = int(part.max(initial=-1)) + 1
    if count < FEWEST:
        return math.inf
    lattice = (int(fit.field.dx.shape[0]), int(fit.field.dx.shape[1]))
    rows, cols = np.meshgrid(*(np.linspace(0, size - 1, PLACES) for size in grid.shape), indexing="ij")
    there = Design.of(rows.ravel(), cols.ravel(), fit.field.step, lattice)
    design = Design.of(ties.row, ties.col, fit.field.step, lattice)
    trust = weight * FLOOR**2 / (FLOOR**2 + ties.sigma**2)
    energy = max(fit.stiffness, SOFTEST) * bending(lattice)
    dx, dy = fit.field.at(ties.row, ties.col)
    left = ties.shift - np.stack([dy / grid.transform.e, dx / grid.transform.a], axis=1)
    left *= float(np.median(fit.kept_out)) / max(float(np.median(np.linalg.norm(left, axis=1))), 1e-9)
    fields = [there.at(design.solve(left, np.where(part == k, 0.0, trust), energy)) for k in range(count)]
    spread = np.square(fields - np.mean(fields, axis=0)).sum(axis=(0, 2))
    return math.sqrt((count - 1) / count * float(spread.mean()))


def _parts(ties: Ties, side: int) -> NDArray[np.intp]:
    """Which part a tie point is left out with: its block, or every so many-th block where these are many."""
    block = np.stack([ties.lattice_row // side, ties.lattice_col // side], axis=1)
    which = np.unique(block, axis=0, return_inverse=True)[1].ravel()
    order = np.random.default_rng(0).permutation(int(which.max(initial=-1)) + 1)
    part: NDArray[np.intp] = order[which] % MOST
    return part
