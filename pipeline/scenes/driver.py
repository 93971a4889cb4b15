"""A driver for odc-loader that reads all bands of a tile at once, and with them what says which pixels were
observed.

odc-loader's own driver reads band by band and knows neither dataset masks nor a rule across bands. This one
opens each file once a block, decodes it once (bands of a pixel-interleaved file share their blocks), and
returns float32 physical values with NaN in all bands where the tile did not observe the ground.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from odc.loader._rio import get_rio_env, rio_env
from odc.loader.types import RasterLoadParams, RasterSource
from rasterio.enums import MaskFlags
from rasterio.windows import Window

from pipeline.errors import SourceUnreadableError
from pipeline.scenes.masks import MaskSource, read_mask
from pipeline.scenes.opening import read_from
from pipeline.scenes.sampling import Positions, bilinear, nearest, positions
from pipeline.scenes.sources import BandSource
from pipeline.scenes.values import MOST, hide, physical
from pipeline.secrecy import without_secrets

Bools = NDArray[np.bool_]
Block = tuple[slice, slice]


@dataclass(frozen=True)
class Tile:
    """What one Item contributes: its bands in output order, and the masks over them."""

    bands: tuple[BandSource, ...]
    masks: tuple[MaskSource, ...] = ()


@dataclass(frozen=True)
class TileReader:
    """Reads a tile on blocks of `base`; odc-loader's RasterReader protocol."""

    tile: Tile
    base: GeoBox

    def read(
        self, cfg: RasterLoadParams, dst_geobox: GeoBox, *, dst: Any = None, selection: Any = None
    ) -> tuple[Block, NDArray[np.float32]]:
        """The block's image, float32 (band, y, x), and its place in it: all. Raises SourceUnreadableError."""
        block = _block_of(self.base, dst_geobox)
        return np.s_[0 : dst_geobox.shape.y, 0 : dst_geobox.shape.x], read_tile(self.tile, self.base, block)


class TileDriver:
    """odc-loader's ReaderDriver protocol. It holds nothing, so that it travels to any Dask worker."""

    md_parser = None
    dask_reader = None
    aux_reader = None

    def new_load(self, geobox: GeoBox, *, chunks: dict[str, int] | None = None) -> GeoBox:
        """What all readers of one load share: its grid."""
        return geobox

    def finalise_load(self, load_state: GeoBox) -> GeoBox:
        """Nothing to close."""
        return load_state

    def capture_env(self) -> dict[str, Any]:
        """GDAL options set in this thread; none of odc's own, which hide masks that lie beside a file."""
        options: dict[str, Any] = get_rio_env(sanitize=False, no_session_keys=True)
        return {key: value for key, value in options.items() if key != "GDAL_DATA"}

    @contextmanager
    def restore_env(self, env: dict[str, Any], load_state: GeoBox) -> Iterator[GeoBox]:
        """GDAL's environment on the worker, and the grid that is being loaded."""
        with rio_env(**env):
            yield load_state

    def open(self, src: RasterSource, ctx: GeoBox) -> TileReader:
        """A reader for one tile; files are opened when a block is read."""
        return TileReader(src.driver_data, ctx)


def read_tile(tile: Tile, base: GeoBox, block: Block) -> NDArray[np.float32]:
    """One tile on a block of `base`: float32 (band, y, x), NaN in all bands where not observed."""
    shape = (block[0].stop - block[0].start, block[1].stop - block[1].start)
    pieces: list[tuple[tuple[int, ...], NDArray[np.float32]]] = []
    unseen, empty = np.zeros(shape, dtype=bool), []
    for _, group in groupby(enumerate(tile.bands), key=lambda pair: (pair[1].href, pair[1].grid)):
        places, bands = zip(*group, strict=True)
        piece = read_file(bands, positions(base, block, bands[0].grid), shape)
        if piece is None:
            return np.full((len(tile.bands), *shape), np.nan, dtype=np.float32)
        pieces.append((places, piece.values))
        unseen |= piece.unseen
        if piece.empty is not None:
            empty.append(piece.empty)
    if empty:
        unseen |= np.logical_and.reduce(empty)
    for mask in tile.masks:
        unseen |= read_mask(mask, positions(base, block, mask.grid), shape)
    image = _together(pieces, (len(tile.bands), *shape))
    hide(image, unseen)
    return image


