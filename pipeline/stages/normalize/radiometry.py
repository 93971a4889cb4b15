"""The result of the stage: a gain and an offset a band, each of which may vary slowly over the scene."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import dask.array as da
import numba
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from pipeline.stages.normalize.surface import scaled

Method = Literal["ir-mad", "robust-regression", "median-shift", "none"]
Floats = NDArray[np.float64]
_RESIDUALS = (
    "RMS of before - after where nothing changed, in the images' values: as delivered, with gain and offset"
    " alone, and finally (with the surface, where there is one)"
)


@dataclass(frozen=True)
class SurfaceNote:
    """What the smooth surface of one band amounts to.

    Orders are total degrees of the polynomial (0: none). `amplitude` is half the additive part's range over
    the scene, in the image's values, `share` the same over the spread of the before image's band,
    `gain_amplitude` half the range of the gain.
    """

    order: int
    gain_order: int
    amplitude: float
    share: float
    gain_amplitude: float


@dataclass(frozen=True, eq=False)
class Radiometry:
    """after_normalised = gain(row, col) * after + offset(row, col), a band.

    `gains`, `offsets`: (band, 4, 4) float64, coefficients of v^i u^j, with v and u the row and the column of
    the grid `shape` scaled to -1..1. `gain`, `offset`: their means over the scene.

    Residuals are RMS of before - after on pixels held to be unchanged, each measured with a fit that left
    out its part of the scene (which pixels are unchanged is judged with all): as delivered, after gain and
    offset alone, and after all. With method `median-shift` or `none` they are of the fit itself.
    """

    bands: tuple[str, ...]
    shape: tuple[int, int]
    gains: Floats
    offsets: Floats
    gain: tuple[float, ...]
    offset: tuple[float, ...]
    method: Method
    reason: str  # why this method, in a sentence
    surfaces: tuple[SurfaceNote | None, ...]
    surface_reason: str
    unchanged_share: float
    left_out: Mapping[str, float]  # share of the sample by reason
    residual_delivered: tuple[float, ...]
    residual_gain_offset: tuple[float, ...]
    residual_final: tuple[float, ...]

    def apply(self, image: xr.Dataset) -> xr.Dataset:
        """The image on the whole grid (lazily) with its bands normalised, matched by name; NaN stays NaN."""
        order = [self.bands.index(str(name)) for name in image["band"].values]
        values = image["image"].transpose("band", "y", "x")
        data = da.asarray(values.data).rechunk({0: -1})
        rows, cols = (
            da.from_array(np.arange(size, dtype=np.float64), chunks=chunks)
            for size, chunks in zip(self.shape, data.chunks[1:], strict=True)
        )
        done = da.blockwise(
            self._at, "byx", data, "byx", rows, "y", cols, "x", order=order, dtype=np.float32,
            meta=np.empty((0, 0, 0), np.float32),
        )  # fmt: skip
        return image.assign(image=values.copy(data=done))

    def apply_array(self, values: NDArray[np.float32], rows: slice, cols: slice) -> NDArray[np.float32]:
        """The block (band, y, x) float32 at rows and cols of the grid, bands in the order of `bands`.

        Each value depends on its own place only, so any cutting into blocks gives the same bits.
        """
        row, col = (np.arange(part.start, part.stop, dtype=np.float64) for part in (rows, cols))
        return self._at(values, row, col, list(range(len(self.bands))))

    def _at(
        self, values: NDArray[np.float32], rows: Floats, cols: Floats, order: list[int]
    ) -> NDArray[np.float32]:
        v, u = (scaled(part, size) for part, size in zip((rows, cols), self.shape, strict=True))
        out: NDArray[np.float32] = _apply(
            np.asarray(values, np.float32), self.gains[order], self.offsets[order], v, u
        )
        return out

    def as_dict(self) -> dict[str, Any]:
        """As in run.json."""
        return {
            "method": self.method,
            "reason": self.reason,
            "surface": self.surface_reason,
            "unchanged_share": self.unchanged_share,
            "left_out": dict(self.left_out),
            "residuals": _RESIDUALS,
            "bands": {name: self._band(i) for i, name in enumerate(self.bands)},
        }

    def _band(self, band: int) -> dict[str, Any]:
        note = self.surfaces[band]
        return {
            "gain": self.gain[band],
            "offset": self.offset[band],
            "surface": None if note is None else vars(note).copy(),
            "residual_delivered": self.residual_delivered[band],
            "residual_gain_offset": self.residual_gain_offset[band],
            "residual_final": self.residual_final[band],
        }


@numba.njit(nogil=True, cache=True)
def _apply(values, gains, offsets, v, u):  # type: ignore[no-untyped-def]
    """Horner's rule down a row, then along it; no sum runs over pixels."""
    out = np.empty(values.shape, np.float32)
    for band in range(values.shape[0]):
        for i in range(values.shape[1]):
            t = v[i]
            g, o = gains[band], offsets[band]
            g0 = ((g[3, 0] * t + g[2, 0]) * t + g[1, 0]) * t + g[0, 0]
            g1 = ((g[3, 1] * t + g[2, 1]) * t + g[1, 1]) * t + g[0, 1]
            g2 = ((g[3, 2] * t + g[2, 2]) * t + g[1, 2]) * t + g[0, 2]
            g3 = ((g[3, 3] * t + g[2, 3]) * t + g[1, 3]) * t + g[0, 3]
            o0 = ((o[3, 0] * t + o[2, 0]) * t + o[1, 0]) * t + o[0, 0]
            o1 = ((o[3, 1] * t + o[2, 1]) * t + o[1, 1]) * t + o[0, 1]
            o2 = ((o[3, 2] * t + o[2, 2]) * t + o[1, 2]) * t + o[0, 2]
            o3 = ((o[3, 3] * t + o[2, 3]) * t + o[1, 3]) * t + o[0, 3]
            for j in range(values.shape[2]):
                s = u[j]
                gain = ((g3 * s + g2) * s + g1) * s + g0
                offset = ((o3 * s + o2) * s + o1) * s + o0
                out[band, i, j] = np.float32(gain * values[band, i, j] + offset)
    return out
