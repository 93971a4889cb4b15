"""STAC JSON on disk: Items and ItemCollections, with links made absolute."""

from __future__ import annotations

import json
from pathlib import Path

import pystac
from pystac.errors import STACError

from pipeline.errors import SourceUnreadableError


def read_items(file: Path) -> list[pystac.Item]:
    """Items of one JSON file; asset links are taken relative to it. Raises SourceUnreadableError."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        kind = document.get("type")
        if kind == "FeatureCollection" and all("assets" in feature for feature in document["features"]):
            features = document["features"]
        elif kind == "Feature" and "assets" in document:
            features = [document]
        else:
            raise ValueError("neither a STAC Item nor an ItemCollection")
        return [_item(feature, file) for feature in features]
    except (ValueError, KeyError, AttributeError, TypeError, STACError, OSError) as error:
        raise SourceUnreadableError(
            f"{file}: not a STAC Item ({error}); name an image or a STAC Item."
        ) from error


def _item(document: dict[str, object], file: Path) -> pystac.Item:
    item = pystac.Item.from_dict(document)
    item.set_self_href(str(file.absolute()))
    item.make_asset_hrefs_absolute()
    # Earth Search declares -0.1 also where it has applied the offset itself; there this property holds (its
    # issue 9).
    return (
        with_scale(item, None, 0.0) if item.properties.get("earthsearch:boa_offset_applied") is True else item
    )


def with_scale(item: pystac.Item, scale: float | None, offset: float | None) -> pystac.Item:
    """The Item with the user's scale and offset in place of its own, on every band."""
    given = {
        key: value for key, value in (("raster:scale", scale), ("raster:offset", offset)) if value is not None
    }
    if given:
        for asset in item.assets.values():
            fields = asset.extra_fields
            count = max(len(fields.get(key, [])) for key in ("bands", "raster:bands", "eo:bands"))
            bands = list(fields.get("bands", [])) or [{} for _ in range(max(count, 1))]
            fields["bands"] = [{**band, **given} for band in bands]
    return item
