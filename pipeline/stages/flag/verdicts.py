"""What a patch of changed pixels amounts to: one thing, or several that touch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pipeline.stages.flag.candidates import Candidate, Patch
from pipeline.stages.flag.classify import Verdict, classify
from pipeline.stages.flag.known import Known
from pipeline.stages.flag.shape import measure_shape
from pipeline.stages.flag.things import Thing

Judged = tuple[Candidate, Verdict]


def judge(patch: Patch, known: Known, resolution: float, least: float) -> list[Thing]:
    """The things in a patch of images of `resolution` metres a pixel.

    The parts, where at least one of them is `least` sure; those that are, and are of one kind, become one
    thing again, for which the surest speaks. Else the patch as a whole: a group of machines is nothing but
    together.
    """
    level = known.levels.edge
    parts = [(part, classify(part.measures, known.networks)) for part in patch.parts]
    sure = [part for part in parts if part[1].confidence >= least]
    if not sure:
        return [_thing(patch.whole, classify(patch.whole.measures, known.networks), level)]
    if len(sure) > 1 and len({verdict.kind for _, verdict in sure}) == 1:
        rest = [_thing(*part, level) for part in parts if part[1].confidence < least]
        return [*rest, _one(sure, level, resolution)]
    return [_thing(*part, level) for part in parts]


def _thing(candidate: Candidate, verdict: Verdict, level: float) -> Thing:
    return Thing(
        window=candidate.window,
        inside=candidate.inside,
        percent=candidate.percent,
        shape=candidate.measures.shape,
        kind=verdict.kind,
        direction=verdict.direction,
        confidence=verdict.confidence,
        new=verdict.new,
        level=level,
    )


def _one(parts: Sequence[Judged], level: float, resolution: float) -> Thing:
    first, verdict = max(parts, key=lambda pair: pair[1].confidence)
    inside = first.inside.copy()
    for part, _ in parts:
        inside |= part.inside
    return replace(_thing(first, verdict, level), inside=inside, shape=measure_shape(inside, resolution))
