"""Which images exist: files, folders, globs and STAC JSON, all described as `pystac.Item`."""

from pipeline.scenes.describe import describe, describe_items
from pipeline.scenes.item import acquired, is_made, is_placed
from pipeline.scenes.masks import has_mask
from pipeline.scenes.place import Place
from pipeline.scenes.sources import BandSource, band_names, band_sources, common_bands

__all__ = [
    "BandSource",
    "Place",
    "acquired",
    "band_names",
    "band_sources",
    "common_bands",
    "describe",
    "describe_items",
    "has_mask",
    "is_made",
    "is_placed",
]
