"""The finished comparisons in a site's folder, found again by what they left there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline.outputs.provenance import RUN_FILE

_PAIR = re.compile(r"(\d{4}-\d\d-\d\d)_(\d{4}-\d\d-\d\d)")


@dataclass(frozen=True)
class PairResult:
    """One finished comparison: its folder, and its two dates, YYYY-MM-DD."""

    folder: Path
    before: str
    after: str

    @cached_property
    def told(self) -> dict[str, Any]:
        """What run.json says."""
        return read_run(self.folder) or {}


def pair_results(site: Path) -> list[PairResult]:
    """All whole results in a site's folder, by their later date."""
    found = [
        PairResult(folder, *match.groups())
        for folder in site.iterdir()
        if (match := _PAIR.fullmatch(folder.name)) and is_complete(folder)
    ]
    return sorted(found, key=lambda pair: (pair.after, pair.before))


def is_pair(name: str) -> bool:
    """Whether a folder is named as that of one comparison in a site's folder."""
    return _PAIR.fullmatch(name) is not None


def read_run(folder: Path) -> dict[str, Any] | None:
    """What run.json says; None where no run ended in this folder."""
    try:
        told = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) else None


def is_complete(folder: Path, mark: str | None = None) -> bool:
    """Whether a run ended in this folder, and, where a fingerprint is given, whether run.json names it."""
    told = read_run(folder)
    return told is not None and (mark is None or told.get("fingerprint") == mark)


def observed_shares(folder: Path) -> tuple[float, float]:
    """Share 0..1 of the grid that the date before and the date after show, by run.json."""
    seen = (read_run(folder) or {}).get("observed", {})
    return float(seen.get("before", 1.0)), float(seen.get("after", 1.0))


def showing(
    results: Iterable[PairResult], reference: str, not_before: str | None, first_seen: str
) -> PairResult | None:
    """The result that shows best how a thing came: it ends on the day that the thing was first seen, and
    begins on the `reference` date, on whose ground outlines lie; else on the last day without the thing, or
    as near before that as there is. None where no result ends on that day.
    """

    def worth(pair: PairResult) -> tuple[bool, bool, str]:
        return pair.before == reference, pair.before <= (not_before or ""), pair.before

    return max((pair for pair in results if pair.after == first_seen), key=worth, default=None)
