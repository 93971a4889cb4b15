"""What a result looks like on a screen: both dates in one stretch, what was not seen, how likely change is.

All is read decimated (from the overviews of the COGs), so memory is that of the picture, not of the image.
Arrays are pixel-is-area, north up, like the files they come from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.transform import from_bounds
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from pipeline.errors import SourceUnreadableError

UNOBSERVED = 255  # in change.tif
GREY = 176  # shade of what an image does not show
_PERCENTILES = (0.5, 99.5)
_ENOUGH = 250_000  # pixels of each image that the percentiles are taken of
_HEADROOM = 0.06  # of the span: bright roofs are what people look for, and should not burn out

_SHADES = (np.linspace(0, 1, 4096) ** (1 / 1.15) * 255).round().astype(np.uint8)

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Bands:
    """Which bands (1-based) are shown as red, green, blue, and what such a picture is called."""

    indexes: tuple[int, int, int]
    label: str


@dataclass(frozen=True)
class Stretch:
    """Values shown as black and as white, one pair for each of red, green, blue; shape (3,)."""

    low: Floats
    high: Floats

    def __call__(self, values: Floats) -> Bytes:
        """(3, y, x) physical values to (y, x, 3) uint8; NaN becomes grey."""
        steps = np.float32(len(_SHADES) - 1) / np.maximum(self.high - self.low, np.float32(1e-9))
        rgb = np.empty((*values.shape[1:], 3), np.uint8)
        for band, (shades, low, step) in enumerate(zip(values, self.low, steps, strict=True)):
            scaled = np.clip((shades - low) * step, 0, len(_SHADES) - 1)
            seen = ~np.isnan(scaled)
            rgb[..., band] = np.where(seen, _SHADES[np.where(seen, scaled, 0).astype(np.uint16)], GREY)
        return rgb

    def in_steps(self) -> Stretch:
        """Widened to the next steps, of which some forty make the span."""
        step = np.exp2(np.floor(np.log2(np.maximum(self.high - self.low, np.float32(1e-9)))) - 5)
        return Stretch(np.floor(self.low / step) * step, np.ceil(self.high / step) * step)


@dataclass(frozen=True)
class Comparison:
    """Both dates of a result folder, ready to be shown.

    before, after: (y, x, 3) uint8; unobserved: (y, x) bool, not observed on both dates; percent: (y, x)
    uint8, probability of change, 0 where unobserved. `bounds` is west, south, east, north of the outer pixel
    edges in `crs`; `full_shape` is that of the files, of which the pictures may be a reduction.
    """

    before: Bytes
    after: Bytes
    unobserved: NDArray[np.bool_]
    percent: Bytes
    bounds: tuple[float, float, float, float]
    crs: Any
    full_shape: tuple[int, int]
    bands: Bands
    stretch: Stretch

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows of the pictures."""
        return self.before.shape[1], self.before.shape[0]


def fitted(rows: int, cols: int, limit: int) -> tuple[int, int]:
    """A shape of the same proportions with no side longer than `limit`, and never enlarged."""
    factor = min(1.0, limit / max(rows, cols))
    return max(1, round(rows * factor)), max(1, round(cols * factor))


def display_bands(names: Sequence[str | None]) -> Bands:
    """True colour where red, green and blue are there; else near infrared, red, green; else what there is."""
    at = {name.lower(): i for i, name in enumerate(names, start=1) if name}
    for wanted, label in (
        (("red", "green", "blue"), "true colour"),
        (("nir", "red", "green"), "false colour"),
    ):
        if all(name in at for name in wanted):
            note = label if label == "true colour" else "false colour: near infrared, red, green"
            return Bands((at[wanted[0]], at[wanted[1]], at[wanted[2]]), note)
    if len(names) >= 3 and not any(names):
        return Bands((1, 2, 3), "first three bands")
    grey = next((at[name] for name in ("pan", "red", "green") if name in at), 1)
    return Bands((grey, grey, grey), f"grey: {names[grey - 1] or 'one band'}")


def read_physical(
    path: Path, indexes: Sequence[int], shape: tuple[int, int], window: Window | None = None
) -> Floats:
    """(band, y, x) float32 of `shape`: counts * scale + offset averaged down, NaN where not observed."""
    with _opened(path) as source:
        return _physical(source, source, indexes, shape, window)


