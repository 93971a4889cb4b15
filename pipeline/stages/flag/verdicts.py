"""What a patch of changed pixels amounts to: one thing, or several that touch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from odc.geo.geobox import GeoBox

from pipeline.grid import pixel_size
from pipeline.stages.flag.candidates import Candidate, Patch
from pipeline.stages.flag.classify import Verdict, classify
from pipeline.stages.flag.measure import measure_shape
from pipeline.stages.flag.outline import outline

Judged = tuple[Candidate, Verdict]


def judge(patch: Patch, grid: GeoBox, least: float) -> list[Judged]:
    """The things in a patch, each with its verdict.

    The parts, where at least one of them is `least` sure; those that are, and are of one kind, become one
    thing again, for which the surest speaks. Else the patch as a whole: a group of machines is nothing but
    together.
    """
    resolution = pixel_size(grid)
    parts = [(part, classify(part.measures, resolution)) for part in patch.parts]
    sure = [part for part in parts if part[1].confidence >= least]
    if not sure:
        return [(patch.whole, classify(patch.whole.measures, resolution))]
    if len(sure) > 1 and len({verdict.kind for _, verdict in sure}) == 1:
        return [part for part in parts if part[1].confidence < least] + [_one(sure, grid)]
    return parts


def _one(parts: Sequence[Judged], grid: GeoBox) -> Judged:
    first, verdict = max(parts, key=lambda pair: pair[1].confidence)
    inside = first.inside.copy()
    for part, _ in parts:
        inside |= part.inside
    shape = measure_shape(inside, pixel_size(grid))
    measures = replace(first.measures, shape=shape, pixels=int(inside.sum()))
    return replace(
        first, inside=inside, measures=measures, outline=outline(inside, grid[first.window])
    ), verdict
