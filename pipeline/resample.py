"""The resampling kernel: arrays in, arrays out, the same bits for any block.

Keys' cubic convolution (1981, a = -0.5), bilinear, Lanczos (a = 3) and nearest, separable, in float64 over
float32 values. Values and validity go apart: a pixel that is not observed has no weight, and what would have
drawn on one is not observed itself. Where the source is finer than the grid the kernel is widened, so that
nothing aliases.
"""

from __future__ import annotations

import math
from typing import Literal

import numba
import numpy as np
from numpy.typing import NDArray

from pipeline.mapping import SNAP, STEP, Mapping

Kernel = Literal["nearest", "bilinear", "cubic", "lanczos"]
KERNELS: dict[Kernel, int] = {
    "nearest": 0,
    "bilinear": 1,
    "cubic": 2,
    "lanczos": 3,
}  # code = radius in source pixels
NEGLIGIBLE = 1e-3  # a tap with less weight than this does not make a pixel unobserved


def reach(mapping: Mapping, kernel: Kernel) -> tuple[int, int]:
    """Pixels (row, col) that the kernel stretches beyond a source coordinate."""
    row, col = (math.ceil(max(KERNELS[kernel], 1) * scale) + 1 for scale in mapping.scale)
    return row, col


def resample(
    image: NDArray[np.float32],
    observed: NDArray[np.bool_],
    origin: tuple[int, int],
    mapping: Mapping,
    rows: slice,
    cols: slice,
    kernel: Kernel = "cubic",
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Resample a block of the grid from the part of the delivered image whose first pixel is `origin` (row,
    col).

    `image` (band, y, x) float32 and `observed` (y, x) bool are that part, as large as `Mapping.source` says
    or larger. Returns `image` (band, rows, cols) float32, NaN where not observed, and `observed` (rows, cols)
    bool.
    """
    shape = (rows.stop - rows.start, cols.stop - cols.start)
    out, seen = np.empty((image.shape[0], *shape), np.float32), np.zeros(shape, np.bool_)
    if mapping.offset is not None or not image.size:
        out[:] = np.nan
    if mapping.offset is not None:
        _copy(image, observed, origin, mapping.offset, rows, cols, out, seen)
    elif image.size:
        _resample(
            np.ascontiguousarray(image, np.float32), np.ascontiguousarray(observed, np.bool_), *origin,
            mapping.rows, mapping.cols, rows.start, cols.start,
            KERNELS[kernel], mapping.scale[0], mapping.scale[1], out, seen,
        )  # fmt: skip
    return out, seen


def _copy(
    image: NDArray[np.float32],
    observed: NDArray[np.bool_],
    origin: tuple[int, int],
    offset: tuple[int, int],
    rows: slice,
    cols: slice,
    out: NDArray[np.float32],
    seen: NDArray[np.bool_],
) -> None:
    """Grids that differ by whole pixels need no kernel."""
    source, target = [], []
    for part, shift, first, size in zip((rows, cols), offset, origin, observed.shape, strict=True):
        start = part.start + shift - first  # of the block, in the source array
        low, high = max(start, 0), min(start + part.stop - part.start, size)
        if high <= low:
            return
        source.append(slice(low, high))
        target.append(slice(low - start, high - start))
    _copy_seen(image[:, *source], observed[*source], out[:, *target], seen[*target])


@numba.njit(nogil=True, cache=True)
def _copy_seen(image, observed, out, seen):  # type: ignore[no-untyped-def]
    bands, height, width = image.shape
    for i in range(height):
        known = seen[i]
        for j in range(width):
            known[j] = observed[i, j]
        for b in range(bands):
            line = image[b, i]
            for j in range(width):
                known[j] &= np.isfinite(line[j])
        for b in range(bands):
            line, into = image[b, i], out[b, i]
            for j in range(width):
                into[j] = line[j] if known[j] else np.float32(np.nan)


@numba.njit(nogil=True, cache=True, inline="always")
def _weight(t, kernel):  # type: ignore[no-untyped-def]
    t = abs(t)
    if t >= kernel:
        return 0.0
    if kernel == 1:
        return 1.0 - t
    if kernel == 2:
        return 1.0 + t * t * (1.5 * t - 2.5) if t < 1.0 else 2.0 + t * (-4.0 + t * (2.5 - 0.5 * t))
    if t < 1e-12:
        return 1.0
    if t in (1.0, 2.0):
        return 0.0
    return 3.0 * math.sin(math.pi * t) * math.sin(math.pi * t / 3.0) / (math.pi * math.pi * t * t)


@numba.njit(nogil=True, cache=True)
def _taps(position, kernel, scale, weights):  # type: ignore[no-untyped-def]
    """Fill `weights`, which sum to one; returns the first source pixel they fall on, and how many."""
    nearest = math.floor(position + 0.5)
    if kernel == 0 or (scale == 1.0 and abs(position - nearest) < SNAP):
        weights[0] = 1.0
        return nearest, 1
    first = math.floor(position - kernel * scale) + 1
    count = math.ceil(position + kernel * scale) - first
    total = 0.0
    for k in range(count):
        weights[k] = _weight((first + k - position) / scale, kernel)
        total += weights[k]
    for k in range(count):
        weights[k] /= total
    return first, count


@numba.njit(nogil=True, cache=True)
def _gather(image, observed, top, left, wr, nr, wc, nc, out, i, j):  # type: ignore[no-untyped-def]
    """One output pixel from its taps; returns whether it is observed."""
    bands, height, width = image.shape
    held = 0.0
    complete = True
    for a in range(nr):
        y = top + a
        for b in range(nc):
            w = wr[a] * wc[b]
            x = left + b
            if 0 <= y < height and 0 <= x < width and observed[y, x]:
                held += w
            elif abs(w) > NEGLIGIBLE:
                return False
            else:
                complete = False
    for band in range(bands):
        total = 0.0
        for a in range(nr):
            y = top + a
            for b in range(nc):
                x = left + b
                if complete or (0 <= y < height and 0 <= x < width and observed[y, x]):
                    total += wr[a] * wc[b] * image[band, y, x]
        if not math.isfinite(total):
            return False
        out[band, i, j] = total if complete else total / held
    return True


@numba.njit(nogil=True, cache=True, inline="always")
def _keys(t):  # type: ignore[no-untyped-def]
    """The four weights of Keys' cubic (a = -0.5) at a fraction t of a pixel."""
    return (
        t * (t * (1.0 - 0.5 * t) - 0.5),
        1.0 + t * t * (1.5 * t - 2.5),
        t * (0.5 + t * (2.0 - 1.5 * t)),
        t * t * (0.5 * t - 0.5),
    )


@numba.njit(nogil=True, cache=True)
def _cubic_run(image, observed, top, left, fr, fc, out, seen, weights, total):  # type: ignore[no-untyped-def]
    """The common case in fewer steps, many pixels at a time: cubic, the pixels of a run (n,) one source pixel
    apart, all taps inside the image. `top`, `left`: the first one's pixel in it; `fr`, `fc`: (n,) fractions.
    Fills `out` (band, n) and `seen` (n,) where all taps were observed. `weights` (8, n), `total` (n,): room.
    """
    count = len(fr)
    for n in range(count):
        weights[0, n], weights[1, n], weights[2, n], weights[3, n] = _keys(fc[n])
        weights[4, n], weights[5, n], weights[6, n], weights[7, n] = _keys(fr[n])
        seen[n] = True
    for y in range(4):
        for x in range(4):
            line = observed[top - 1 + y, left - 1 + x : left - 1 + x + count]
            for n in range(count):
                seen[n] &= line[n]
    a, b, c, d = weights[0], weights[1], weights[2], weights[3]
    for band in range(image.shape[0]):
        total[:count] = 0.0
        for y in range(4):
            line, w = image[band, top - 1 + y, left - 1 : left + 2 + count], weights[4 + y]
            for n in range(count):
                total[n] += w[n] * (
                    a[n] * line[n] + b[n] * line[n + 1] + c[n] * line[n + 2] + d[n] * line[n + 3]
                )
        filled = out[band]
        for n in range(count):
            filled[n] = total[n]
            seen[n] &= math.isfinite(total[n])


@numba.njit(nogil=True, cache=True)
def _positions(node_rows, node_cols, grid_row, grid_col, i, rows, cols):  # type: ignore[no-untyped-def]
    """Where a line of the grid lies in the source, between the nodes of the mapping."""
    last_i, last_j = node_rows.shape[0] - 1, node_rows.shape[1] - 1
    gi = (grid_row + i) // STEP
    fi = (grid_row + i - gi * STEP) / STEP
    gi1 = min(gi + 1, last_i)
    for j in range(len(rows)):
        gj = (grid_col + j) // STEP
        fj = (grid_col + j - gj * STEP) / STEP
        gj1 = min(gj + 1, last_j)
        upper = node_rows[gi, gj] + fj * (node_rows[gi, gj1] - node_rows[gi, gj])
        lower = node_rows[gi1, gj] + fj * (node_rows[gi1, gj1] - node_rows[gi1, gj])
        rows[j] = upper + fi * (lower - upper)
        upper = node_cols[gi, gj] + fj * (node_cols[gi, gj1] - node_cols[gi, gj])
        lower = node_cols[gi1, gj] + fj * (node_cols[gi1, gj1] - node_cols[gi1, gj])
        cols[j] = upper + fi * (lower - upper)


@numba.njit(nogil=True, cache=True)
def _run_end(rows, cols, start, row0, col0, height, width):  # type: ignore[no-untyped-def]
    """Where the run of plain pixels (see `_cubic_run`) from `start` on ends; `start` itself if there is none.

    `rows`, `cols`: (n,) places; the image's first pixel is `row0`, `col0`, and it is `height` by `width`.
    """
    if not (math.isfinite(rows[start]) and math.isfinite(cols[start])):
        return start
    top, left, j = math.floor(rows[start]), math.floor(cols[start]), start
    if top - row0 < 1 or top - row0 + 2 >= height:
        return start
    while j < len(rows):
        fr, at = rows[j] - top, left + j - start
        fc = cols[j] - at
        if at - col0 < 1 or at - col0 + 2 >= width:
            break
        if not (SNAP <= fr <= 1.0 - SNAP and SNAP <= fc <= 1.0 - SNAP):
            break
        j += 1
    return j


@numba.njit(nogil=True, cache=True)
def _resample(  # type: ignore[no-untyped-def]
    image,
    observed,
    row0,
    col0,
    node_rows,
    node_cols,
    grid_row,
    grid_col,
    kernel,
    scale_row,
    scale_col,
    out,
    seen,
):
    bands, height, width = out.shape
    wr = np.empty(2 * math.ceil(max(kernel, 1) * scale_row) + 2)
    wc = np.empty(2 * math.ceil(max(kernel, 1) * scale_col) + 2)
    plain = kernel == 2 and scale_row == 1.0 and scale_col == 1.0
    rows, cols, total, weights = np.empty(width), np.empty(width), np.empty(width), np.empty((8, width))
    for i in range(height):
        _positions(node_rows, node_cols, grid_row, grid_col, i, rows, cols)
        j = 0
        while j < width:
            end = _run_end(rows, cols, j, row0, col0, *observed.shape) if plain else j
            if end > j:
                top, left = math.floor(rows[j]), math.floor(cols[j])
                _cubic_run(
                    image, observed, top - row0, left - col0, rows[j:end] - top,
                    cols[j:end] - left - np.arange(end - j), out[:, i, j:end], seen[i, j:end], weights, total,
                )  # fmt: skip
            for k in range(j, max(end, j + 1)):
                if seen[i, k]:
                    continue
                if math.isfinite(rows[k]) and math.isfinite(cols[k]):
                    top, nr = _taps(rows[k], kernel, scale_row, wr)
                    left, nc = _taps(cols[k], kernel, scale_col, wc)
                    seen[i, k] = _gather(image, observed, top - row0, left - col0, wr, nr, wc, nc, out, i, k)
                if not seen[i, k]:
                    for band in range(bands):
                        out[band, i, k] = np.nan
            j = max(end, j + 1)
