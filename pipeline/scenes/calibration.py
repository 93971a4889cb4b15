"""Scale and offset of the counts: what the user says, else what an Item says, else what is documented of the
product.

Sentinel-2: reflectance = (counts + BOA_ADD_OFFSET) / 10 000; the offset is -1000 from processing baseline
04.00 on, none before (Sentinel-2 Products Specification Document, S2-PDGS-TAS-DI-PSD). A provider may have
applied it already, so the baseline alone does not tell, and the date even less.
Landsat Collection 2 Level 2: reflectance = counts * 0.0000275 - 0.2 (USGS LSDS-1618, LSDS-1619).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence

import pystac

from pipeline.scenes.counts import UNTOLD, Counts
from pipeline.scenes.sources import band_fields, is_image, well_described

SENTINEL_2_SCALE = 1e-4
_SENTINEL_2_OFFSET = -0.1
_OFFSET_SINCE = (4, 0)  # of ESA's processing baselines
LANDSAT_SCALE, LANDSAT_OFFSET = 2.75e-5, -0.2
_DECLARED = {"scale", "offset", "raster:scale", "raster:offset"}

log = logging.getLogger(__name__)


def calibrate(items: Sequence[pystac.Item], told: Counts = UNTOLD) -> list[pystac.Item]:
    """The Items with scale and offset settled on every band; what is `told` goes before all others.

    Where an Item leaves the offset of Sentinel-2 open, it is taken as applied, and one line says so. Raises
    SourceUnreadableError for an Item that does not describe its images as it should.
    """
    unsure = [item for item in items if not _settled(item, told)]
    if unsure and told.offset is None:
        more = f" and {len(unsure) - 1} more" if len(unsure) > 1 else ""
        log.warning(
            "%s%s: the metadata do not say whether the offset of Sentinel-2's processing baseline 04.00 was "
            "applied to the counts; taken as applied. If it was not, set offset: -0.1 in the site file.",
            *(unsure[0].id, more),
        )
    return list(items)


def _settled(item: pystac.Item, told: Counts) -> bool:
    """Fill in what is known, and what is told over it; whether the product's own words left nothing open."""
    given = {"raster:scale": told.scale, "raster:offset": told.offset, "nodata": told.stac_nodata()}
    with well_described(item):
        clear = _settle(item)
        for key, asset in item.assets.items():
            if is_image(key, asset):
                _set(asset, given)
    return clear


def _settle(item: pystac.Item) -> bool:
    """Fill in what is known of the product; whether that leaves nothing open."""
    if str(item.properties.get("landsat:correction", "")).upper() in {"L2SP", "L2SR"}:
        for asset in _undeclared(item):
            _set(asset, {"raster:scale": LANDSAT_SCALE, "raster:offset": LANDSAT_OFFSET})
        return True
    return not _is_sentinel_2(item) or _settle_sentinel_2(item)


def _settle_sentinel_2(item: pystac.Item) -> bool:
    applied = _first(item, "earthsearch:boa_offset_applied", "sentinel:boa_offset_applied")
    undeclared = list(_undeclared(item))
    if applied is True:  # Earth Search declares -0.1 in this case, too (its issue 9)
        for asset in item.assets.values():
            _set(asset, {"raster:offset": 0.0})
    baseline = _baseline(item)
    early = baseline is not None and baseline < _OFFSET_SINCE
    to_apply = applied is False and baseline is not None and not early
    for asset in undeclared:
        _set(
            asset,
            {"raster:scale": SENTINEL_2_SCALE, "raster:offset": _SENTINEL_2_OFFSET if to_apply else 0.0},
        )
    return not undeclared or applied is True or early or to_apply


def _is_sentinel_2(item: pystac.Item) -> bool:
    named = str(_first(item, "constellation", "platform") or "").lower()
    own = ("s2:", "sentinel:", "earthsearch:boa")
    return named.startswith("sentinel-2") or any(key.startswith(own) for key in item.properties)


def _baseline(item: pystac.Item) -> tuple[int, int] | None:
    """Of ESA's processing: (4, 0) for "04.00"."""
    keys = ("s2:processing_baseline", "sentinel:processing_baseline", "processing:version")
    major, _, minor = str(_first(item, *keys) or "").partition(".")
    return (int(major), int(minor)) if major.isdigit() and minor.isdigit() else None


def _first(item: pystac.Item, *keys: str) -> object:
    return next((item.properties[key] for key in keys if item.properties.get(key) is not None), None)


def _undeclared(item: pystac.Item) -> Iterator[pystac.Asset]:
    """Images of counts whose scale and offset the Item does not give; with neither, offset 0 is not said."""
    for key, asset in item.assets.items():
        fields = band_fields(asset)
        counts = not any(str(band.get("data_type", "")).startswith("float") for band in fields)
        if is_image(key, asset) and counts and not any(_DECLARED & band.keys() for band in fields):
            yield asset


def _set(asset: pystac.Asset, values: Mapping[str, float | str | None]) -> None:
    """Put these on each band of the asset, over what it says."""
    given = {key: value for key, value in values.items() if value is not None}
    if given:
        fields = asset.extra_fields
        bands = list(fields.get("bands", [])) or [{} for _ in band_fields(asset)]
        fields["bands"] = [{**band, **given} for band in bands]
