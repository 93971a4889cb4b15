"""Rasters: blocks written by whichever worker has them, joined once into a Cloud Optimized GeoTIFF (OGC
21-026).

Every block is a small GeoTIFF of its own under a hidden folder beside the result, so no image passes
through the client and nothing needs a lock. A GDAL virtual raster joins them, and GDAL's COG driver makes
tiles and overviews of that.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4
from xml.etree import ElementTree as ET

import numpy as np
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.windows import Window

from pipeline.outputs.files import write_text
from pipeline.pair import Float, Pair

Block = tuple[slice, slice]

_TILE = 512  # pixels a side
_STRIP = 1024  # rows
_GDAL_TYPES = {
    "uint8": "Byte",
    "int8": "Int8",
    "uint16": "UInt16",
    "int16": "Int16",
    "uint32": "UInt32",
    "int32": "Int32",
    "float32": "Float32",
    "float64": "Float64",
}


@dataclass(frozen=True)
class RasterSpec:
    """What one raster of a result holds. Physical value = stored value * scale + offset."""

    name: str
    bands: tuple[str, ...]
    dtype: str
    nodata: float
    scale: float = 1.0
    offset: float = 0.0
    overviews: str = "average"
    tags: Mapping[str, str] = field(default_factory=dict)

    def encode(self, image: Float) -> NDArray[Any]:
        """Physical values (band, y, x), NaN where unobserved, as stored: rounded, clipped to the type,
        never the nodata.
        """
        if np.dtype(self.dtype).kind == "f":
            return image.astype(self.dtype)
        info = np.iinfo(self.dtype)
        low = info.min + (self.nodata == info.min)
        high = info.max - (self.nodata == info.max)
        missing = np.isnan(image)
        stored = np.clip(np.rint((np.nan_to_num(image) - self.offset) / self.scale), low, high)
        if low < self.nodata < high:
            stored[stored == self.nodata] += 1
        return np.where(missing, self.nodata, stored).astype(self.dtype)


def image_spec(
    name: str, attrs: Mapping[str, Any], bands: tuple[str, ...], tags: Mapping[str, str]
) -> RasterSpec:
    """How an image is written: in the type it was delivered in, with a nodata value even where it came with
    none.
    """
    dtype, nodata = str(attrs["dtype"]), attrs["nodata"]
    if dtype not in _GDAL_TYPES or np.dtype(dtype).kind == "f":
        return RasterSpec(name, bands, "float32", float("nan"), tags=tags)
    if nodata is None or not _fits(nodata, dtype):
        nodata = np.iinfo(dtype).min
    return RasterSpec(
        name, bands, dtype, float(nodata), float(attrs["scale"]), float(attrs["offset"]), tags=tags
    )


def _fits(nodata: float, dtype: str) -> bool:
    info = np.iinfo(dtype)
    return not np.isnan(nodata) and info.min <= nodata <= info.max and float(nodata).is_integer()


@dataclass(frozen=True)
class BlockStore:
    """Blocks of the rasters of one result, in `folder` until they are joined."""

    folder: Path
    grid: GeoBox

    def write(self, spec: RasterSpec, block: Block, pixels: NDArray[Any]) -> None:
        """Keep one block (band, y, x), already encoded."""
        rows, cols = block
        profile = {
            "driver": "GTiff",
            "height": rows.stop - rows.start,
            "width": cols.stop - cols.start,
            "count": len(spec.bands),
            "dtype": spec.dtype,
            "compress": "zstd",
            "zstd_level": 1,
            "interleave": "band",
            "tiled": True,
            "blockxsize": _TILE,
            "blockysize": _TILE,
            "transform": self.grid[rows, cols].transform,
        }
        path = self._path(spec, block)
        part = path.with_name(f".{uuid4().hex}-{path.name}")
        with rasterio.open(part, "w", **profile) as file:
            file.write(pixels)
        part.replace(path)  # a worker that was given up for lost may be writing the same

    def read(
        self, spec: RasterSpec, side: int, rows: slice, cols: slice, bands: Sequence[int] | None = None
    ) -> NDArray[Any]:
        """A window (band, y, x) as stored, of blocks that are squares of `side` pixels; `bands`: from 1.

        Straight from the blocks: GDAL's virtual rasters share a pool of open files, and threads that read
        several of them at once may wait for each other for ever.
        """
        count = len(spec.bands) if bands is None else len(bands)
        out = np.empty((count, rows.stop - rows.start, cols.stop - cols.start), spec.dtype)
        for row in range(rows.start // side * side, rows.stop, side):
            for col in range(cols.start // side * side, cols.stop, side):
                top, left = max(row, rows.start), max(col, cols.start)
                with rasterio.open(self._path(spec, (slice(row, row), slice(col, col)))) as file:
                    bottom, right = min(row + file.height, rows.stop), min(col + file.width, cols.stop)
                    window = Window(left - col, top - row, right - left, bottom - top)
                    part = file.read(bands, window=window)
                out[:, top - rows.start : bottom - rows.start, left - cols.start : right - cols.start] = part
        return out

    def join(self, spec: RasterSpec, blocks: Iterable[Block], target: Path) -> None:
        """Make the COG `target` of all blocks, written beside it first and renamed when whole."""
        virtual = self.virtual(spec, blocks)
        part = self.folder / f"{spec.name}.cog.tif"
        rasterio.shutil.copy(
            virtual,
            part,
            driver="COG",
            compress="ZSTD",
            level=1,  # DEFLATE takes twice as long, and makes an image a twentieth smaller
            predictor="YES",
            blocksize=_TILE,
            overview_resampling=spec.overviews,
            num_threads="ALL_CPUS",
            bigtiff="IF_SAFER",
        )
        part.replace(target)

    def virtual(self, spec: RasterSpec, blocks: Iterable[Block]) -> Path:
        """All blocks as one raster that GDAL can read, for as long as they are there."""
        path = self.folder / f"{spec.name}.vrt"
        write_text(path, self._virtual_raster(spec, blocks))
        return path

    def discard(self) -> None:
        """Remove the blocks."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, spec: RasterSpec, block: Block) -> Path:
        return self.folder / f"{spec.name}_{block[0].start}_{block[1].start}.tif"

    def _virtual_raster(self, spec: RasterSpec, blocks: Iterable[Block]) -> str:
        """GDAL's virtual raster format: https://gdal.org/drivers/raster/vrt.html."""
        height, width = self.grid.shape
        root = ET.Element("VRTDataset", rasterXSize=str(width), rasterYSize=str(height))
        assert self.grid.crs is not None
        ET.SubElement(root, "SRS").text = self.grid.crs.to_wkt()
        ET.SubElement(root, "GeoTransform").text = ", ".join(repr(v) for v in self.grid.transform.to_gdal())
        metadata = ET.SubElement(root, "Metadata")
        for key, value in spec.tags.items():
            ET.SubElement(metadata, "MDI", key=key).text = value
        listed = list(blocks)
        for number, name in enumerate(spec.bands, start=1):
            band = ET.SubElement(root, "VRTRasterBand", dataType=_GDAL_TYPES[spec.dtype], band=str(number))
            ET.SubElement(band, "Description").text = name
            ET.SubElement(band, "NoDataValue").text = repr(spec.nodata)
            ET.SubElement(band, "Scale").text = repr(spec.scale)
            ET.SubElement(band, "Offset").text = repr(spec.offset)
            for block in listed:
                self._add_source(band, spec, block, number)
        return ET.tostring(root, encoding="unicode")

    def _add_source(self, band: ET.Element, spec: RasterSpec, block: Block, number: int) -> None:
        rows, cols = block
        width, height = str(cols.stop - cols.start), str(rows.stop - rows.start)
        source = ET.SubElement(band, "SimpleSource")
        ET.SubElement(source, "SourceFilename", relativeToVRT="1").text = self._path(spec, block).name
        ET.SubElement(source, "SourceBand").text = str(number)
        ET.SubElement(source, "SrcRect", xOff="0", yOff="0", xSize=width, ySize=height)
        ET.SubElement(
            source, "DstRect", xOff=str(cols.start), yOff=str(rows.start), xSize=width, ySize=height
        )


