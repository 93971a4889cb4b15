"""When a finding was first and last seen, told in the reports of the latest date."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from outputs_fixture import BUILT, CRS, ground, make_findings, make_rasters, make_summary, write_cog

from pipeline.followed import tell_reports
from pipeline.outputs.provenance import write_run
from pipeline.outputs.report import write_report
from pipeline.outputs.vectors import write_findings
from pipeline.results import PairResult
from pipeline.stages.track import COLUMNS, Timeline

DAYS = ("2019-09-01", "2019-09-09", "2019-09-21")
THING = {
    "id": "2019-09-09-01", "kind": "building", "status": "confirmed", "state": "started",
    "not_before": "2019-09-01", "first_seen": "2019-09-09", "last_seen": "2019-09-21", "confidence": 0.99,
    "area_m2": 120.0, "zone": "</script><b>north",
}  # fmt: skip


def result(site: Path, before: str, after: str) -> PairResult:
    """A finished comparison with the two findings of the fixture."""
    folder = site / f"{before}_{after}"
    make_rasters(folder)
    findings = make_findings()
    summary = make_summary(findings)
    write_findings(findings, folder)
    write_report(findings, folder, summary)
    write_run(folder, summary)
    return PairResult(folder, before, after)


def timeline(shape: Any) -> Timeline:
    """One thing with that outline."""
    things = gpd.GeoDataFrame([THING | {"geometry": shape}], columns=[*COLUMNS, "geometry"], crs=CRS)
    phases = pd.DataFrame({"date": list(DAYS), "phase": "none"})
    return Timeline(things, pd.DataFrame(), phases)


def told(pair: PairResult) -> dict[str, Any]:
    page = (pair.folder / "report.html").read_text(encoding="utf-8")
    found = re.search(r'id="followed">(.*?)</script>', page)
    assert found is not None
    facts: dict[str, Any] = json.loads(found[1])
    return facts


@pytest.fixture
def results(tmp_path: Path) -> list[PairResult]:
    return [result(tmp_path, *pair) for pair in ((DAYS[0], DAYS[1]), (DAYS[0], DAYS[2]), (DAYS[1], DAYS[2]))]


def test_reports_of_the_latest_date_tell_when_a_finding_was_seen(results: list[PairResult]) -> None:
    # the second date lies 5 m west of the reference: its findings are moved back before they are looked up
    away = np.stack([np.full((80, 100), -5.0), np.zeros((80, 100))]).astype(np.float32)
    write_cog(results[0].folder / "shift.tif", away, nodata=float("nan"))
    r0, c0, r1, c1 = BUILT
    tell_reports(timeline(ground(r0, c0, r1, c1)), results)
    facts = [
        ["First seen", "9 September 2019, and not on 1 September 2019"],
        ["Last seen", "21 September 2019, of dates until 21 September 2019"],
        ["Followed", "confirmed on later dates: number 2019-09-09-01 of the timeline"],
    ]
    assert told(results[0]) == {}
    assert told(results[1]) == {"1": facts}
    assert told(results[2]) == {"1": facts}
    tell_reports(timeline(ground(r0, c0 + 10, r1, c1 + 10)), results)
    assert told(results[1]) == told(results[2]) == {"1": facts}
    tell_reports(timeline(ground(r0, c0 + 25, r1, c1 + 25)), results)
    assert told(results[1]) == {}  # too little of it is covered
    assert told(results[2]) == {"1": facts}


def test_run_json_knows_the_new_report(results: list[PairResult]) -> None:
    pair = results[1]
    tell_reports(timeline(ground(*BUILT)), results)
    record = next(
        one
        for one in json.loads((pair.folder / "run.json").read_text())["files"]
        if one["href"] == "report.html"
    )
    data = (pair.folder / "report.html").read_bytes()
    assert (record["sha256"], record["bytes"]) == (hashlib.sha256(data).hexdigest(), len(data))
    changed = (pair.folder / "report.html").stat().st_mtime_ns
    tell_reports(timeline(ground(*BUILT)), results)
    assert (pair.folder / "report.html").stat().st_mtime_ns == changed


def test_a_site_where_nothing_is_followed(results: list[PairResult]) -> None:
    nothing = timeline(ground(*BUILT))
    tell_reports(Timeline(nothing.findings.iloc[:0], nothing.history, nothing.phases), results)
    assert told(results[1]) == {}
