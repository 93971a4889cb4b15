"""Join again what was taken apart but turns out to be one thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from odc.geo.geobox import GeoBox

from pipeline.grid import pixel_size
from pipeline.stages.flag.candidates import Candidate
from pipeline.stages.flag.classify import Verdict
from pipeline.stages.flag.measure import measure_shape
from pipeline.stages.flag.outline import outline

Judged = tuple[Candidate, Verdict]


def rejoin(judged: Sequence[Judged], grid: GeoBox, least: float) -> list[Judged]:
    """Parts of one patch that are of one kind, each at least `least` sure, become one; the surest part
    speaks for it.

    `judged` is in the order of its patches, and so is the result.
    """
    joined: list[Judged] = []
    for _, members in groupby(judged, key=lambda pair: pair[0].patch):
        parts = list(members)
        sure = [part for part in parts if part[1].confidence >= least]
        if len(sure) > 1 and len({verdict.kind for _, verdict in sure}) == 1:
            parts = [part for part in parts if part[1].confidence < least] + [_one(sure, grid)]
        joined += parts
    return joined


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
