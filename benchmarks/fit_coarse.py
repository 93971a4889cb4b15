"""Objects in the OSCD cities, as detectors of change see cities that they were not fitted on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from benchmarks.examples import Example
from benchmarks.fit_layers import MATCHED
from benchmarks.fit_sure import Judged
from benchmarks.oscd import RESOLUTION
from pipeline.stages.detect.detector import CHANGE
from pipeline.stages.flag.candidates import find_patches
from pipeline.stages.flag.layers import ArrayLayers
from pipeline.stages.flag.measure import Measures
from pipeline.stages.flag.segment import Levels
from pipeline.train.coarse.labelled import Labelled

USED = (
    "percent",
    "high percent",
    "sure",
    "stands out",
    "log pixels",
    "alike",
    "vegetation before",
    "vegetation after",
    "contrast before",
    "contrast after",
    "edge before",
    "edge after",
    "bright after",
)
"""Of the measures: little to overfit."""


def city_examples(
    cities: Sequence[Labelled], percents: Sequence[NDArray[np.uint8]], detector: str
) -> Iterator[Example]:
    """Cities as a detector sees them: `percents` (y, x) are of change, 255 = not observed."""
    for city, percent in zip(cities, percents, strict=True):
        corner = Affine(RESOLUTION, 0, 600_000, 0, -RESOLUTION, 3_800_000)
        grid = GeoBox(city.truth.shape, corner, "EPSG:32637")
        layers = ArrayLayers((CHANGE,), percent[None], detector)
        truth, unknown = {"building": city.truth}, np.zeros(city.truth.shape, bool)
        yield Example(layers, city.pair, city.bands, truth, unknown, grid, city.name)


def judged(examples: Iterable[Example], levels: Levels) -> Judged:
    """All objects of change alone, and which of them are real; truth knows nothing of kinds."""
    vectors, real, groups = [], [], []
    for example in examples:
        truth = np.any(list(example.truth.values()), axis=0)
        for patch in find_patches(example.layers, example.pair.window, example.grid, example.bands, levels):
            whole = patch.whole
            vectors.append(whole.measures.vector())
            real.append(float(truth[whole.window][whole.inside].mean()) >= MATCHED)
            groups.append(example.group)
    table = np.array(vectors).reshape(-1, len(Measures.names()))
    return Judged(table, Measures.names(), np.array(real, bool), [""] * len(real), groups)
