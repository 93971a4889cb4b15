"""Overviews: a raster at half its size."""

from __future__ import annotations

from collections.abc import Callable
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
        pixels = store.read(spec, rows, cols)
        if spec.overviews == "nearest":
            middle = [
                ((np.arange(part.start, part.stop) + 0.5) * span).astype(int) - source.start
                for part, span, source in zip(wanted, spans, (rows, cols), strict=True)
            ]
            return np.asarray(pixels[:, middle[0][:, None], middle[1]])
        size = tuple(part.stop - part.start for part in wanted)
        out = np.empty((len(pixels), *size), pixels.dtype)
        first = wanted[0].start * spans[0] - rows.start, wanted[1].start * spans[1] - cols.start
        _average(pixels, spec.nodata, first, tuple(spans), np.dtype(spec.dtype).kind != "f", out)
        return out

    return block


@njit(nogil=True, cache=True)
def _average(  # type: ignore[no-untyped-def]
    pixels, nodata, first, span, whole, out
):  # pragma: no cover
    bands, height, width = pixels.shape
    for b in range(bands):
        for i in range(out.shape[1]):
            top, bottom = first[0] + i * span[0], first[0] + (i + 1) * span[0]
            for j in range(out.shape[2]):
                left, right = first[1] + j * span[1], first[1] + (j + 1) * span[1]
                total, weight = 0.0, 0.0
                for y in range(int(top), min(int(np.ceil(bottom)), height)):
                    high = min(bottom, y + 1.0) - max(top, float(y))
                    for x in range(int(left), min(int(np.ceil(right)), width)):
                        value = pixels[b, y, x]
                        if value == nodata or np.isnan(value):
                            continue
                        share = high * (min(right, x + 1.0) - max(left, float(x)))
                        total += share * value
                        weight += share
                if weight <= 0.0:
                    out[b, i, j] = nodata
                elif whole:
                    mean = np.rint(total / weight)
                    out[b, i, j] = mean + 1 if mean == nodata else mean
                else:
                    out[b, i, j] = total / weight
