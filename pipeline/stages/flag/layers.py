"""Layers of a scene that is all in memory, as `flag` reads them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.stages.detect.detector import CHANGE

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class ArrayLayers:
    """A `LayerReader` over an array. `stack`: percent (layer, y, x), 255 = not observed, as `names` order
    them. `detector`: its name, where it is not the usual one for such layers.
    """

    names: tuple[str, ...]
    stack: Bytes
    detector: str = ""

    def __post_init__(self) -> None:
        if self.stack.ndim != 3 or len(self.names) != len(self.stack):
            raise ValueError(f"{len(self.names)} names for layers of shape {self.stack.shape}")

    @classmethod
    def of_change(cls, percent: Bytes) -> ArrayLayers:
        """The layers of a detector that gives `change` (y, x) alone."""
        return cls((CHANGE,), percent[None])

    def __call__(self, rows: slice, cols: slice) -> Bytes:
        """A window of all layers (layer, y, x)."""
        return np.asarray(self.stack[:, rows, cols])

    def layer(self, name: str, rows: slice) -> Bytes:
        """Some rows of one layer (y, x). Raises KeyError where there is none of that name."""
        if name not in self.names:
            raise KeyError(name)
        return np.asarray(self.stack[self.names.index(name), rows])
