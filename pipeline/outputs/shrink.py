"""Overviews: a raster at half its size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pipeline.outputs.blocks import Block, BlockStore
from pipeline.outputs.rasters import RasterSpec


def shrunk(store: BlockStore, spec: RasterSpec) -> Callable[[Block], NDArray[Any]]:
    """Gives any block (band, y, x) of half the raster, rounded down where its size is odd.

    A pixel is the mean of the ground it covers, holes left out (or, where `spec` asks for the nearest, the
    pixel in the middle of it), and a hole where it covers nothing else.
    """
    shape = [int(size) for size in store.grid.shape]
    spans = [size / (size // 2) for size in shape]

    def block(wanted: Block) -> NDArray[Any]:
        rows, cols = (
            slice(int(part.start * span), min(int(np.ceil(part.stop * span)), size))
            for part, span, size in zip(wanted, spans, shape, strict=True)
        )
        return _shrunk(store.read(spec, rows, cols), spec, wanted, spans, (rows, cols))

    return block


def halved(pixels: NDArray[Any], spec: RasterSpec) -> NDArray[Any]:
    """The same of an array (band, y, x) with even sides, by itself."""
    height, width = pixels.shape[1:]
    wanted = slice(0, height // 2), slice(0, width // 2)
    return _shrunk(pixels, spec, wanted, (2.0, 2.0), (slice(0, height), slice(0, width)))


def _shrunk(
    pixels: NDArray[Any], spec: RasterSpec, wanted: Block, spans: Sequence[float], under: Block
) -> NDArray[Any]:
    """The block `wanted` of the smaller raster, from the `pixels` that lie `under` it."""
    if spec.overviews == "nearest":
        middle = [
            ((np.arange(part.start, part.stop) + 0.5) * span).astype(int) - source.start
            for part, span, source in zip(wanted, spans, under, strict=True)
        ]
        return np.asarray(pixels[:, middle[0][:, None], middle[1]])
    out = np.empty((len(pixels), *(part.stop - part.start for part in wanted)), pixels.dtype)
    if set(spans) == {2.0}:
        _halve(pixels, spec.nodata, np.dtype(spec.dtype).kind != "f", out)
        return out
    taps = [_taps(part, span, source) for part, span, source in zip(wanted, spans, under, strict=True)]
    _average(pixels, spec.nodata, *taps[0], *taps[1], np.dtype(spec.dtype).kind != "f", out)
    return out


def _taps(wanted: slice, span: float, source: slice) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """For each pixel wanted along an axis the first pixel of `source` under it, and the share of each of the
    three from there on (n, 3) that it covers.
    """
    starts = np.arange(wanted.start, wanted.stop) * span
    first = np.floor(starts).astype(np.intp)
    edges = first[:, None] + np.arange(4)
    covered = np.clip(edges, starts[:, None], np.minimum(starts + span, source.stop)[:, None])
    return first - source.start, np.diff(covered, axis=1)


@njit(nogil=True, cache=True)
def _average(  # type: ignore[no-untyped-def]
    pixels, nodata, tops, down, lefts, across, whole, out
):  # pragma: no cover
    last_row, last_col = pixels.shape[1] - 1, pixels.shape[2] - 1
    for b in range(pixels.shape[0]):
        for i in range(out.shape[1]):
            rows = 3 if down[i, 2] > 0.0 else 2
            for j in range(out.shape[2]):
                cols = 3 if across[j, 2] > 0.0 else 2
                total, weight = 0.0, 0.0
                for k in range(rows):
                    y = min(tops[i] + k, last_row)
                    for m in range(cols):
                        value = pixels[b, y, min(lefts[j] + m, last_col)]
                        if value != nodata and not np.isnan(value):
                            share = down[i, k] * across[j, m]
                            total += share * value
                            weight += share
                if weight <= 0.0:
                    out[b, i, j] = nodata
                elif whole:
                    mean = np.rint(total / weight)
                    out[b, i, j] = mean + 1 if mean == nodata else mean
                else:
                    out[b, i, j] = total / weight


@njit(nogil=True, cache=True)
def _halve(pixels, nodata, whole, out):  # type: ignore[no-untyped-def]  # pragma: no cover
    """As `_average` of two pixels by two, many at a time."""
    total, weight = np.empty(out.shape[2]), np.empty(out.shape[2])
    for b in range(out.shape[0]):
        for i in range(out.shape[1]):
            total[:], weight[:] = 0.0, 0.0
            for k in range(2):
                line = pixels[b, 2 * i + k]
                for m in range(2):
                    for j in range(len(total)):
                        value = float(line[2 * j + m])
                        held = value != nodata and not np.isnan(value)
                        total[j] += value if held else 0.0
                        weight[j] += 1.0 if held else 0.0
            into = out[b, i]
            for j in range(len(total)):
                mean = total[j] / max(weight[j], 1.0)
                if whole:
                    mean = np.rint(mean)
                    mean = mean + 1.0 if mean == nodata else mean
                into[j] = mean if weight[j] > 0.0 else nodata
