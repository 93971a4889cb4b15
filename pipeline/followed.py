"""What the timeline knows of the findings of the latest date, told in the reports that show them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from pipeline.outputs.report import tell_followed
from pipeline.outputs.words import known, long_date
from pipeline.places import on_the_reference
from pipeline.results import PairResult
from pipeline.stages.track import Timeline

_SAME = 0.3  # share of a finding's ground that a thing must cover to be it
_STATUS = {
    "candidate": "not yet sure",
    "confirmed": "confirmed on later dates",
    "refuted": "not seen again",
    "removed": "since gone",
}


def tell_reports(timeline: Timeline, results: Sequence[PairResult]) -> None:
    """Add when each finding was first and last seen to the reports that end on the latest date: earlier ones
    say what was known when theirs was. Raises OutputError, SourceUnreadableError.
    """
    reference, latest = timeline.phases["date"].min(), timeline.phases["date"].max()
    since = {pair.after: pair.folder for pair in results if pair.before == reference}
    for pair in results:
        if pair.after != latest or (pair.before != reference and pair.before not in since):
            continue
        findings = gpd.read_parquet(pair.folder / "changes.parquet").to_crs(timeline.findings.crs)
        if pair.before != reference:
            findings = on_the_reference(findings, since[pair.before] / "shift.tif")
        tell_followed(pair.folder, _facts(findings, timeline.findings, latest))


def _facts(
    findings: gpd.GeoDataFrame, things: gpd.GeoDataFrame, until: str
) -> dict[int, list[tuple[str, str]]]:
    """For each finding that is a thing followed, what the report says of it."""
    owners = _owners(findings.geometry.to_numpy(), things.geometry.to_numpy())
    rows = things.drop(columns="geometry").to_dict("records")
    return {
        int(number): _told(rows[owner], until)
        for number, owner in zip(findings["id"], owners.tolist(), strict=True)
        if owner >= 0
    }


def _owners(findings: Any, things: Any) -> np.ndarray:
    """For each outline the thing that covers most of it, -1 where none covers enough."""
    owners = np.full(len(findings), -1)
    best = np.full(len(findings), _SAME)
    for finding, thing in shapely.STRtree(things).query(findings, predicate="intersects").T.tolist():
        area = max(shapely.area(findings[finding]), 1e-9)
        share = shapely.area(shapely.intersection(findings[finding], things[thing])) / area
        if share > best[finding]:
            owners[finding], best[finding] = thing, share
    return owners


def _told(thing: dict[str, Any], until: str) -> list[tuple[str, str]]:
    before = f", and not on {long_date(thing['not_before'])}" if known(thing["not_before"]) else ""
    return [
        ("First seen", f"{long_date(thing['first_seen'])}{before}"),
        ("Last seen", f"{long_date(thing['last_seen'])}, of dates until {long_date(until)}"),
        ("Followed", f"{_STATUS[thing['status']]}: number {thing['id']} of the timeline"),
    ]
