"""Results of made sites, as `monitor` and `run` leave them, for tests of the pages over them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from outputs_fixture import BUILT, ground, make_findings, make_rasters, make_summary, write_cog
from test_monitor import watch, write_site

from pipeline.job import Job
from pipeline.outputs.item import write_item
from pipeline.outputs.provenance import write_run
from pipeline.outputs.report import write_report
from pipeline.outputs.vectors import write_findings
from pipeline.progress import Progress
from pipeline.run import Result

DAYS = ("2019-08-20", "2019-09-09", "2019-09-21", "2019-10-03")
HOSTILE = "مجمع <script>document.title = 'hostile'</script> & \"co\""
HOUSE: dict[str, Any] = {
    "id": 1, "kind": "building", "direction": "new", "confidence": 0.9, "area_m2": 120.0, "length_m": 15.0,
    "width_m": 8.0, "zone": "north", "geometry": ground(*BUILT),
}  # fmt: skip


def write_result(folder: Path, before: str, after: str, name: str, built: bool, report: bool = False) -> Any:
    """A whole comparison, with a house of 120 m2 or without; its findings and summary."""
    found = make_findings([HOUSE]) if built else make_findings().iloc[:0]
    make_rasters(folder)
    if not built:
        write_cog(folder / "change.tif", np.zeros((1, 80, 100), np.uint8), nodata=255)
    write_findings(found, folder)
    site = {"id": folder.parent.name, "name": name}
    summary = make_summary(found, before={"date": before}, after={"date": after}, site=site)
    if report:
        write_report(found, folder, summary)
    write_item(folder, summary)
    write_run(folder, {**summary, "fingerprint": f"{before} {after}"})
    return found, summary


class Whole:
    """Stands in for `run`: a whole result, with a house in pairs that begin on the first day."""

    def __init__(self, report: bool = False) -> None:
        self.pairs: list[str] = []
        self.report = report

    def __call__(self, job: Job, progress: Progress) -> Result:
        self.pairs.append(job.out.name)
        before, after = job.out.name.split("_")
        told = write_result(job.out, before, after, job.site_name, before == DAYS[0], self.report)
        return Result(job.out, *told)


def monitored(
    monkeypatch: pytest.MonkeyPatch, folder: Path, days: Sequence[str] = DAYS, name: str = HOSTILE
) -> Path:
    """The folder of the results of a site `yard` that was monitored, with reports."""
    site = write_site(folder, *days, extra=f"name: {json.dumps(name)}\n")
    watch(monkeypatch, Whole(report=True), folder / "out", site)
    return folder / "out"
