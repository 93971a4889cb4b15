"""Masks that come with images, and what their values say of which pixels cannot be used.

A mask is evidence of cloud, not a judgement of the ground: snow, water and dark ground were seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pystac
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.windows import Window

from pipeline.scenes.assets import asset_grid, asset_href
from pipeline.scenes.mask_kinds import MaskKind, asset_kind, known_kind
from pipeline.scenes.opening import read_from
from pipeline.scenes.raster import read_header
from pipeline.scenes.sampling import Positions, nearest

Bools = NDArray[np.bool_]

# Sentinel-2 scene classification: no data, saturated, cloud shadow, cloud of medium and of high probability,
# thin cirrus. Snow (11) is ground that was seen, as are dark areas (2), unclassified ones (7) and water (6).
SCL_HIDDEN = (0, 1, 3, 8, 9, 10)

# Landsat Collection 2 QA_PIXEL (USGS LSDS-1619, table 6-3): fill, dilated cloud, cirrus, cloud, cloud shadow.
QA_PIXEL_HIDDEN = 0b1_1111

# PlanetScope usable data mask 2.1: its first band is 1 where there is neither haze, cloud, shadow nor snow,
# its second where there is snow; outside the image both are 0.
UDM2_SEEN = (1, 2)


@dataclass(frozen=True)
class Reading:
    """How a kind of mask is read: which bands, and what of their values (band, y, x) hides a pixel (y, x)."""

    bands: tuple[int, ...]
    hidden: Callable[[NDArray[Any]], Bools]
    tells_nodata: bool  # whether it also marks pixels outside the image


READINGS: Mapping[MaskKind, Reading] = {
    "nonzero": Reading((1,), lambda values: values[0] != 0, tells_nodata=False),
    "scl": Reading((1,), lambda values: np.isin(values[0], SCL_HIDDEN), tells_nodata=True),
    "qa_pixel": Reading((1,), lambda values: (values[0] & QA_PIXEL_HIDDEN) != 0, tells_nodata=True),
    "udm2": Reading(UDM2_SEEN, lambda values: ~np.any(values == 1, axis=0), tells_nodata=True),
}


@dataclass(frozen=True)
class MaskSource:
    """A raster that says which pixels cannot be used. Where it does not reach, pixels count as observed."""

    href: str
    grid: GeoBox
    kind: MaskKind = "nonzero"


def has_mask(item: pystac.Item) -> bool:
    """Whether the Item comes with a mask of its own."""
    return any(asset_kind(key, asset) for key, asset in item.assets.items())


def item_masks(item: pystac.Item) -> tuple[MaskSource, ...]:
    """The Item's own masks: Sentinel-2 SCL, Landsat QA_PIXEL or PlanetScope UDM2; of each kind the finest."""
    found: dict[MaskKind, MaskSource] = {}
    for key, asset in sorted(item.assets.items()):
        if kind := asset_kind(key, asset):
            mask = MaskSource(asset_href(asset), asset_grid(item, asset), kind)
            known = found.get(kind)
            if known is None or abs(mask.grid.resolution.x) < abs(known.grid.resolution.x):
                found[kind] = mask
    return tuple(found.values())


def file_masks(paths: Iterable[Path]) -> tuple[MaskSource, ...]:
    """Masks that are named as files, each by its name's kind, else `nonzero`."""
    headers = [read_header(path) for path in paths]
    return tuple(
        MaskSource(str(header.path), header.grid, known_kind(header.path.stem) or "nonzero")
        for header in headers
    )


def read_mask(mask: MaskSource, at: Positions, shape: tuple[int, int]) -> Bools:
    """Whether each pixel is marked as not usable; bool (y, x). Raises SourceUnreadableError."""
    window = at.window(mask.grid.shape.yx)
    if window is None:
        return np.zeros(shape, dtype=bool)
    reading = READINGS[mask.kind]
    values = read_from(
        mask.href, lambda source: source.read(reading.bands, window=Window.from_slices(*window))
    )
    return nearest(reading.hidden(values), at.within(window)) & at.inside(mask.grid.shape.yx)
