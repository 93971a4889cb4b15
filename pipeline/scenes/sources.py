"""What there is to read in an Item: for each band its file, position, grid, nodata, scale and offset.

Reads STAC 1.1 `bands` as well as `eo:bands` and `raster:bands` of STAC 1.0, and projection extension 1 and 2.
Where an Item does not give its grid, the file's header is read instead.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyproj
import pystac
import rasterio
from affine import Affine
from odc.geo.geobox import GeoBox
from rasterio.errors import RasterioError

from pipeline.errors import BandError, GeoreferenceError, SourceUnreadableError
from pipeline.scenes.names import common_name, in_order, no_such_band

NOT_IMAGES = {
    "thumbnail",
    "overview",
    "visual",
    "metadata",
    "data-mask",
    "cloud",
    "cloud-shadow",
    "snow-ice",
    "water-mask",
}
IMAGES = {".tif", ".tiff", ".jp2", ".vrt", ".img", ".png", ".jpg", ".jpeg", ".ntf"}


@dataclass(frozen=True)
class BandSource:
    """One band of one tile, as delivered. Physical value = counts * scale + offset."""

    name: str  # STAC common name
    href: str
    index: int  # in the file, from 1
    grid: GeoBox
    dtype: str
    nodata: float | None
    scale: float
    offset: float
    alpha: int | None = None  # the file's band that says where it holds an image


def band_sources(item: pystac.Item) -> dict[str, BandSource]:
    """The bands of an Item by common name, in its order; the first asset wins where two hold one."""
    found: dict[str, BandSource] = {}
    for key, asset in item.assets.items():
        if not _is_image(key, asset):
            continue
        described = _bands(asset)
        names = [_name(key, band, len(described)) for band in described]
        alpha = names.index("alpha") + 1 if "alpha" in names else None
        grid: GeoBox | None = None
        for index, (name, band) in enumerate(zip(names, described, strict=True), 1):
            if name == "alpha" or name in found:
                continue
            grid = grid or _grid(item, asset)
            found[name] = replace(_source(name, index, band, asset, grid), alpha=alpha)
    return found


def band_names(items: Sequence[pystac.Item]) -> tuple[str, ...]:
    """Bands that every one of the Items has, by wavelength."""
    sets = [set(band_sources(item)) for item in items]
    return in_order(set.intersection(*sets)) if sets else ()


def pick(item: pystac.Item, bands: Iterable[str]) -> list[BandSource]:
    """The Item's sources of `bands`, in that order. Raises BandError for one that it does not have."""
    there = band_sources(item)
    for band in bands:
        if band not in there:
            raise no_such_band(item.id, band, list(there))
    return [there[band] for band in bands]


def cloud_mask(item: pystac.Item) -> tuple[str, GeoBox] | None:
    """Where the Item's Sentinel-2 scene classification (SCL) lies, and its grid; None if it has none."""
    asset = item.assets.get("scl") or item.assets.get("SCL")
    return (_href(asset), _grid(item, asset)) if asset else None


def _is_image(key: str, asset: pystac.Asset) -> bool:
    if key.lower() in {"scl", "visual", "thumbnail"} or NOT_IMAGES & set(asset.roles or []):
        return False
    suffix = "." + asset.href.split("?")[0].rsplit(".", 1)[-1].lower()
    return bool(asset.roles and "data" in asset.roles) or suffix in IMAGES


def _bands(asset: pystac.Asset) -> list[dict[str, Any]]:
    """Band descriptions of all STAC versions, merged by position; fields of the asset itself are defaults."""
    fields = asset.extra_fields
    lists = [fields.get(key) or [] for key in ("raster:bands", "eo:bands", "bands")]
    defaults: dict[str, Any] = {
        key: fields[key] for key in ("data_type", "nodata", "raster:scale", "raster:offset") if key in fields
    }
    merged = [dict(defaults) for _ in range(max(1, *map(len, lists)))]
    for bands in lists:
        for target, band in zip(merged, bands, strict=False):
            target.update(band)
    return merged


def _name(key: str, band: dict[str, Any], count: int) -> str:
    declared = band.get("eo:common_name") or band.get("common_name")
    name = band.get("name")
    fallback = key if count == 1 else None
    return str(declared or common_name(name) or common_name(fallback) or name or fallback or "band")


def _source(name: str, index: int, band: dict[str, Any], asset: pystac.Asset, grid: GeoBox) -> BandSource:
    dtype = band.get("data_type") or _header(_href(asset))[1][index - 1]
    scale = band.get("raster:scale", band.get("scale"))
    offset = band.get("raster:offset", band.get("offset"))
    if scale is None and not offset and np.dtype(dtype).kind in "iu":
        scale = 1 / np.iinfo(dtype).max
    nodata = band.get("nodata")
    return BandSource(
        name=name,
        href=_href(asset),
        index=index,
        grid=grid,
        dtype=str(np.dtype(dtype)),
        nodata=None if nodata is None else float(nodata),
        scale=1.0 if scale is None else float(scale),
        offset=0.0 if offset is None else float(offset),
    )


def _href(asset: pystac.Asset) -> str:
    return (asset.get_absolute_href() or asset.href).removeprefix("file://")


def _grid(item: pystac.Item, asset: pystac.Asset) -> GeoBox:
    def field(name: str) -> Any:
        value = asset.extra_fields.get(name)
        return value if value is not None else item.properties.get(name)

    shape, transform = field("proj:shape"), field("proj:transform")
    crs = field("proj:code") or field("proj:epsg") or field("proj:wkt2") or field("proj:projjson")
    if shape and transform and crs:
        known = pyproj.CRS.from_json_dict(crs) if isinstance(crs, dict) else crs
        return GeoBox(tuple(shape), Affine(*transform[:6]), known)
    return _header(_href(asset))[0]


def _header(href: str) -> tuple[GeoBox, tuple[str, ...]]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
            with rasterio.open(href) as src:
                if src.crs is None or src.transform.is_identity:
                    raise GeoreferenceError(
                        f"{href}: no coordinate reference system or transform; set it with gdal_edit.py."
                    )
                return GeoBox.from_rio(src), tuple(src.dtypes)
    except RasterioError as error:
        raise SourceUnreadableError(f"{href}: cannot be read ({error}); check that it is there.") from error


def common_bands(
    before: Sequence[pystac.Item], after: Sequence[pystac.Item], wanted: Sequence[str] | None = None
) -> tuple[str, ...]:
    """Bands that both dates have, by wavelength; or `wanted`, if both have all of them. Raises BandError."""
    there = {"before": band_names(before), "after": band_names(after)}
    if wanted:
        names = in_order(common_name(band) or band for band in wanted)
        for where, bands in there.items():
            for name in names:
                if name not in bands:
                    raise no_such_band(f"the {where} image", name, bands)
        return names
    shared = in_order(set(there["before"]) & set(there["after"]))
    if not shared:
        raise BandError(
            f"no band in common: before has {', '.join(there['before'])}, "
            f"after has {', '.join(there['after'])}; "
            "name the bands of each in the file's order."
        )
    return shared
