"""STAC JSON on disk: Items and ItemCollections, with links made absolute."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pystac
from pystac.errors import STACError, STACTypeError

from pipeline.errors import SourceUnreadableError
from pipeline.texts import parsed_json, read_text

_FAULTS = (ValueError, KeyError, AttributeError, TypeError, STACError, STACTypeError, OSError, RecursionError)
"""Of documents that are not what they should be, as pystac and Python tell them."""


def read_items(file: Path) -> list[pystac.Item]:
    """Items of one JSON file; asset links are taken relative to it. Raises SourceUnreadableError."""
    try:
        document = parsed_json(read_text(file))
        kind = document.get("type")
        if kind == "FeatureCollection" and all("assets" in feature for feature in document["features"]):
            features = document["features"]
        elif kind == "Feature" and "assets" in document:
            features = [document]
        else:
            raise ValueError("neither a STAC Item nor an ItemCollection")
        return [_item(feature, file) for feature in features]
    except _FAULTS as error:
        raise SourceUnreadableError(
            f"{file}: not a STAC Item ({textwrap.shorten(str(error), 200)}); name an image or a STAC Item."
        ) from error


def _item(document: dict[str, object], file: Path) -> pystac.Item:
    item = pystac.Item.from_dict(document)
    if not isinstance(item.id, str):
        raise ValueError("its id is no text")
    item.set_self_href(str(file.absolute()))
    item.make_asset_hrefs_absolute()
    return item
