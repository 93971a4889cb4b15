"""Shadows: where the ground is darker than on the other date, as far and as wide as the clouds say.

All clouds of an image throw their shadows along one direction, to nearly one distance. Of all displacements
within reach the one is taken that lays the clouds on the most darkened ground (after the object matching of
Zhu and Woodcock 2012, with the darkening against the other date in place of a dark band).
"""

from __future__ import annotations

import math

import numpy as np
import scipy
from numpy.typing import NDArray

from pipeline.stages.screen.ground import Look

Bits = NDArray[np.bool_]
Floats = NDArray[np.float64]
Offset = tuple[int, int]

_DARKER = 0.20  # of the other date's brightness
_SEARCH = 256  # cells a side of the lattice on which the displacement is sought
_NEAR, _FAR = 80.0, 6000.0  # metres between a cloud and its shadow
_VISIBLE = 0.25  # share of the clouds whose shadow must fall where the ground is seen
_MATCH = 0.5  # share of darkened ground under the displaced clouds, and
_ABOVE = 0.3  # so much more than right beside them: a shadow has its cloud's shape
_FEW_ABOVE = 0.45  # the same for few clouds, to which a displacement is easily found
_COLLAR_M = 100.0  # so far beside
_ANGLE = 15.0  # degrees off the sun's azimuth, which clouds that stand side by side and terrain bend


def darkened(look: Look) -> Bits:
    """Ground that is clearly darker than on the other date (y, x)."""
    with np.errstate(invalid="ignore"):
        dark = look.infrared < (1 - _DARKER) * look.infrared_other
    return np.asarray(scipy.ndimage.binary_opening(dark, iterations=1))


def displacement(
    clouds: Bits, dark: Bits, seen: Bits, cell_m: float, azimuth: float | None, few: bool
) -> Offset | None:
    """Cells (down, right) from the clouds to their shadows; None where no displacement explains enough.

    `azimuth`: of the sun, degrees clockwise from north, if known. `few`: clouds, so that chance finds one.
    """
    step = max(1, math.ceil(max(clouds.shape) / _SEARCH))
    open_ground = seen & ~clouds
    if not clouds.any() or not (dark & open_ground).any():
        return None
    dark_share, open_share = (_reduced(each, step) for each in (dark & open_ground, open_ground))
    around = collar(clouds, cell_m)
    inside, room = _shares(_reduced(clouds, step), dark_share, open_share)
    beside, _ = _shares(_reduced(around, step), dark_share, open_share)
    gain = np.where((inside >= _MATCH) & room, inside - beside, 0.0)
    down, right = np.meshgrid(*(_signed(size) for size in gain.shape), indexing="ij")
    allowed = _allowed(down * step * cell_m, right * step * cell_m, azimuth)
    gain[~allowed] = 0.0
    best = int(np.argmax(gain))
    if gain.flat[best] < (_FEW_ABOVE if few else _ABOVE):
        return None
    return int(down.flat[best]) * step, int(right.flat[best]) * step


def shadow(clouds: Bits, dark: Bits, offset: Offset, cell_m: float) -> Bits:
    """Darkened ground at and around the displaced clouds; higher clouds throw it further."""
    slack = 60 / cell_m + 0.15 * math.hypot(*offset)
    near = scipy.ndimage.distance_transform_edt(~moved(clouds, offset)) <= slack
    return np.asarray(near & dark & ~clouds)


def moved(mask: Bits, offset: Offset) -> Bits:
    """The mask displaced by cells (down, right); what leaves the lattice is gone."""
    out = np.zeros_like(mask)
    (rows, to_rows), (cols, to_cols) = (
        (slice(max(0, -d), min(size, size - d)), slice(max(0, d), min(size, size + d)))
        for d, size in zip(offset, mask.shape, strict=True)
    )
    if abs(offset[0]) < mask.shape[0] and abs(offset[1]) < mask.shape[1]:
        out[to_rows, to_cols] = mask[rows, cols]
    return out


def _allowed(down: Floats, right: Floats, azimuth: float | None) -> Bits:
    """Displacements in metres that a shadow may have: away from the sun, neither too near nor too far."""
    distance = np.hypot(down, right)
    allowed = (distance >= _NEAR) & (distance <= _FAR)
    if azimuth is not None:
        angle = math.radians(azimuth)
        along = down * math.cos(angle) - right * math.sin(angle)
        allowed &= along >= distance * math.cos(math.radians(_ANGLE))
    return np.asarray(allowed)


def collar(clouds: Bits, cell_m: float) -> Bits:
    """What lies right beside the clouds."""
    width = max(2.0, _COLLAR_M / cell_m)
    return np.asarray((scipy.ndimage.distance_transform_edt(~clouds) <= width) & ~clouds)


def _shares(cloud: Floats, dark: Floats, seen: Floats) -> tuple[Floats, Bits]:
    """For every displacement (circular lattice of twice the size): share of the seen ground under the
    displaced clouds that is dark, and whether enough of it is seen.
    """
    shape = tuple(scipy.fft.next_fast_len(2 * size, real=True) for size in cloud.shape)
    spectrum = np.conj(scipy.fft.rfft2(cloud, shape))
    hit, room = (
        np.maximum(scipy.fft.irfft2(spectrum * scipy.fft.rfft2(each, shape), shape), 0)
        for each in (dark, seen)
    )
    enough = room >= max(_VISIBLE * float(cloud.sum()), 1e-6)
    return np.where(enough, hit / np.maximum(room, 1e-6), 0.0), np.asarray(enough)


def _signed(size: int) -> Floats:
    return np.asarray(scipy.fft.fftfreq(size, 1 / size).round(), np.float64)


def _reduced(mask: Bits, step: int) -> Floats:
    """Share of each step x step cells."""
    rows, cols = (-size % step for size in mask.shape)
    filled = np.pad(mask, ((0, rows), (0, cols))).astype(np.float64)
    height, width = (size // step for size in filled.shape)
    mean: Floats = filled.reshape(height, step, width, step).mean(axis=(1, 3))
    return mean
