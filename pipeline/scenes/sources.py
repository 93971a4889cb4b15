"""What there is to read in an Item: for each band its file, position, grid, nodata, scale and offset.

Reads STAC 1.1 `bands` as well as `eo:bands` and `raster:bands` of STAC 1.0.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pystac
from odc.geo.geobox import GeoBox

from pipeline.errors import BandError, SourceUnreadableError
from pipeline.scenes.assets import asset_dtypes, asset_grid, asset_href
from pipeline.scenes.mask_kinds import is_mask
from pipeline.scenes.names import ORDER, common_name, in_order, no_such_band

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
_MOST_COUNTS = np.iinfo("uint32").max  # of wider types nobody uses the range
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
    """The bands of an Item by common name, in its order; the first asset wins where two hold one.

    An asset without any band of a common name (aerosol, water vapour, an atmospheric correction's
    intermediate) is an image only where the Item has no other. Raises SourceUnreadableError for an Item that
    is none.
    """
    with well_described(item):
        return _band_sources(item)


@contextmanager
def well_described(item: pystac.Item) -> Iterator[None]:
    """Raises SourceUnreadableError where an Item's fields turn out not to be of the kind they should be."""
    try:
        yield
    except (TypeError, ValueError, KeyError, AttributeError, IndexError, RuntimeError) as error:
        told = textwrap.shorten(f"{type(error).__name__}: {error}", 200)
        raise SourceUnreadableError(
            f"{item.id}: the STAC Item does not describe its images as it should ({told}); mend the Item"
        ) from error


def _band_sources(item: pystac.Item) -> dict[str, BandSource]:
    images = [_named(key, asset) for key, asset in item.assets.items() if is_image(key, asset)]
    usual = [image for image in images if not set(ORDER).isdisjoint(image[1])]
    found: dict[str, BandSource] = {}
    for asset, names, described in usual or images:
        alpha = names.index("alpha") + 1 if "alpha" in names else None
        grid: GeoBox | None = None
        for index, (name, band) in enumerate(zip(names, described, strict=True), 1):
            if name == "alpha" or name in found:
                continue
            grid = grid or asset_grid(item, asset)
            found[name] = replace(_source(name, index, band, asset, grid), alpha=alpha)
    return found


def _named(key: str, asset: pystac.Asset) -> tuple[pystac.Asset, list[str], list[dict[str, Any]]]:
    described = band_fields(asset)
    return asset, [_name(key, band, len(described)) for band in described], described


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


def is_image(key: str, asset: pystac.Asset) -> bool:
    """Whether an Item's asset holds bands, not a mask, a picture for people or metadata."""
    if key.lower() in {"visual", "thumbnail"} or NOT_IMAGES & set(asset.roles or []) or is_mask(key, asset):
        return False
    suffix = "." + asset.href.split("?")[0].rsplit(".", 1)[-1].lower()
    return bool(asset.roles and "data" in asset.roles) or suffix in IMAGES


def band_fields(asset: pystac.Asset) -> list[dict[str, Any]]:
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
    dtype = band.get("data_type") or asset_dtypes(asset)[index - 1]
    scale = band.get("raster:scale", band.get("scale"))
    offset = band.get("raster:offset", band.get("offset"))
    if scale is None and not offset and np.dtype(dtype).kind in "iu":
        scale = 1 / min(np.iinfo(dtype).max, _MOST_COUNTS)
    nodata = band.get("nodata")
    if not (math.isfinite(scale or 1) and scale != 0 and math.isfinite(offset or 0)):
        raise ValueError(f"scale {scale}, offset {offset}")
    return BandSource(
        name=name,
        href=asset_href(asset),
        index=index,
        grid=grid,
        dtype=str(np.dtype(dtype)),
        nodata=None if nodata is None else float(nodata),
        scale=1.0 if scale is None else float(scale),
        offset=0.0 if offset is None else float(offset),
    )


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
