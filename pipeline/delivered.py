"""Windows of a lazy image, each of its chunks computed once, however many windows need it.

Slicing a Dask array does not give that: Dask fuses the reading of a chunk into each slice of it, so that
neighbouring windows decode the same part of a file again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import dask.array as da
import numpy as np
from dask.delayed import delayed
from numpy.typing import NDArray

from pipeline.pair import Float


@dataclass(frozen=True, eq=False)
class Delivered:
    """A lazy image float32 (band, y, x): its chunks as Dask values, (chunk row, chunk column), and the first
    row and column of each, with the ends.
    """

    chunks: NDArray[Any]
    rows: NDArray[np.intp]
    cols: NDArray[np.intp]
    bands: int

    @classmethod
    def of(cls, image: da.Array) -> Delivered:
        """Chunks of all bands together."""
        whole = image.rechunk({0: -1})
        rows, cols = (np.concatenate([[0], np.cumsum(axis)]).astype(np.intp) for axis in whole.chunks[1:])
        return cls(whole.to_delayed()[0], rows, cols, int(whole.shape[0]))

    def window(self, rows: slice, cols: slice) -> Any:
        """A window, lazily; its slices have a start and a stop inside the image. It may be empty."""
        shape = rows.stop - rows.start, cols.stop - cols.start
        if min(shape) <= 0:
            return np.empty((self.bands, *shape), np.float32)
        (first, last), (left, right) = (_touched(*pair) for pair in ((self.rows, rows), (self.cols, cols)))
        inner = _shifted(rows, self.rows[first]), _shifted(cols, self.cols[left])
        return delayed(_joined, pure=False)(self.chunks[first:last, left:right].tolist(), *inner)


def _touched(edges: NDArray[np.intp], part: slice) -> tuple[int, int]:
    first = int(np.searchsorted(edges, part.start, side="right")) - 1
    return first, int(np.searchsorted(edges, part.stop, side="left"))


def _shifted(part: slice, start: np.intp) -> slice:
    return slice(part.start - int(start), part.stop - int(start))


def _joined(chunks: list[list[Float]], rows: slice, cols: slice) -> Float:
    """The window of the chunks laid side by side; only what it needs of them is copied."""
    if len(chunks) == len(chunks[0]) == 1:
        return chunks[0][0][:, rows, cols]
    out = np.empty((len(chunks[0][0]), rows.stop - rows.start, cols.stop - cols.start), np.float32)
    top = -rows.start
    for line in chunks:
        left = -cols.start
        for chunk in line:
            (into_y, from_y), (into_x, from_x) = (
                _common(start, int(size), wanted)
                for start, size, wanted in zip((top, left), chunk.shape[1:], out.shape[1:], strict=True)
            )
            out[:, into_y, into_x] = chunk[:, from_y, from_x]
            left += int(chunk.shape[2])
        top += int(line[0].shape[1])
    return out


def _common(start: int, size: int, wanted: int) -> tuple[slice, slice]:
    """What a chunk of `size` that begins at `start` gives to 0..wanted: the part there, and in the chunk."""
    first, last = max(start, 0), min(start + size, wanted)
    return slice(first, last), slice(first - start, last - start)
