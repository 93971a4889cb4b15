"""Load: the Items of one date as a lazy image on the grid that they were delivered on."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pystac
import xarray as xr
from odc.geo.geobox import GeoBox
from odc.geo.xr import xr_coords

from pipeline.errors import BandError, NoOverlapError
from pipeline.grid import pixel_bounds, same_pixels
from pipeline.scenes import acquired, is_made
from pipeline.scenes.masks import MaskSource, file_masks, item_masks
from pipeline.scenes.mosaic import mosaic, touches
from pipeline.scenes.sources import BandSource, band_names, common_bands, pick
from pipeline.scenes.tiles import Tile, block_shape

__all__ = ["Load", "common_bands"]


CHUNK = 512  # pixels a side of a chunk, at least, of files that are stored in tiles
STRIP = 256  # rows of a chunk, at least, of files that are stored in rows

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Load:
    """Mosaic the tiles of one date, as delivered: no resampling where they share a pixel grid.

    Tiles are taken in the order of their ids, and the first that observed a pixel gives it. A pixel was
    observed unless nodata, alpha, a dataset mask or a cloud mask says otherwise; where the nodata value could
    be a value (0, say), only a pixel that carries it in all bands counts as missing. Bands that are coarser
    than the grid (Sentinel-2 at 20 m beside 10 m) are brought to it bilinearly between pixel centres, from
    valid pixels only. Integers become float32 physical values here, once.
    """

    bands: tuple[str, ...] | None = None  # common names; None: all that every tile has
    chunk: int | None = None  # pixels a side of one Dask chunk, on which no result depends; None: as stored

    def __call__(
        self, items: Sequence[pystac.Item], grid: GeoBox, mask: Path | Sequence[Path] | None = None
    ) -> xr.Dataset:
        """The Image: `image` float32 (band, y, x), NaN where not observed, and `observed` bool (y, x), both
        lazy, on `grid`.

        mask: rasters in which nonzero means not usable (a Sentinel-2 SCL, Landsat QA_PIXEL or
        PlanetScope UDM2, by its name, as its kind says); beyond them pixels
        count as observed. Raises BandError, NoOverlapError (image or mask beside the grid) now,
        SourceUnreadableError when computed.
        """
        ordered = sorted(items, key=lambda item: item.id)
        names = self.bands or band_names(ordered)
        if not names:
            raise BandError(
                "the tiles of one date have no band in common; name the files of one sensor only."
            )
        masks = _masks(mask, grid)
        tiles = [Tile(tuple(pick(item, names)), (*masks, *item_masks(item))) for item in ordered]
        chunk = (self.chunk, self.chunk) if self.chunk else _chunk(tiles, grid)
        pixels = mosaic(tiles, grid, chunk, len(names))
        image = xr.DataArray(pixels, dims=("band", "y", "x"), coords={"band": list(names)})
        observed = xr.DataArray(da.isfinite(pixels[0]), dims=("y", "x"))
        dataset = xr.Dataset({"image": image, "observed": observed}).assign_coords(
            xr_coords(grid, dims=("y", "x"))
        )
        return dataset.assign_attrs(_attributes(ordered, tiles))


def _chunk(tiles: Sequence[Tile], grid: GeoBox) -> tuple[int, int]:
    """Rows and columns of a chunk, so that few files are decoded in vain: whole blocks of the first one on
    this pixel size, about CHUNK a side; rows as wide as the grid where a file is stored in such.
    """
    source = next(
        (band for tile in tiles for band in tile.bands if same_pixels(grid, band.grid)), tiles[0].bands[0]
    )
    height, width = block_shape(source.href)
    if width >= source.grid.shape.x:
        return height * math.ceil(STRIP / height), grid.shape.x
    return height * math.ceil(CHUNK / height), width * math.ceil(CHUNK / width)


def _masks(mask: Path | Sequence[Path] | None, grid: GeoBox) -> tuple[MaskSource, ...]:
    paths = [] if mask is None else [mask] if isinstance(mask, str | Path) else list(mask)
    masks = file_masks(Path(path) for path in paths)
    everything = np.s_[0 : grid.shape.y, 0 : grid.shape.x]
    if masks and not any(touches(pixel_bounds(grid, each.grid), everything) for each in masks):
        raise NoOverlapError(f"{paths[0]}: the mask lies outside the image; name the mask of this image.")
    return masks


def _attributes(items: Sequence[pystac.Item], tiles: Sequence[Tile]) -> dict[str, Any]:
    """What was delivered: dtype, nodata, scale, offset (first band), day, whether it is simulated."""
    bands: list[BandSource] = [band for tile in tiles for band in tile.bands]
    days = sorted({day for day in map(acquired, items) if day})
    if len(days) > 1:
        log.warning("images of %s are taken as one date; name images of one day only.", ", ".join(days))
    return {
        "dtype": str(np.result_type(*[band.dtype for band in bands])),
        "nodata": bands[0].nodata,
        "scale": bands[0].scale,
        "offset": bands[0].offset,
        "date": days[0] if days else None,
        "made": is_made(items),
    }
