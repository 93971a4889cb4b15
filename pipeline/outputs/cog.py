"""Cloud Optimized GeoTIFFs (OGC 21-026) made of blocks, whose compressed tiles are copied as they are.

GDAL's COG driver writes the file's head, of an image that is all holes; what is left is to put the tiles
behind it, overviews first, and to enter where each lies. So no pixel is compressed twice, and joining
takes little more than copying.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import rasterio
import rasterio.shutil
import tifffile
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from pipeline.outputs.blocks import TILE, Block, BlockStore
from pipeline.outputs.files import write_text, writing
from pipeline.outputs.rasters import GDAL_TYPES, RasterSpec
from pipeline.outputs.shrink import halved, shrunk

_CLASSIC = 4_000_000_000  # bytes; larger files need BigTIFF's addresses
_SIDE = 2 * TILE  # of the blocks that are made here
_FRAME = 8  # bytes that GDAL's layout puts around each tile: its size before, its last four bytes behind


def write_cog(path: Path, spec: RasterSpec, grid: GeoBox, strip: Callable[[slice], NDArray[Any]]) -> None:
    """Write a raster as a COG, of which `strip` gives some rows (band, y, x) at a time, already encoded."""
    store = BlockStore(path.with_name(f".{path.stem}-blocks"), grid, _SIDE)
    store.folder.mkdir(exist_ok=True)
    rows, pixels = slice(0, 0), np.zeros(0)
    for block in store.blocks():
        if block[0] != rows:
            rows, pixels = block[0], strip(block[0])
        write_block(store, spec, block, pixels[:, :, block[1]])
    join(store, spec, path)
    store.discard()


def write_block(store: BlockStore, spec: RasterSpec, block: Block, pixels: NDArray[Any]) -> None:
    """Keep a block (band, y, x) of a raster, already encoded, and what it makes of the overviews."""
    half = _half(store, spec)
    if half is not None:
        half.folder.mkdir(exist_ok=True)
        write_block(half, spec, _halved(block), halved(pixels, spec))
    store.write(spec, block, pixels)


def block_files(store: BlockStore, spec: RasterSpec, block: Block) -> list[Path]:
    """What `write_block` leaves."""
    half = _half(store, spec)
    return [store.path(spec, block), *(block_files(half, spec, _halved(block)) if half else [])]


def _half(store: BlockStore, spec: RasterSpec) -> BlockStore | None:
    """The first overview in blocks that are made of one block each; none where that cannot be, as a side is
    odd or half a block is not made of whole tiles.
    """
    height, width = (int(size) for size in store.grid.shape)
    if store.side % _SIDE or height % 2 or width % 2 or max(height, width) <= TILE:
        return None
    grid = store.grid.zoom_to((height // 2, width // 2))
    return BlockStore(store.folder / f"{spec.name}-half", grid, store.side // 2)


def _halved(block: Block) -> Block:
    rows, cols = (slice(part.start // 2, part.stop // 2) for part in block)
    return rows, cols


def join(store: BlockStore, spec: RasterSpec, target: Path) -> None:
    """Make the COG `target` of all blocks of a raster, written beside them first and renamed when whole.

    Raises OutputError.
    """
    levels = list(_pyramid(_in_tiles(store, spec), spec))
    tiles = [_tiles(level, spec) for level in levels]
    part = store.folder / f"{spec.name}.cog.tif"
    large = sum(tile.size + _FRAME for level in tiles for tile in level) > _CLASSIC
    with writing(target):
        _write_head(part, spec, [level.grid for level in levels], large)
        _fill(part, tiles)
        part.replace(target)


_SHOWN = ("red", "green", "blue")  # what viewers look for, in whichever order bands lie


@dataclass(frozen=True)
class _Tile:
    """Compressed bytes in a file."""

    path: Path
    offset: int
    size: int


def _in_tiles(store: BlockStore, spec: RasterSpec) -> BlockStore:
    """The same raster in blocks of whole tiles."""
    if store.side % TILE == 0 or store.side >= max(store.grid.shape):
        return store
    return _made(store, spec, "whole", store.grid, lambda block: store.read(spec, *block))


def _pyramid(store: BlockStore, spec: RasterSpec) -> Iterator[BlockStore]:
    """The raster, and its overviews down to one tile, each half of the one before."""
    yield store
    number = 0
    while max(store.grid.shape) > TILE:
        number, below, half = number + 1, store, _half(store, spec)
        if half is None:
            height, width = (int(size) // 2 for size in below.grid.shape)
            half = _made(
                below, spec, f"overview{number}", below.grid.zoom_to((height, width)), shrunk(below, spec)
            )
        store = half
        yield store


def _made(
    store: BlockStore,
    spec: RasterSpec,
    name: str,
    grid: GeoBox,
    pixels: Callable[[tuple[slice, slice]], NDArray[Any]],
) -> BlockStore:
    """Blocks of whole tiles beside those of `store`, each made by `pixels`."""
    made = BlockStore(store.folder / f"{spec.name}-{name}", grid, _SIDE)
    made.folder.mkdir(exist_ok=True)
    for block in made.blocks():
        write_block(made, spec, block, pixels(block))
    return made


def _tiles(store: BlockStore, spec: RasterSpec) -> list[_Tile]:
    """Of the whole raster, row by row."""
    height, width = (-(-int(size) // TILE) for size in store.grid.shape)
    found = np.empty((height, width), object)
    for block in store.blocks():
        path = store.path(spec, block)
        with tifffile.TiffFile(path) as file:
            page = file.pages.first
            across = -(-page.imagewidth // TILE)
            for number, (offset, size) in enumerate(zip(page.dataoffsets, page.databytecounts, strict=True)):
                row, col = divmod(number, across)
                found[block[0].start // TILE + row, block[1].start // TILE + col] = _Tile(path, offset, size)
    return list(found.ravel())


def _write_head(path: Path, spec: RasterSpec, grids: list[GeoBox], large: bool) -> None:
    """A COG of the raster and its overviews without a single tile in it."""
    empty = [path.with_name(f"{path.stem}.{number}.vrt") for number in range(len(grids))]
    for number, grid in enumerate(grids):
        write_text(empty[number], _empty(spec, grid, empty[1:] if number == 0 else []))
    rasterio.shutil.copy(
        empty[0],
        path,
        driver="COG",
        compress="ZSTD",
        predictor="YES",
        blocksize=TILE,
        sparse_ok=True,
        bigtiff="YES" if large else "NO",
    )


def _empty(spec: RasterSpec, grid: GeoBox, overviews: Iterable[Path]) -> str:
    """GDAL's virtual raster format (https://gdal.org/drivers/raster/vrt.html), of nothing but holes."""
    assert grid.crs is not None
    root = ET.Element("VRTDataset", rasterXSize=str(grid.shape[1]), rasterYSize=str(grid.shape[0]))
    ET.SubElement(root, "SRS").text = grid.crs.to_wkt()
    ET.SubElement(root, "GeoTransform").text = ", ".join(repr(v) for v in grid.transform.to_gdal())
    metadata = ET.SubElement(root, "Metadata")
    for key, value in spec.tags.items():
        ET.SubElement(metadata, "MDI", key=key).text = value
    for number, name in enumerate(spec.bands, start=1):
        band = ET.SubElement(root, "VRTRasterBand", dataType=GDAL_TYPES[spec.dtype], band=str(number))
        ET.SubElement(band, "Description").text = name
        if name in _SHOWN:
            ET.SubElement(band, "ColorInterp").text = name.title()
        ET.SubElement(band, "NoDataValue").text = repr(spec.nodata)
        ET.SubElement(band, "Scale").text = repr(spec.scale)
        ET.SubElement(band, "Offset").text = repr(spec.offset)
        for overview in overviews:
            smaller = ET.SubElement(band, "Overview")
            ET.SubElement(smaller, "SourceFilename", relativeToVRT="1").text = overview.name
            ET.SubElement(smaller, "SourceBand").text = str(number)
    return ET.tostring(root, encoding="unicode")


def _fill(path: Path, levels: list[list[_Tile]]) -> None:
    """Put the tiles of the raster and its overviews into the file, the smallest overview first."""
    places = [_appended(path, tiles) for tiles in reversed(levels)]
    with tifffile.TiffFile(path, mode="r+") as file:
        for page, offsets, tiles in zip(file.pages, reversed(places), levels, strict=True):
            tags = page.aspage().tags
            tags["TileOffsets"].overwrite(offsets)
            tags["TileByteCounts"].overwrite([tile.size for tile in tiles])


def _appended(path: Path, tiles: list[_Tile]) -> list[int]:
    """Copy tiles to the end of the file; where each lies there."""
    offsets = []
    with path.open("ab") as out:
        for tile in tiles:
            with tile.path.open("rb") as source:
                source.seek(tile.offset)
                data = source.read(tile.size)
            out.write(struct.pack("<I", tile.size))
            offsets.append(out.tell())
            out.write(data)
            out.write(data[-4:])
    return offsets
