"""Rasters as blocks, written by whichever worker has them, before they are made one file.

Every block is a small GeoTIFF of its own in a folder beside the result, so no image passes through the
client and nothing needs a lock.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import rasterio
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.windows import Window

from pipeline.grid import blocks
from pipeline.keep_open import kept_open
from pipeline.outputs.files import writing
from pipeline.outputs.rasters import RasterSpec
from pipeline.pair import Pair

Block = tuple[slice, slice]

TILE = 512  # pixels a side of what is compressed together


@dataclass(frozen=True)
class BlockStore:
    """Blocks of the rasters of one result: squares of `side` pixels of `grid`, in `folder`."""

    folder: Path
    grid: GeoBox
    side: int

    def blocks(self) -> list[Block]:
        """Rows and columns of each, row by row."""
        return blocks(self.grid, self.side)

    def write(self, spec: RasterSpec, block: Block, pixels: NDArray[Any]) -> None:
        """Keep one block (band, y, x), already encoded, in tiles compressed as those of the final file.

        Raises OutputError.
        """
        rows, cols = block
        profile = {
            "driver": "GTiff",
            "height": rows.stop - rows.start,
            "width": cols.stop - cols.start,
            "count": len(spec.bands),
            "dtype": spec.dtype,
            "compress": "zstd",
            "zstd_level": 1,  # DEFLATE takes twice as long, and makes an image a twentieth smaller
            "predictor": 3 if np.dtype(spec.dtype).kind == "f" else 2,
            "interleave": "pixel",
            "tiled": True,
            "blockxsize": TILE,
            "blockysize": TILE,
            "transform": self.grid[rows, cols].transform,
        }
        path = self.path(spec, block)
        part = path.with_name(f".{uuid4().hex}-{path.name}")
        with writing(path):
            with rasterio.open(part, "w", **profile) as file:
                file.write(pixels)
            part.replace(path)  # a worker that was given up for lost may be writing the same

    def read(
        self, spec: RasterSpec, rows: slice, cols: slice, bands: Sequence[int] | None = None
    ) -> NDArray[Any]:
        """A window (band, y, x) as stored; `bands`: from 1, all if not given.

        Straight from the blocks: GDAL's virtual rasters share a pool of open files, and threads that read
        several of them at once may wait for each other for ever.
        """
        count = len(spec.bands) if bands is None else len(bands)
        out = np.empty((count, rows.stop - rows.start, cols.stop - cols.start), spec.dtype)
        for row in range(rows.start // self.side * self.side, rows.stop, self.side):
            for col in range(cols.start // self.side * self.side, cols.stop, self.side):
                top, left = max(row, rows.start), max(col, cols.start)
                with kept_open(self.path(spec, (slice(row, row), slice(col, col)))) as file:
                    bottom, right = min(row + file.height, rows.stop), min(col + file.width, cols.stop)
                    window = Window(left - col, top - row, right - left, bottom - top)
                    part = file.read(bands, window=window)
                out[:, top - rows.start : bottom - rows.start, left - cols.start : right - cols.start] = part
        return out

    def path(self, spec: RasterSpec, block: Block) -> Path:
        """The file of a block."""
        return self.folder / f"{spec.name}_{block[0].start}_{block[1].start}.tif"

    def discard(self) -> None:
        """Remove the blocks."""
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True)
class BlockReader:
    """Windows of both dates, as physical values."""

    store: BlockStore
    before: RasterSpec
    after: RasterSpec

    def __call__(self, rows: slice, cols: slice) -> Pair:
        """The window as a Pair; rows and columns lie inside the grid."""
        before, after = (spec.decode(self.store.read(spec, rows, cols)) for spec in (self.before, self.after))
        return Pair.of(before, after)