def _together(
    pieces: Sequence[tuple[tuple[int, ...], NDArray[np.float32]]], shape: tuple[int, ...]
) -> NDArray[np.float32]:
    """All bands of a tile, of the pieces' own memory where there is but one."""
    if len(pieces) == 1 and pieces[0][1].flags.writeable:
        return pieces[0][1]
    image = np.empty(shape, dtype=np.float32)
    for places, values in pieces:
        image[list(places)] = values
    return image


@dataclass(frozen=True)
class Piece:
    """Bands of one file on a block.

    `empty` are pixels with nodata in all bands, which counts only if other files agree; None without such a
    nodata.
    """

    values: NDArray[np.float32]  # (band, y, x), physical
    unseen: Bools  # (y, x): surely not observed
    empty: Bools | None  # (y, x)


def read_file(bands: Sequence[BandSource], at: Positions, shape: tuple[int, int]) -> Piece | None:
    """Bands of one file at given positions; None where it does not reach. Raises SourceUnreadableError."""
    source = bands[0].grid.shape.yx
    window = at.window(source)
    if window is None:
        return None
    counts, hidden = _read_window(bands, window)
    values, unseen, empty = physical(counts, bands)
    if hidden is not None:
        unseen |= hidden
    exact = at.exact
    if exact and counts.shape[-2:] == shape:
        return Piece(values, unseen, empty)
    outside, here = ~at.inside(source), at.within(window)
    missing = unseen if empty is None else unseen | empty
    moved = nearest(values, here) if exact else _between(values, ~missing, here)
    return Piece(
        np.broadcast_to(moved, (len(bands), *shape)),
        np.broadcast_to(nearest(unseen, here), shape) | outside,
        None if empty is None else np.broadcast_to(nearest(empty, here), shape),
    )


def block_shape(href: str) -> tuple[int, int]:
    """Rows and columns of the blocks that a file is stored in. Raises SourceUnreadableError."""
    rows, cols = read_from(href, lambda source: source.block_shapes[0])
    return int(rows), int(cols)


def _between(values: NDArray[np.float32], valid: Bools, at: Positions) -> NDArray[np.float32]:
    """Bilinear, NaN where the nearest pixel has no light."""
    finite: Bools = np.all(np.abs(values) < MOST, axis=0)
    blended = bilinear(np.where(finite, values, np.float32(0)), valid & finite, at)
    return np.where(nearest(finite, at), blended, np.float32(np.nan))


def _read_window(bands: Sequence[BandSource], window: Block) -> tuple[NDArray[Any], Bools | None]:
    """Counts (band, h, w) as delivered, and where the file's alpha band or dataset mask hides them (h, w)."""
    href, part = bands[0].href, Window.from_slices(*window)

    def counts_and_hidden(source: Any) -> tuple[NDArray[Any], Bools | None]:
        if source.shape != bands[0].grid.shape.yx:
            rows, cols = source.shape
            raise SourceUnreadableError(
                f"{without_secrets(href)}: has {rows} x {cols} pixels, unlike its STAC Item; mend the Item."
            )
        counts = source.read([band.index for band in bands], window=part)
        return counts, hidden_by_file(source, bands[0], part, counts.shape[1:])

    return read_from(href, counts_and_hidden)


def hidden_by_file(source: Any, band: BandSource, window: Window, shape: tuple[int, int]) -> Bools | None:
    """Where an opened file's alpha band or dataset mask says that it holds no image, `shape` (h, w); None
    where it has neither.
    """
    if band.alpha is not None:
        return np.asarray(source.read(band.alpha, window=window, out_shape=shape) == 0)
    if dataset_mask(source, band):
        return np.asarray(source.read_masks(band.index, window=window, out_shape=shape) == 0)
    return None


def dataset_mask(source: Any, band: BandSource) -> bool:
    """Whether an opened file has a mask for all of its bands, beside it or inside."""
    flags = source.mask_flag_enums[band.index - 1]
    return MaskFlags.per_dataset in flags and MaskFlags.alpha not in flags


def _block_of(base: GeoBox, part: GeoBox) -> Block:
    col, row = ~base.transform * (part.transform.c, part.transform.f)
    top, left = round(row), round(col)
    return slice(top, top + part.shape.y), slice(left, left + part.shape.x)
