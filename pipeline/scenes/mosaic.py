"""The tiles of one date laid on one grid, lazily, chunk by chunk."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import dask.array as da
import numpy as np
import rasterio
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.env import getenv, hasenv

from pipeline.errors import NoOverlapError
from pipeline.grid import pixel_bounds
from pipeline.scenes.tiles import Block, Tile, read_tile
from pipeline.scenes.values import lay_below
from pipeline.secrecy import names_secret


def mosaic(tiles: Sequence[Tile], grid: GeoBox, chunk: tuple[int, int], bands: int) -> da.Array:
    """Tiles on `grid`, float32 (band, y, x), NaN in all bands where none observed the ground; the first tile
    that did gives a pixel. Chunks of `chunk` rows and columns hold all bands.

    Raises NoOverlapError now, SourceUnreadableError when computed.
    """
    reach = [
        [pixel_bounds(grid, extent) for extent in dict.fromkeys(band.grid for band in tile.bands)]
        for tile in tiles
    ]
    rows, cols = (_cut(int(size), part) for size, part in zip(grid.shape, chunk, strict=True))
    name, options = f"mosaic-{tokenize(list(tiles), grid, chunk)}", _options()
    graph: dict[Any, Any] = {}
    for (i, y), (j, x) in product(enumerate(rows), enumerate(cols)):
        here = [t for t, all_of in zip(tiles, reach, strict=True) if all(touches(b, (y, x)) for b in all_of)]
        graph[name, 0, i, j] = _read, here, grid, (y, x), bands, options
    if not any(here for _, here, *_ in graph.values()):
        raise NoOverlapError(
            "the images lie outside the grid that they are loaded on; check the area of interest."
        )
    chunks = ((bands,), *(tuple(part.stop - part.start for part in axis) for axis in (rows, cols)))
    return da.Array(HighLevelGraph.from_collections(name, graph), name, chunks, dtype=np.float32)


def _cut(size: int, step: int) -> list[slice]:
    return [slice(start, min(start + step, size)) for start in range(0, size, step)]


def touches(bounds: tuple[int, int, int, int], block: Block) -> bool:
    """Whether pixels from left, top to right, bottom reach into a block."""
    left, top, right, bottom = bounds
    rows, cols = block
    return bool(left < cols.stop and right > cols.start and top < rows.stop and bottom > rows.start)


def _read(
    tiles: Sequence[Tile], grid: GeoBox, block: Block, bands: int, options: dict[str, Any]
) -> NDArray[np.float32]:
    """A block of the mosaic. Once all of it is there, no other tile is read."""
    image: NDArray[np.float32] | None = None
    with rasterio.Env(**options):
        for tile in tiles:
            if image is None:
                image = read_tile(tile, grid, block)
            elif np.isnan(image[0]).any():
                lay_below(image, read_tile(tile, grid, block))
    if image is None:
        return np.full((bands, *(part.stop - part.start for part in block)), np.nan, np.float32)
    return image


def _options() -> dict[str, Any]:
    """GDAL's, as they are set here, for whoever reads; secrets and GDAL's own data each has itself."""
    options = getenv() if hasenv() else {}
    return {key: value for key, value in options.items() if key != "GDAL_DATA" and not names_secret(key)}
