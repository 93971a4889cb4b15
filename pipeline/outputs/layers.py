"""A detector's layers on disk, between detect and flag: scratch, never delivered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.windows import Window

from pipeline.outputs.rasters import Block, BlockStore, RasterSpec
from pipeline.stages.detect.detector import NOT_OBSERVED


@dataclass(frozen=True)
class LayerStore:
    """A `LayerReader` over blocks that workers have written: one raster, a band a layer."""

    store: BlockStore
    spec: RasterSpec
    detector: str

    @classmethod
    def of(cls, folder: Path, grid: GeoBox, names: Sequence[str], detector: str) -> LayerStore:
        """An empty one under `folder`, for what `detector` (its name) gives."""
        store = BlockStore(folder / "layers", grid)
        store.folder.mkdir(exist_ok=True)
        return cls(store, RasterSpec("layers", tuple(names), "uint8", NOT_OBSERVED), detector)

    @property
    def names(self) -> tuple[str, ...]:
        """The layers there are, `change` first."""
        return self.spec.bands

    def write(self, block: Block, layers: NDArray[np.uint8]) -> None:
        """Keep one block (layer, y, x), in percent."""
        self.store.write(self.spec, block, layers)

    def finish(self, blocks: Sequence[Block]) -> None:
        """All blocks are there; from now on they can be read."""
        self.store.virtual(self.spec, blocks)

    def __call__(self, rows: slice, cols: slice) -> NDArray[np.uint8]:
        """A window of all layers (layer, y, x), `NOT_OBSERVED` where not seen on both dates."""
        window = Window(cols.start, rows.start, cols.stop - cols.start, rows.stop - rows.start)
        with rasterio.open(self._path) as file:
            layers: NDArray[np.uint8] = file.read(window=window)
        return layers

    def layer(self, name: str, rows: slice) -> NDArray[np.uint8]:
        """Some rows of one layer (y, x). Raises KeyError where there is none of that name."""
        if name not in self.names:
            raise KeyError(name)
        with rasterio.open(self._path) as file:
            window = Window(0, rows.start, file.width, rows.stop - rows.start)
            layer: NDArray[np.uint8] = file.read(self.names.index(name) + 1, window=window)
        return layer

    @property
    def _path(self) -> Path:
        return self.store.folder / f"{self.spec.name}.vrt"
