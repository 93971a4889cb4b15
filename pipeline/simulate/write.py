"""Writes made scenes as GeoTIFF tiles and their truth as GeoJSON; every image's tags say that it is made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from pipeline.errors import OutputError
from pipeline.simulate.scene import MadeImage

NOTE: Final = "Made (simulated) image, not a photograph"
SCALE: Final = 1e-4  # reflectance of one count


def sun_tags(made: MadeImage) -> dict[str, str]:
    """TIFF tags that say when, and under what sun."""
    return {
        "TIFFTAG_DATETIME": f"{made.date.replace('-', ':')} 08:00:00",
        "SUN_ELEVATION": f"{made.view.sun.elevation:g}",
        "SUN_AZIMUTH": f"{made.view.sun.azimuth:g}",
    }


def write_tiles(
    folder: Path, stem: str, made: MadeImage, tags: dict[str, str], *, dtype: str = "uint16", tiles: int = 2
) -> list[Path]:
    """Cut an image into tiles x tiles GeoTIFFs `<stem>_r0c0.tif` on one pixel grid.

    uint16 holds counts of 1e-4 reflectance (scale declared, 0 is nodata), uint8 holds `made.image` x 255 and
    declares no scale, as screen-ready products do. Raises OutputError where the folder cannot be written.
    """
    step, top = (SCALE, 65535) if dtype == "uint16" else (1 / 255, 255)
    counts = np.clip(np.round(made.image.astype(np.float64) / step), 1, top).astype(dtype)
    rows, cols = (np.linspace(0, n, tiles + 1).round().astype(int) for n in made.geobox.shape)
    paths = []
    for r in range(tiles):
        for c in range(tiles):
            part = (slice(rows[r], rows[r + 1]), slice(cols[c], cols[c + 1]))
            path = folder / f"{stem}_r{r}c{c}.tif"
            write_raster(path, counts[:, part[0], part[1]], made.geobox[part], made.bands, tags)
            paths.append(path)
    return paths


def write_raster(
    path: Path,
    values: NDArray[Any],
    geobox: GeoBox,
    bands: tuple[str, ...],
    tags: dict[str, str],
) -> None:
    """One GeoTIFF with band names and tags, the same bytes each time."""
    count, height, width = values.shape
    block = next((b for b in (160, 256) if b * 2 <= max(height, width)), 128)
    profile: dict[str, Any] = {
        "driver": "GTiff",
        "width": width,
        "height": height,
        "count": count,
        "dtype": values.dtype.name,
        "crs": str(geobox.crs),
        "transform": geobox.transform,
        "nodata": float("nan") if values.dtype.kind == "f" else 0,
        "tiled": True,
        "blockxsize": block,
        "blockysize": block,
        "interleave": "band",
        "compress": "deflate",
        "zlevel": 9,
        "predictor": 3 if values.dtype.kind == "f" else 2,
        "num_threads": 1,
    }
    unfinished = path.with_name(f".{path.name}.part.tif")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with rasterio.open(unfinished, "w", **profile) as tif:
            tif.write(values)
            tif.descriptions = bands
            tif.update_tags(
                GROUNDBREAK_MADE="YES",
                TIFFTAG_IMAGEDESCRIPTION=NOTE,
                TIFFTAG_SOFTWARE="groundbreak simulate",
                **tags,
            )
            if values.dtype == np.uint16:
                tif.scales, tif.offsets = (SCALE,) * count, (0.0,) * count
        unfinished.replace(path)
    except (OSError, rasterio.errors.RasterioError) as error:
        if unfinished.is_file():
            unfinished.unlink()
        raise OutputError(f"{path}: cannot be written ({error}); choose another folder with --out") from error


def write_geojson(path: Path, changes: gpd.GeoDataFrame) -> None:
    """RFC 7946 GeoJSON: longitude and latitude, 8 decimals (a millimetre), one feature a line."""
    properties = [c for c in changes.columns if c != "geometry"]
    lines = []
    for row, shape in zip(changes.to_dict("records"), changes.geometry.to_crs("EPSG:4326"), strict=True):
        feature = {
            "type": "Feature",
            "properties": {key: row[key] for key in properties},
            "geometry": _rounded(shapely.orient_polygons(shapely.normalize(shape)).__geo_interface__),
        }
        lines.append(json.dumps(feature, ensure_ascii=False))
    body = ",\n".join(lines)
    write_text(path, f'{{"type": "FeatureCollection", "features": [\n{body}\n]}}\n')


def _rounded(geometry: dict[str, Any]) -> dict[str, Any]:
    def walk(value: Any) -> Any:
        return [walk(v) for v in value] if isinstance(value, (list, tuple)) else round(value, 8)

    return {"type": geometry["type"], "coordinates": walk(geometry["coordinates"])}


def write_text(path: Path, text: str) -> None:
    """A text file, renamed into place."""
    unfinished = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(text, encoding="utf-8", newline="\n")
        unfinished.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error}); choose another folder with --out") from error
