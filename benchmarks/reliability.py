"""Whether a confidence is what it says: of findings at 0.8, eight in ten should be real."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.report import Row

EDGES = (0.0, 0.6, 0.7, 0.8, 0.9, 1.0)


def judged(result: Path, objects: Mapping[str, Any], removed: bool = True) -> list[tuple[float, bool]]:
    """(confidence, is it real) of every finding of a result; `objects` is what `evaluate` says of it.

    `removed`: whether truth knows what was removed, so that such findings can be judged.
    """
    found = json.loads((result / "changes.geojson").read_text(encoding="utf-8"))["features"]
    false = {one["id"] for one in objects["false_findings"]}
    told = [feature["properties"] for feature in found]
    known = [one for one in told if removed or one["direction"] != "removed"]
    return [(float(one["confidence"]), one["id"] not in false) for one in known]


def reliability(findings: Iterable[tuple[float, bool]]) -> list[Row]:
    """Findings by confidence, what they claim and how many of them are real."""
    known = list(findings)
    rows = []
    for low, high in pairwise(EDGES):
        here = [one for one in known if low <= one[0] < high or (one[0] == high == EDGES[-1])]
        if here:
            rows.append(_row(f"{low:g} to {high:g}", here))
    return [*rows, _row("all", known)] if known else []


def _row(name: str, here: Sequence[tuple[float, bool]]) -> Row:
    claimed, real = (sum(one[i] for one in here) / len(here) for i in (0, 1))
    return {"confidence": name, "findings": len(here), "mean": claimed, "real": real}