@dataclass(frozen=True)
class BlockReader:
    """Windows of both dates, as physical values, of blocks that are squares of `side` pixels."""

    store: BlockStore
    before: RasterSpec
    after: RasterSpec
    side: int

    def __call__(self, rows: slice, cols: slice) -> Pair:
        """The window as a Pair; rows and columns lie inside the grid."""
        before, after = (
            _physical(self.store.read(spec, self.side, rows, cols), spec.scale, spec.offset, spec.nodata)
            for spec in (self.before, self.after)
        )
        return Pair.of(before, after)


@dataclass(frozen=True)
class PairReader:
    """Windows of both dates of a result, as physical values."""

    before: Path
    after: Path

    def __call__(self, rows: slice, cols: slice) -> Pair:
        """The window as a Pair; rows and columns lie inside the grid."""
        return Pair.of(_read(self.before, rows, cols), _read(self.after, rows, cols))


def write_cog(path: Path, spec: RasterSpec, grid: GeoBox, strip: Callable[[slice], NDArray[Any]]) -> None:
    """Write a raster as a COG, of which `strip` gives some rows (band, y, x) at a time, already encoded."""
    store = BlockStore(path.with_name(f".{path.stem}-blocks"), grid)
    store.folder.mkdir(exist_ok=True)
    height, width = (int(size) for size in grid.shape)
    cut = [(slice(row, min(row + _STRIP, height)), slice(0, width)) for row in range(0, height, _STRIP)]
    for rows, cols in cut:
        store.write(spec, (rows, cols), strip(rows))
    store.join(spec, cut, path)
    store.discard()


def _read(path: Path, rows: slice, cols: slice) -> Float:
    window = Window(cols.start, rows.start, cols.stop - cols.start, rows.stop - rows.start)
    with rasterio.open(path) as file:
        return _physical(file.read(window=window), file.scales[0], file.offsets[0], file.nodata)


def _physical(stored: NDArray[Any], scale: float, offset: float, nodata: float) -> Float:
    values = stored.astype(np.float32) * np.float32(scale) + np.float32(offset)
    return np.where(stored == nodata, np.float32(np.nan), values)
