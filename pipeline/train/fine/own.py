"""A user's labelled pairs as samples for the fine network."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.features import rasterize

from pipeline.stages.detect.detector import KINDS
from pipeline.stages.detect.learned.inputs import Standard, nearest_bands
from pipeline.train.fine.sample import BUILDING, IGNORE, REMOVED, SOMETHING, STANDS, STOOD, Bytes, Sample
from pipeline.train.pairs import Labelled

SIZE: Final = 256
_STEP: Final = 192
_LEAST_SEEN: Final = 0.3


def store_samples(pairs: Iterable[Labelled], folder: Path) -> list[Path]:
    """Cut each pair into samples of 256 pixels a side, written to `folder` as npz files."""
    files = []
    for labelled in pairs:
        folder.mkdir(parents=True, exist_ok=True)
        images, labels = _eight_bit(labelled), _labels(labelled)
        for row, col in _corners(labels.shape[1:]):
            part = slice(row, row + SIZE), slice(col, col + SIZE)
            sample = Sample(_padded(images[:, *part], 0), _padded(labels[:, *part], IGNORE))
            if (sample.labels[0] != IGNORE).mean() >= _LEAST_SEEN:
                files.append(folder / f"{labelled.name}_{row}_{col}.npz")
                np.savez(files[-1], images=sample.images, labels=sample.labels)
    return files


def _corners(shape: tuple[int, ...]) -> list[tuple[int, int]]:
    starts = [range(0, max(size - SIZE, 0) + _STEP, _STEP) for size in shape]
    held = [
        sorted({min(start, max(size - SIZE, 0)) for start in of})
        for of, size in zip(starts, shape, strict=True)
    ]
    return [(row, col) for row in held[0] for col in held[1]]


def _padded(layers: Bytes, fill: int) -> Bytes:
    lack = [(0, 0), *((0, SIZE - size) for size in layers.shape[1:])]
    return np.pad(layers, lack, constant_values=fill)


def _eight_bit(labelled: Labelled) -> Bytes:
    """Red, green, blue of both dates, each stretched over four spreads to either side of its median."""
    chosen = list(nearest_bands(labelled.bands, ("red", "green", "blue")))
    dates = [image[chosen] for image in (labelled.pair.before, labelled.pair.after)]
    shown = np.concatenate([Standard.of(date)(date) for date in dates])
    return np.asarray(np.rint(127.5 + 31.8 * shown), np.uint8)


def _labels(labelled: Labelled) -> Bytes:
    """(4, y, x) as in Sample; buildings that were there on both dates are not known."""
    truth, grid = labelled.truth, labelled.grid
    labels = np.zeros((4, *grid.shape), np.uint8)
    labels[[STOOD, STANDS]] = IGNORE
    built, gone = (truth["direction"].isin(names) for names in (("new", "altered"), ("removed",)))
    _draw(labels[0], truth[built], grid)
    _draw(labels[REMOVED], truth[gone], grid)
    labels[STANDS][labels[0] == BUILDING] = 1
    labels[STOOD][labels[REMOVED] == BUILDING] = 1
    labels[:, ~labelled.pair.observed] = IGNORE
    return labels


def _draw(layer: NDArray[np.uint8], things: gpd.GeoDataFrame, grid: GeoBox) -> None:
    codes = [1 + KINDS.index(kind) if kind in KINDS else SOMETHING for kind in things["kind"]]
    for shape, code in zip(things.geometry, codes, strict=True):
        layer[rasterize([shape], layer.shape, transform=grid.transform, dtype="uint8") == 1] = code
