"""Which bands are matched, and those images averaged down for a first look."""

from __future__ import annotations

import dask.array as da
import numba
import numpy as np
import xarray as xr
from numpy.typing import NDArray
from odc.geo.xr import xr_coords

from pipeline.errors import BandError

Planes = NDArray[np.float32]

VISIBLE = ("pan", "blue", "green", "red")


def channels(before: xr.Dataset, after: xr.Dataset) -> tuple[xr.DataArray, xr.DataArray]:
    """Both images, lazily, as what is matched: float32 (band, y, x), the mean of the visible bands, and near
    infrared; NaN where not observed.

    The two dates need not have the same bands: a panchromatic image matches a coloured one. Where no band is
    known to be visible or near infrared, all bands in common are averaged. Raises BandError where there is
    none.
    """
    names = [[str(name) for name in image["band"].values] for image in (before, after)]
    groups = [
        chosen
        for kind in (VISIBLE, ("nir",))
        if all(chosen := [[name for name in have if name in kind] for have in names])
    ]
    if not groups:
        common = [name for name in names[0] if name in names[1]]
        if not common:
            raise BandError(
                f"no band in common to align on: {names[0]} before, {names[1]} after; name them alike"
            )
        groups = [[common, common]]
    first, second = (
        _means(image["image"], [[names[date].index(name) for name in group[date]] for group in groups])
        for date, image in enumerate((before, after))
    )
    return first, second


def _means(image: xr.DataArray, groups: list[list[int]]) -> xr.DataArray:
    """One plane a group of bands; Load makes an image NaN in all bands where it was not observed."""
    pixels = image.data.rechunk({0: -1})
    planes = da.map_blocks(
        _mean_planes, pixels, groups, dtype=np.float32, chunks=((len(groups),), *pixels.chunks[1:])
    )
    return xr.DataArray(planes, dims=("band", "y", "x"), coords=xr_coords(image.odc.geobox, dims=("y", "x")))


def _mean_planes(pixels: Planes, groups: list[list[int]]) -> Planes:
    return np.stack([pixels[group].mean(axis=0) for group in groups])


def decimate(image: xr.DataArray, factor: int) -> xr.DataArray:
    """Means over `factor` x `factor` delivered pixels, lazily; observed where at least half of them are."""
    if factor == 1:
        return image
    rows, cols = (int(size) // factor * factor for size in image.shape[1:])
    pixels = image.data[:, :rows, :cols]
    if any(size % factor for chunks in pixels.chunks[1:] for size in chunks):
        tile = factor * max(1, 1024 // factor)
        pixels = pixels.rechunk((-1, tile, tile))
    chunks = (pixels.chunks[0], *(tuple(n // factor for n in axis) for axis in pixels.chunks[1:]))
    mean = da.map_blocks(_block_means, pixels, factor, dtype=np.float32, chunks=chunks)
    grid = image.odc.geobox[:rows, :cols].zoom_out(factor)
    return xr.DataArray(mean, dims=("band", "y", "x"), coords=xr_coords(grid, dims=("y", "x")))


@numba.njit(nogil=True, cache=True)
def _block_means(pixels, factor):  # type: ignore[no-untyped-def]
    bands, height, width = pixels.shape
    mean = np.full((bands, height // factor, width // factor), np.nan, np.float32)
    total, known = (
        np.empty(width),
        np.empty(width, np.int32),
    )  # of the rows of a line of cells, column by column
    for b in range(bands):
        for i in range(mean.shape[1]):
            total[:], known[:] = 0.0, 0
            for k in range(i * factor, (i + 1) * factor):
                line = pixels[b, k]
                for x in range(width):
                    held = np.isfinite(line[x])
                    total[x] += line[x] if held else 0.0
                    known[x] += 1 if held else 0
            for j in range(mean.shape[2]):
                own = slice(j * factor, (j + 1) * factor)
                count = known[own].sum()
                if 2 * count >= factor * factor:
                    mean[b, i, j] = total[own].sum() / count
    return mean
