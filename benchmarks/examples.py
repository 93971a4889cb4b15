"""Pairs with truth, as a detector sees them: what the confidence of findings is fitted on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from affine import Affine
from odc.geo.geobox import GeoBox

from pipeline.pair import Mask, Pair
from pipeline.stages.detect import Detect
from pipeline.stages.detect.detector import KINDS, REMOVED, LayerReader
from pipeline.stages.flag.layers import ArrayLayers
from pipeline.stages.flag.segment import Bytes

RGB = ("red", "green", "blue")
_SPECIAL = 254  # labels from here on say that something is not known


class Example(NamedTuple):
    """A pair that a detector has seen.

    `truth`: (y, x) masks by name, of KINDS and `removed`; one that is missing is empty. `unknown`: where
    nobody knows. `group`: examples of one group are kept out together.
    """

    layers: LayerReader
    pair: Pair
    bands: tuple[str, ...]
    truth: dict[str, Mask]
    unknown: Mask
    grid: GeoBox
    group: str


def seen(
    detect: Detect, pair: Pair, bands: tuple[str, ...], grid: GeoBox, truth: dict[str, Mask], group: str
) -> Example:
    """A pair as `detect` sees it, all of its truth known."""
    detector = detect.fit([pair], bands, grid.resolution.x)
    layers = ArrayLayers(detector.layers, detector(pair))
    return Example(layers, pair, bands, truth, np.zeros(pair.observed.shape, bool), grid, group)


def from_samples(detect: Detect, files: Iterable[Path], resolution: float = 0.5) -> Iterator[Example]:
    """Examples from files as the fine network's training has them (`pipeline.train.fine.sample.Sample`), none
    of which it may have been trained on.
    """
    for file in files:
        with np.load(file) as held:
            images, labels = held["images"], held["labels"]
        yield from_sample(detect, images, labels, resolution, file.stem)


def from_sample(detect: Detect, images: Bytes, labels: Bytes, resolution: float, group: str) -> Example:
    """An example from `Sample.images` (6, y, x) and `Sample.labels` (4, y, x), both uint8."""
    scaled = images.astype(np.float32) / np.float32(255)
    new, gone = labels[:2]
    truth: dict[str, Mask] = {kind: new == 1 + i for i, kind in enumerate(KINDS)}
    truth[REMOVED] = (gone > 0) & (gone < _SPECIAL)
    size = new.shape
    corner = Affine(resolution, 0, 600_000, 0, -resolution, 3_800_000)
    grid = GeoBox(size, corner, "EPSG:32637")
    example = seen(detect, Pair.of(scaled[:3], scaled[3:]), RGB, grid, truth, group)
    return example._replace(unknown=(new >= _SPECIAL) | (gone >= _SPECIAL))
