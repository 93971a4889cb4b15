"""What the rasters of a result hold, and how they are read again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numba import njit
from numpy.typing import NDArray
from rasterio.windows import Window

from pipeline.pair import Float, Pair

GDAL_TYPES = {
    "uint8": "Byte",
    "int8": "Int8",
    "uint16": "UInt16",
    "int16": "Int16",
    "uint32": "UInt32",
    "int32": "Int32",
    "float32": "Float32",
    "float64": "Float64",
}


@dataclass(frozen=True)
class RasterSpec:
    """What one raster of a result holds. Physical value = stored value * scale + offset."""

    name: str
    bands: tuple[str, ...]
    dtype: str
    nodata: float
    scale: float = 1.0
    offset: float = 0.0
    overviews: str = "average"
    tags: Mapping[str, str] = field(default_factory=dict)

    def encode(self, image: Float) -> NDArray[Any]:
        """Physical values (band, y, x), NaN where unobserved, as stored: rounded, clipped to the type,
        never the nodata.
        """
        if np.dtype(self.dtype).kind == "f":
            return image.astype(self.dtype)
        info = np.iinfo(self.dtype)
        low = info.min + (self.nodata == info.min)
        high = info.max - (self.nodata == info.max)
        out = np.empty(image.shape, self.dtype)
        _encode(
            image, np.float32(self.scale), np.float32(self.offset), float(low), float(high), self.nodata, out
        )
        return out

    def decode(self, stored: NDArray[Any]) -> Float:
        """Physical values of what is stored, NaN where unobserved."""
        return _physical(stored, self.scale, self.offset, self.nodata)


def image_spec(
    name: str, attrs: Mapping[str, Any], bands: tuple[str, ...], tags: Mapping[str, str]
) -> RasterSpec:
    """How an image is written: in the type it was delivered in, with a nodata value even where it came with
    none.
    """
    dtype, nodata = str(attrs["dtype"]), attrs["nodata"]
    if dtype not in GDAL_TYPES or np.dtype(dtype).kind == "f":
        return RasterSpec(name, bands, "float32", float("nan"), tags=tags)
    if nodata is None or not _fits(nodata, dtype):
        nodata = np.iinfo(dtype).min
    return RasterSpec(
        name, bands, dtype, float(nodata), float(attrs["scale"]), float(attrs["offset"]), tags=tags
    )


def _fits(nodata: float, dtype: str) -> bool:
    info = np.iinfo(dtype)
    return not np.isnan(nodata) and info.min <= nodata <= info.max and float(nodata).is_integer()


@dataclass(frozen=True)
class PairReader:
    """Windows of both dates of a result, as physical values."""

    before: Path
    after: Path

    def __call__(self, rows: slice, cols: slice) -> Pair:
        """The window as a Pair; rows and columns lie inside the grid."""
        return Pair.of(_read(self.before, rows, cols), _read(self.after, rows, cols))


def _read(path: Path, rows: slice, cols: slice) -> Float:
    window = Window(cols.start, rows.start, cols.stop - cols.start, rows.stop - rows.start)
    with rasterio.open(path) as file:
        return _physical(file.read(window=window), file.scales[0], file.offsets[0], file.nodata)


def _physical(stored: NDArray[Any], scale: float, offset: float, nodata: float) -> Float:
    out = np.empty(stored.shape, np.float32)
    _decode(stored, np.float32(scale), np.float32(offset), nodata, out)
    return out


@njit(nogil=True, cache=True)
def _encode(
    image: Float, scale: Any, offset: Any, low: float, high: float, nodata: float, out: NDArray[Any]
) -> None:  # pragma: no cover
    for b in range(image.shape[0]):
        for i in range(image.shape[1]):
            for j in range(image.shape[2]):
                value = image[b, i, j]
                if np.isnan(value):
                    out[b, i, j] = nodata
                    continue
                stored = min(max(float(np.rint((value - offset) / scale)), low), high)
                if stored == nodata:
                    stored += 1.0
                out[b, i, j] = stored


@njit(nogil=True, cache=True)
def _decode(
    stored: NDArray[Any], scale: Any, offset: Any, nodata: float, out: Float
) -> None:  # pragma: no cover
    for b in range(stored.shape[0]):
        for i in range(stored.shape[1]):
            for j in range(stored.shape[2]):
                value = stored[b, i, j]
                out[b, i, j] = np.nan if value == nodata else np.float32(value) * scale + offset
