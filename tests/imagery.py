"""Small images for tests, whose pixel values tell where the pixel is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

UTM = "EPSG:32637"


def grid(
    rows: int = 90, cols: int = 120, *, west: float = 600000.0, north: float = 3810000.0, size: float = 2.0
) -> GeoBox:
    """North up, in UTM zone 37 N, in the Euphrates valley."""
    return GeoBox((rows, cols), Affine(size, 0, west, 0, -size, north), UTM)


def centres(box: GeoBox) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """World coordinates of the pixel centres, (rows, cols) each."""
    cols, rows = np.meshgrid(np.arange(box.shape.x) + 0.5, np.arange(box.shape.y) + 0.5)
    t = box.transform
    return t.a * cols + t.b * rows + t.c, t.d * cols + t.e * rows + t.f


def coordinates(box: GeoBox, dtype: str = "float32") -> NDArray[Any]:
    """Two bands, metres east of 599000 and north of 3809000: planes, exact under bilinear resampling."""
    x, y = centres(box)
    return np.stack([x - 599000, y - 3809000]).astype(dtype)


def noise(
    box: GeoBox, bands: int = 4, dtype: str = "uint16", low: int = 1, high: int = 200, *, seed: int = 1
) -> NDArray[Any]:
    """Random counts, none of them 0."""
    return np.random.default_rng(seed).integers(low, high, (bands, *box.shape.yx)).astype(dtype)


def write(
    path: Path,
    values: NDArray[Any],
    box: GeoBox,
    *,
    names: list[str] | None = None,
    tags: dict[str, str] | None = None,
    **profile: Any,
) -> Path:
    """A GeoTIFF of values (band, y, x) with band descriptions and tags."""
    path.parent.mkdir(parents=True, exist_ok=True)
    settings = {
        "crs": str(box.crs),
        "transform": box.transform,
        "compress": "deflate",
        "tiled": True,
    } | profile
    settings |= {"blockxsize": 32, "blockysize": 32} if settings["tiled"] else {}
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=values.shape[0],
        dtype=values.dtype,
        height=values.shape[1],
        width=values.shape[2],
        **settings,
    ) as out:
        out.write(values)
        for i, name in enumerate(names or [], 1):
            out.set_band_description(i, name)
        out.update_tags(**(tags or {}))
    return path
