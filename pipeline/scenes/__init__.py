"""Which images exist: files, folders, globs and STAC JSON, all described as `pystac.Item`."""

from pipeline.scenes.describe import describe
from pipeline.scenes.item import acquired, is_made
from pipeline.scenes.sources import BandSource, band_names, band_sources, cloud_mask, common_bands

__all__ = [
    "BandSource",
    "acquired",
    "band_names",
    "band_sources",
    "cloud_mask",
    "common_bands",
    "describe",
    "is_made",
]
