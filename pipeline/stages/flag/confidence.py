"""How sure an object of a detector's layers is, and in which direction it goes.

The confidence is a small network over the object's layer statistics, fitted on data kept out from the
detector's own training and calibrated there; weights.json holds one a regime and direction, and
`python -m benchmarks.fit_flag` remakes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pipeline.stages.detect.detector import CHANGE
from pipeline.stages.flag.groups import corner
from pipeline.stages.flag.known import Known
from pipeline.stages.flag.network import FINDING
from pipeline.stages.flag.objects import Object
from pipeline.stages.flag.things import Thing

_STOOD = 0.5  # mean probability that a building stood here: a new one is altered
_REBUILT = 0.5  # share of what was removed that something new covers: not removed but altered


def judge_objects(objects: Sequence[Object], known: Known) -> list[Thing]:
    """Things from objects.

    What was removed where something new stands is no thing of its own: the new one is altered.
    """
    things = [_thing(each, known) for each in objects]
    new = [thing for thing in things if thing.found_in == CHANGE]
    removed = [thing for thing in things if thing.found_in != CHANGE]
    for gone in list(removed):
        shares = [_overlap(gone, thing) for thing in new]
        if sum(shares) >= _REBUILT * float(gone.inside.sum()):
            removed.remove(gone)
            new = [
                replace(thing, direction="altered") if share and thing.kind == gone.kind else thing
                for thing, share in zip(new, shares, strict=True)
            ]
    return new + removed


def _thing(each: Object, known: Known) -> Thing:
    is_new = each.found_in == CHANGE
    confidence = known.networks["new" if is_new else "removed"](each.stats)[FINDING]
    kind = _kind(each, known) if is_new else each.kind
    altered = is_new and kind == "building" and each.stats["standing"] >= _STOOD
    return Thing(
        window=each.window,
        inside=each.inside,
        percent=each.percent,
        shape=each.shape,
        kind=kind,
        direction="removed" if not is_new else "altered" if altered else "new",
        confidence=confidence,
        new=confidence if is_new else 0.0,
        found_in=each.found_in,
        level=known.levels.edge,
    )


def _kind(each: Object, known: Known) -> str:
    """What its layers and its shape together say; by its layers alone where nothing was fitted."""
    if "kind" not in known.networks:
        return each.kind
    chances = known.networks["kind"](each.stats)
    return max(chances, key=chances.__getitem__)


def _overlap(one: Thing, other: Thing) -> int:
    """Pixels that both have."""
    (rows, cols), (more_rows, more_cols) = one.window, other.window
    if rows.stop <= more_rows.start or more_rows.stop <= rows.start:
        return 0
    if cols.stop <= more_cols.start or more_cols.stop <= cols.start:
        return 0
    starts = [max(rows.start, more_rows.start), max(cols.start, more_cols.start)]
    stops = [min(rows.stop, more_rows.stop), min(cols.stop, more_cols.stop)]
    parts = [
        thing.inside[
            tuple(slice(a - c, b - c) for a, b, c in zip(starts, stops, corner(thing.window), strict=True))
        ]
        for thing in (one, other)
    ]
    return int((parts[0] & parts[1]).sum())
