"""Images that are xarray arrays, whatever loaded them (rioxarray, odc-stac, ...), brought to one form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import rasterio
import xarray as xr
from odc.geo.geobox import GeoBox
from rasterio.windows import Window

from pipeline.compute import compute
from pipeline.errors import BandError, GeoreferenceError
from pipeline.outputs.files import replacing

_TYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32")
_TILE = 512
_ROWS = 1024  # written at a time


@dataclass(frozen=True, eq=False)
class Banded:
    """An image (band, y, x) of any number type, NumPy or Dask, on `grid`.

    `names`: of its bands, as far as the array says any. `nodata`, `scale`, `offset`: as its attributes say.
    """

    pixels: xr.DataArray
    grid: GeoBox
    names: tuple[str, ...] | None
    nodata: float | None
    scale: float | None
    offset: float | None
    day: str | None
    made: bool

    @classmethod
    def of(cls, image: xr.DataArray | xr.Dataset, name: str) -> Banded:
        """`image`: (band, y, x) in any order, or (y, x), on a grid that `.odc.geobox` understands; or a
        Dataset with a variable a band, as odc-stac gives it. A `time` of one step is no axis. `name` is for
        messages.

        Names are those of the band axis, or the `long_name` of its attributes, as rioxarray gives it. Raises
        GeoreferenceError, or BandError for more axes than one beside those in space.
        """
        array = _joined(image)
        grid = array.odc.geobox
        if not isinstance(grid, GeoBox) or grid.crs is None:
            raise GeoreferenceError(
                f"the array {name} has no georeference; write one with .odc.assign_crs or .rio.write_crs"
            )
        spatial = array.odc.spatial_dims
        others = [str(dim) for dim in array.dims if dim not in spatial]
        if len(others) > 1:
            raise BandError(
                f"the array {name} has the axes {', '.join(others)} beside {' and '.join(spatial)};"
                " choose one image, e.g. .isel(time=0)"
            )
        axis = others[0] if others else "band"
        bands = (array if others else array.expand_dims(axis)).transpose(axis, *spatial)
        nodata, scale, offset = array.odc.nodata, *map(array.attrs.get, ("scale_factor", "add_offset"))
        return cls(
            pixels=bands,
            grid=grid,
            names=_names(bands, axis),
            nodata=None if nodata is None else float(nodata),
            scale=None if scale is None else float(scale),
            offset=None if offset is None else float(offset),
            day=_day(array),
            made=bool(array.attrs.get("made", False)),
        )


def _joined(image: xr.DataArray | xr.Dataset) -> xr.DataArray:
    """Variables as bands, with the attributes of the first one; without an axis for a single time."""
    if isinstance(image, xr.DataArray):
        array = image
    else:
        attrs = next(iter(image.data_vars.values())).attrs if image.data_vars else {}
        array = image.to_dataarray("band").assign_attrs(attrs)
    return array.squeeze("time") if array.sizes.get("time") == 1 else array


def _names(bands: xr.DataArray, axis: str) -> tuple[str, ...] | None:
    told = bands.attrs.get("long_name")
    if axis in bands.coords and bands[axis].dtype.kind in "UOT":
        return tuple(str(value) for value in bands[axis].values)
    if isinstance(told, str | tuple | list):
        names = (told,) if isinstance(told, str) else tuple(map(str, told))
        return names if len(names) == bands.sizes[axis] else None
    return None


def _day(array: xr.DataArray) -> str | None:
    """YYYY-MM-DD of its `time`, or of the attribute `date`."""
    if "time" in array.coords and array["time"].size == 1:
        return str(pd.Timestamp(array["time"].values.reshape(-1)[0]).date().isoformat())
    told = array.attrs.get("date")
    return None if told is None else date.fromisoformat(str(told)[:10]).isoformat()


def write_array(image: Banded, path: Path) -> None:
    """Write a tiled GeoTIFF with all that is known of the image, some rows at a time. Types that a GeoTIFF
    or Groundbreak does not know become float32. Raises OutputError.
    """
    count, height, width = image.pixels.shape
    dtype = str(image.pixels.dtype) if str(image.pixels.dtype) in _TYPES else "float32"
    profile: dict[str, Any] = {
        "driver": "GTiff", "count": count, "height": height, "width": width, "dtype": dtype,
        "crs": str(image.grid.crs), "transform": image.grid.transform, "nodata": image.nodata,
        "tiled": True, "blockxsize": _TILE, "blockysize": _TILE, "compress": "zstd",
        "predictor": 3 if dtype == "float32" else 2, "bigtiff": "if_safer",
    }  # fmt: skip
    with replacing(path) as part, rasterio.open(part, "w", **profile) as file:
        for index, name in enumerate(image.names or (), start=1):
            file.set_band_description(index, name)
        if image.scale is not None or image.offset is not None:
            file.scales = [1.0 if image.scale is None else image.scale] * count
            file.offsets = [image.offset or 0.0] * count
        if image.day is not None:
            file.update_tags(ACQUISITION_DATE=image.day)
        if image.made:
            file.update_tags(GROUNDBREAK_MADE="YES")
        for window, values in _strips(image):
            file.write(values.astype(dtype), window=window)


def _strips(image: Banded) -> Iterator[tuple[Window, Any]]:
    """Windows over all columns, one after the other; as high as the array's own chunks, where it has any."""
    _, height, width = image.pixels.shape
    chunks = image.pixels.chunks
    edges = np.cumsum([0, *chunks[1]]) if chunks else [*range(0, height, _ROWS), height]
    for top, bottom in pairwise(edges):
        (values,) = compute(image.pixels[:, int(top) : int(bottom)].data)
        yield Window(0, int(top), width, int(bottom - top)), values