def read_onto(
    path: Path, indexes: Sequence[int], shape: tuple[int, int], crs: Any, bounds: tuple[float, ...]
) -> Floats:
    """As `read_physical`, of the ground within `bounds` (west, south, east, north in `crs`), whatever grid
    the file is on; NaN outside it.
    """
    with _opened(path) as source:
        if source.crs == crs and tuple(source.bounds) == bounds:
            return _physical(source, source, indexes, shape)
        rows, cols = shape
        grid = {"crs": crs, "transform": from_bounds(*bounds, cols, rows), "width": cols, "height": rows}
        with WarpedVRT(source, resampling=Resampling.average, **grid) as warped:
            return _physical(warped, source, indexes, shape)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with rasterio.open(path) as source:
            yield source
    except rasterio.errors.RasterioError as error:
        raise SourceUnreadableError(
            f"{path}: cannot be read ({error}); run again to write it anew"
        ) from error


def _physical(
    pixels: Any, source: Any, indexes: Sequence[int], shape: tuple[int, int], window: Window | None = None
) -> Floats:
    """Of `pixels`, which are those of `source` or a warp of them, which has no scale of its own."""
    wanted = {"out_shape": (len(indexes), *shape), "window": window, "resampling": Resampling.average}
    if source.nodata is None:
        masked = pixels.read(list(indexes), masked=True, **wanted)
        data, unseen = masked.data, np.ma.getmaskarray(masked)
    else:  # which averages leave out, so that no mask need be read and reduced beside the values
        data = pixels.read(list(indexes), **wanted)
        unseen = np.isnan(data) if np.isnan(source.nodata) else data == source.nodata
    scales = np.array([source.scales[i - 1] for i in indexes], np.float32)
    offsets = np.array([source.offsets[i - 1] for i in indexes], np.float32)
    values = data.astype(np.float32) * scales[:, None, None] + offsets[:, None, None]
    return np.where(unseen, np.float32("nan"), values)


def common_stretch(images: Sequence[Floats]) -> Stretch:
    """One stretch for all images, from percentiles of what they show together; (3, y, x) each.

    Of large images every so many rows and columns are taken.
    """
    pooled = np.concatenate([_sample(image).reshape(3, -1) for image in images], axis=1)
    pooled = pooled[:, ~np.isnan(pooled).any(axis=0)]
    if pooled.shape[1] == 0:
        return Stretch(np.zeros(3, np.float32), np.ones(3, np.float32))
    low, high = np.percentile(pooled, _PERCENTILES, axis=1).astype(np.float32)
    return Stretch(low, high + np.float32(_HEADROOM) * (high - low))


def _sample(image: Floats) -> Floats:
    step = max(1, int(np.sqrt(image[0].size / _ENOUGH)))
    return image[:, ::step, ::step]


SIDE = 2000  # pixels a side of what pages and figures are made of, at most


def read_comparison(folder: Path, limit: int = SIDE) -> Comparison:
    """Read before.tif, after.tif and change.tif of a result folder, at most `limit` pixels a side.

    Raises SourceUnreadableError, which names the file, where one is missing or damaged.
    """
    try:
        with rasterio.open(folder / "before.tif") as source:
            shape, bands = fitted(source.height, source.width, limit), display_bands(source.descriptions)
            full_shape, bounds, crs = (source.height, source.width), tuple(source.bounds), source.crs
        with rasterio.open(folder / "change.tif") as source:
            unobserved = source.read(1, out_shape=shape, resampling=Resampling.nearest) == UNOBSERVED
    except rasterio.errors.RasterioIOError as error:
        raise SourceUnreadableError(f"{folder}: not a whole result ({error}); run again") from error
    images = [read_physical(folder / name, bands.indexes, shape) for name in ("before.tif", "after.tif")]
    percent = np.nan_to_num(read_physical(folder / "change.tif", [1], shape)[0])
    stretch = common_stretch(images)
    return Comparison(
        before=stretch(images[0]),
        after=stretch(images[1]),
        unobserved=unobserved,
        percent=np.where(unobserved, 0, np.clip(percent, 0, 100)).astype(np.uint8),
        bounds=bounds,
        crs=crs,
        full_shape=full_shape,
        bands=bands,
        stretch=stretch,
    )


HATCHING = np.array([(0, 0, 0, 0), (255, 255, 255, 70), (30, 30, 30, 190)], np.uint8)
"""RGBA of what was observed, of the pale veil over what was not, and of the dark lines on it."""


def hatch_steps(mask: NDArray[np.bool_], spacing: int = 9) -> Bytes:
    """(y, x) indexes of `HATCHING`: diagonal lines on a veil where `mask`."""
    rows, cols = (np.arange(size) for size in mask.shape)
    line = (rows[:, None] + cols) % spacing < 2
    return np.where(mask, np.where(line, np.uint8(2), np.uint8(1)), np.uint8(0))


def hatch(mask: NDArray[np.bool_]) -> Bytes:
    """(y, x, 4) RGBA: hatched where `mask`, transparent elsewhere."""
    return np.asarray(HATCHING[hatch_steps(mask)])
