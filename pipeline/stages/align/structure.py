"""What of an image is matched: few channels, each standardised locally, so that light, season and sensor matter less."""

from __future__ import annotations

import dask.array as da
import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from pipeline.errors import BandError

VISIBLE = ("pan", "blue", "green", "red")
RADIUS = 12  # pixels; the box over which the local mean and deviation are taken reaches this far
CLIP = 3.0  # local deviations; what stands out more (cloud edges, roofs in the sun) says no more than that
RELATIVE_NOISE = 0.01  # of the local mean: texture fainter than this is noise


def channels(before: xr.Dataset, after: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    """Both images, lazily, as the channels (dim `band`) that are matched: the mean of the visible, and near infrared.

    The two dates need not have the same bands: a panchromatic image matches a coloured one. Where no band is known to
    be visible or near infrared, all bands in common are averaged. Raises BandError where there is none.
    """
    groups = []
    names = [[str(name) for name in image["band"].values] for image in (before, after)]
    for group in (VISIBLE, ("nir",)):
        chosen = [[name for name in have if name in group] for have in names]
        if all(chosen):
            groups.append(chosen)
    if not groups:
        common = [name for name in names[0] if name in names[1]]
        if not common:
            raise BandError(
                f"no band in common to align on: {names[0]} before, {names[1]} after; name them alike"
            )
        groups = [[common, common]]
    first, second = (
        _reduce(image, [group[date] for group in groups]) for date, image in enumerate((before, after))
    )
    return first, second


def _reduce(image: xr.Dataset, groups: list[list[str]]) -> xr.Dataset:
    means = [image["image"].sel(band=group).data.mean(axis=0, dtype=np.float32) for group in groups]
    return xr.Dataset(
        {"image": (("band", "y", "x"), da.stack(means)), "observed": image["observed"]},
        coords={name: image.coords[name] for name in image.coords if name != "band"}
        | {"band": [str(k) for k in range(len(groups))]},
    )


def standardise(image: NDArray[np.float32], observed: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(band, y, x) minus its local mean over its local deviation, clipped, zero where not observed.

    Mean and deviation are of observed pixels only, so a hole neither attracts nor repels.
    """
    share = np.maximum(_box(observed.astype(np.float32)), 1e-6)
    out = np.zeros_like(image)
    for band, plane in enumerate(image):
        values = np.where(observed, plane, 0)
        level = values.sum(dtype=np.float64) / max(int(observed.sum()), 1)
        values -= np.where(observed, np.float32(level), 0)  # keeps float32 sums of squares exact enough
        mean = _box(values) / share
        variance = np.maximum(_box(values**2) / share - mean**2, 0)
        floor = (RELATIVE_NOISE * np.abs(mean + level)) ** 2 + 1e-20
        out[band] = np.where(observed, np.clip((values - mean) / np.sqrt(variance + floor), -CLIP, CLIP), 0)
    return out


def _box(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    filtered: NDArray[np.float32] = uniform_filter(plane, 2 * RADIUS + 1, mode="constant")
    return filtered


def decimate(image: xr.Dataset, factor: int) -> xr.Dataset:
    """Means over `factor` x `factor` delivered pixels, lazily; observed where at least half of them are."""
    if factor == 1:
        return image
    rows, cols = (int(size) // factor * factor for size in image["observed"].shape)
    part = image.isel(y=slice(rows), x=slice(cols))
    tile = factor * max(1, 1024 // factor)
    observed = part["observed"].data.rechunk((tile, tile))
    values = part["image"].data.rechunk((-1, tile, tile))
    known = da.coarsen(np.sum, observed.astype(np.float32), {0: factor, 1: factor})
    total = da.coarsen(np.sum, da.where(observed, values, np.float32(0)), {1: factor, 2: factor})
    mean = (total / da.maximum(known, 1)).astype(np.float32)
    grid = image.odc.geobox[:rows, :cols].zoom_out(factor)
    seen = known >= factor * factor / 2
    from odc.geo.xr import xr_coords

    return xr.Dataset(
        {
            "image": (("band", "y", "x"), da.where(seen, mean, np.float32(np.nan))),
            "observed": (("y", "x"), seen),
        },
        coords={"band": image["band"].values, **xr_coords(grid, dims=("y", "x"))},
    )
