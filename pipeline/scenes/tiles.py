"""One tile on a block of a grid: all its bands at once, and with them what says which pixels were observed.

Each file is opened and decoded once a block: the bands of a pixel-interleaved file are compressed together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
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
