"""What the counts of a file say: physical values, and where there are none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pipeline.scenes.sources import BandSource

MOST = 1e15
"""No light is brighter, in whatever unit: what is (an undeclared nodata of -3.4e38, say) was not observed."""

Bools = NDArray[np.bool_]

_NEVER, _ONE_BAND, _ALL_BANDS = range(3)  # what it takes for a pixel to be missing: so many bands at nodata


def physical(
    counts: NDArray[Any], bands: Sequence[BandSource]
) -> tuple[NDArray[np.float32], Bools, Bools | None]:
    """Values float32 (band, y, x) of counts as delivered; where a pixel was surely not observed (y, x), as
    one band has its nodata or no light; and where all bands carry a nodata that could also be a value, None
    where there is no such.
    """
    scales, offsets = (
        np.array(each, np.float32) for each in zip(*((b.scale, b.offset) for b in bands), strict=True)
    )
    nodata, missing = zip(*(_nodata(band, counts.dtype) for band in bands), strict=True)
    out = np.empty(counts.shape, np.float32)
    unseen, empty = np.zeros(counts.shape[1:], bool), np.ones(counts.shape[1:], bool)
    _scale(counts, scales, offsets, np.array(nodata, counts.dtype), np.array(missing), out, unseen, empty)
    return out, unseen, empty if _ALL_BANDS in missing else None


def _nodata(band: BandSource, dtype: np.dtype[Any]) -> tuple[float, int]:
    """A band's nodata, and what it takes for a pixel to be missing; a value that `dtype` cannot hold marks
    none.
    """
    value = band.nodata
    if value is None or np.isnan(value) or not _holds(dtype, value):
        return 0, _NEVER
    whole = int(value) if dtype.kind in "iu" else value
    return whole, _ALL_BANDS if could_be_a_value(value, band.dtype) else _ONE_BAND


def _holds(dtype: np.dtype[Any], value: float) -> bool:
    if dtype.kind not in "iu":
        return True
    limits = np.iinfo(dtype)
    return value.is_integer() and limits.min <= value <= limits.max


def could_be_a_value(nodata: float, dtype: str) -> bool:
    """Whether a pixel may carry `nodata` and yet be observed: 0, or any value of an unsigned type.

    Then only a pixel with it in all bands was not observed. What no sensor delivers (-9999, a signed type's
    extreme, any value but 0 of a float type) marks the pixel in whichever band it stands.
    """
    kind = np.dtype(dtype)
    if kind.kind == "u" or nodata == 0:
        return True
    return kind.kind == "i" and 0 < nodata < np.iinfo(kind).max


def hide(image: NDArray[np.float32], unseen: Bools) -> None:
    """NaN in all bands (band, y, x) where `unseen` (y, x) says so."""
    if unseen.any():
        _blank(image, unseen)


@njit(nogil=True, cache=True)
def lay_below(image: NDArray[np.float32], other: NDArray[np.float32]) -> None:  # pragma: no cover
    """Fill what is missing in `image` (band, y, x), NaN in all bands, from `other`."""
    for i in range(image.shape[1]):
        missing = np.isnan(image[0, i])
        for b in range(image.shape[0]):
            line, below = image[b, i], other[b, i]
            for j in range(len(line)):
                line[j] = below[j] if missing[j] else line[j]


@njit(nogil=True, cache=True)
def _scale(
    counts: NDArray[Any],
    scales: NDArray[np.float32],
    offsets: NDArray[np.float32],
    nodata: NDArray[Any],
    missing: NDArray[np.int64],
    out: NDArray[np.float32],
    unseen: Bools,
    empty: Bools,
) -> None:  # pragma: no cover
    most = np.float32(1e15)
    for i in range(counts.shape[1]):
        hidden, together = unseen[i], empty[i]
        for b in range(counts.shape[0]):
            given, line, scale, offset, mark = counts[b, i], out[b, i], scales[b], offsets[b], nodata[b]
            for j in range(len(line)):
                line[j] = np.float32(given[j]) * scale + offset
            for j in range(len(line)):
                hidden[j] |= not abs(line[j]) < most  # nor is NaN
            if missing[b] == 1:
                for j in range(len(line)):
                    hidden[j] |= given[j] == mark
            elif missing[b] == 2:
                for j in range(len(line)):
                    together[j] &= given[j] == mark


@njit(nogil=True, cache=True)
def _blank(image: NDArray[np.float32], unseen: Bools) -> None:  # pragma: no cover
    for b in range(image.shape[0]):
        for i in range(image.shape[1]):
            line, hidden = image[b, i], unseen[i]
            for j in range(len(line)):
                line[j] = np.float32(np.nan) if hidden[j] else line[j]
