"""Which tiles need not be run at all: both dates look the same everywhere in them."""

from __future__ import annotations

import numpy as np

from pipeline.pair import Float

CELL = 8  # pixels a side


def difference(pair: Float) -> float:
    """The largest rms difference of both dates over a cell of 8 x 8 pixels and all bands.

    `pair`: standardised input (2 x band, y, x), sides multiples of 8; the unit is its spread.
    """
    half = pair.shape[0] // 2
    squared = np.square(pair[half:] - pair[:half]).mean(axis=0)
    height, width = squared.shape
    cells = squared.reshape(height // CELL, CELL, width // CELL, CELL).mean(axis=(1, 3))
    return float(np.sqrt(cells.max()))
