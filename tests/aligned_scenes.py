"""Small made scenes with an exactly known shift, for the tests of warp and alignment."""

from __future__ import annotations

from collections.abc import Callable

import dask.array as da
import numpy as np
import xarray as xr
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from odc.geo.xr import xr_coords
from scipy.ndimage import gaussian_filter, map_coordinates

Floats = NDArray[np.float64]
Shift = Callable[[Floats, Floats], tuple[Floats, Floats]]
PAD = 64


def grid_of(rows: int, cols: int, resolution: float = 0.5, crs: str = "EPSG:32637") -> GeoBox:
    return GeoBox((rows, cols), Affine(resolution, 0, 679000.0, 0, -resolution, 3811500.0), crs)


def image_of(
    values: NDArray[np.float32],
    grid: GeoBox,
    observed: NDArray[np.bool_] | None = None,
    bands: tuple[str, ...] = ("red", "nir"),
    chunk: int | tuple[int, int] = 100,
) -> xr.Dataset:
    """An Image as load makes it: lazy, NaN where not observed."""
    seen = np.ones(values.shape[1:], np.bool_) if observed is None else observed
    chunks = (chunk, chunk) if isinstance(chunk, int) else chunk
    return xr.Dataset(
        {
            "image": (
                ("band", "y", "x"),
                da.from_array(np.where(seen, values, np.nan).astype(np.float32), chunks=(1, *chunks)),
            ),
            "observed": (("y", "x"), da.from_array(seen, chunks=chunks)),
        },
        coords={"band": list(bands), **xr_coords(grid, dims=("y", "x"))},
    )


class Ground:
    """A seeded ground of two bands, with edges and texture, to be looked at anywhere: `at(row, col)`."""

    def __init__(self, size: int, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.size = size
        full = size + 2 * PAD
        texture = sum(
            gaussian_filter(rng.normal(size=(2, full, full)), (0, s, s)) * s for s in (1.0, 3.0, 9.0)
        )
        self.planes = 0.3 + 0.04 * np.asarray(texture)
        for _ in range(full * full // 900):
            self._roof(rng)
        self.planes = gaussian_filter(self.planes, (0, 0.9, 0.9))

    def _roof(self, rng: np.random.Generator) -> None:
        top, left = rng.integers(0, self.planes.shape[1] - 16, 2)
        height, width = rng.integers(4, 16, 2)
        self.planes[:, top : top + height, left : left + width] += rng.normal(0, 0.12)

    def at(self, row: Floats, col: Floats) -> NDArray[np.float32]:
        values = [map_coordinates(p, [row + PAD, col + PAD], order=5, mode="reflect") for p in self.planes]
        return np.stack(values).astype(np.float32)


def pair(ground: Ground, shift: Shift, seed: int = 1) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Before and after: what is at (row, col) before is at (row, col) + shift(row, col) after; both noisy."""
    rng = np.random.default_rng(seed)
    row, col = (a.astype(np.float64) for a in np.mgrid[: ground.size, : ground.size])
    source_row, source_col = row, col
    for _ in range(10):
        drow, dcol = shift(source_row, source_col)
        source_row, source_col = row - drow, col - dcol
    before, after = ground.at(row, col), ground.at(source_row, source_col)
    noise = rng.normal(0, 0.004, (2, *before.shape)).astype(np.float32)
    return before + noise[0], after + noise[1]
