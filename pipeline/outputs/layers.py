"""A detector's layers on disk, between detect and flag: scratch, never delivered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from pipeline.outputs.blocks import Block, BlockStore
from pipeline.outputs.rasters import RasterSpec
from pipeline.stages.detect.detector import NOT_OBSERVED


@dataclass(frozen=True)
class LayerStore:
    """A `LayerReader` over blocks that workers have written: a band a layer."""

    store: BlockStore
    spec: RasterSpec
    detector: str

    @classmethod
    def of(cls, folder: Path, grid: GeoBox, names: Sequence[str], side: int, detector: str) -> LayerStore:
        """An empty one under `folder`, in blocks of `side` pixels, for what `detector` (its name) gives."""
        store = BlockStore(folder / f"layers-{side}", grid, side)
        store.folder.mkdir(exist_ok=True)
        return cls(store, RasterSpec("layers", tuple(names), "uint8", NOT_OBSERVED), detector)

    @property
    def names(self) -> tuple[str, ...]:
        """The layers there are, `change` first."""
        return self.spec.bands

    def write(self, block: Block, layers: NDArray[np.uint8]) -> None:
        """Keep one block (layer, y, x), in percent."""
        self.store.write(self.spec, block, layers)

    def path(self, block: Block) -> Path:
        """The file of a block."""
        return self.store.path(self.spec, block)

    def __call__(self, rows: slice, cols: slice) -> NDArray[np.uint8]:
        """A window of all layers (layer, y, x), `NOT_OBSERVED` where not seen on both dates."""
        return self.store.read(self.spec, rows, cols)

    def layer(self, name: str, rows: slice) -> NDArray[np.uint8]:
        """Some rows of one layer (y, x). Raises KeyError where there is none of that name."""
        if name not in self.names:
            raise KeyError(name)
        cols = slice(0, int(self.store.grid.shape[1]))
        layer: NDArray[np.uint8] = self.store.read(self.spec, rows, cols, [self.names.index(name) + 1])[0]
        return layer
