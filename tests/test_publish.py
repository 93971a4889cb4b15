"""What monitor leaves beside the timeline, and who it tells, with the comparison itself replaced."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pystac
import pytest
from hook_server import hook_server
from outputs_fixture import BUILT, ground, make_findings, make_rasters, make_summary, write_cog
from test_monitor import watch, write_site

from pipeline.job import Job
from pipeline.outputs.item import write_item
from pipeline.outputs.vectors import write_findings
from pipeline.progress import Progress
from pipeline.run import Result

DAYS = ("2019-08-20", "2019-09-09", "2019-09-21", "2019-10-03")
RULES = """
zones: {north: [-180, -80, 180, 84]}
smart: {region_id: SY_R001}
alerts:
  - name: built
    min_area_m2: 100
    to: [{file: alerts.jsonl}, {atom: alerts.xml}, {webhook: "${YARD_HOOK}"}]
"""


class Whole:
    """Stands in for `run`: a whole result, with a house in pairs that begin on the first day."""

    def __init__(self) -> None:
        self.pairs: list[str] = []

    def __call__(self, job: Job, progress: Progress) -> Result:
        self.pairs.append(job.out.name)
        before, after = job.out.name.split("_")
        house = {"id": 1, "kind": "building", "direction": "new", "confidence": 0.9, "area_m2": 120.0,
                 "length_m": 15.0, "width_m": 8.0, "zone": "north", "geometry": ground(*BUILT)}  # fmt: skip
        built = before == DAYS[0]
        found = make_findings([house]) if built else make_findings().iloc[:0]
        make_rasters(job.out)
        if not built:
            write_cog(job.out / "change.tif", np.zeros((1, 80, 100), np.uint8), nodata=255)
        write_findings(found, job.out)
        summary = make_summary(found, before={"date": before}, after={"date": after})
        write_item(job.out, summary)
        (job.out / "run.json").write_text(json.dumps({**summary, "made": True}))
        return Result(job.out, found, summary)


def test_monitor_leaves_totals_models_a_catalogue_and_tells_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, out = write_site(tmp_path, *DAYS, extra=RULES), tmp_path / "out"
    with hook_server() as hook:
        monkeypatch.setenv("YARD_HOOK", hook.url)
        outcomes = watch(monkeypatch, Whole(), out, site)
        assert [outcome.status for outcome in outcomes] == ["done"] * 5
        first = {path: path.read_bytes() for path in (out / "yard").glob("*.*") if path.suffix != ".sqlite"}
        watch(monkeypatch, Whole(), out, site)
        assert len(hook.asked) == 1
    (told,) = [json.loads(line) for line in (out / "yard" / "alerts.jsonl").read_text().splitlines()]
    assert (told["finding"]["status"], told["finding"]["zone"]) == ("confirmed", "north")
    assert hook.asked[0][1]["id"] == told["id"]
    assert {"alerts.xml", "catalog.json", "zones.csv", "zones.parquet"} <= {path.name for path in first}
    assert {path: path.read_bytes() for path in first} == first
    assert (out / "yard" / "smart" / "region_models" / "SY_R001.geojson").exists()
    assert len(list((out / "yard" / "smart" / "site_models").iterdir())) == 1


def test_the_catalogue_is_valid_and_moves_with_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch(monkeypatch, Whole(), tmp_path / "out", write_site(tmp_path, *DAYS, extra=RULES))
    folder = (tmp_path / "out" / "yard").rename(tmp_path / "elsewhere")
    catalog = pystac.Catalog.from_file(str(folder / "catalog.json"))
    assert catalog.validate_all() == 5
    assert [item.id for item in catalog.get_items()] == [
        f"boukamal_{before}_{after}"
        for before, after in sorted(
            {*itertools.pairwise(DAYS), *((DAYS[0], day) for day in DAYS[1:])}, key=lambda pair: pair[::-1]
        )
    ]
    related = [link.get_absolute_href() for link in catalog.links if link.rel == "related"]
    assert sorted(Path(str(href)).name for href in related) == [
        "phases.csv", "timeline.csv", "timeline.geojson", "zones.csv", "zones.parquet",
    ]  # fmt: skip
    assert all(Path(str(href)).is_file() for href in related)


def test_a_withdrawn_date_leaves_the_catalogue_and_the_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, out = write_site(tmp_path, *DAYS, extra=RULES), tmp_path / "out"
    watch(monkeypatch, Whole(), out, site)
    (tmp_path / "images" / DAYS[-1] / "tile.tif").unlink()
    watch(monkeypatch, Whole(), out, site)
    catalog = pystac.Catalog.from_file(str(out / "yard" / "catalog.json"))
    assert len(list(catalog.get_items())) == 3
    region = json.loads((out / "yard" / "smart" / "region_models" / "SY_R001.geojson").read_text())
    assert region["features"][0]["properties"]["end_date"] == DAYS[2]


def test_a_service_that_is_down_fails_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with hook_server() as hook:
        monkeypatch.setenv("YARD_HOOK", hook.url)
    monkeypatch.setattr("pipeline.alerts.deliver.Patience.pause", lambda *_: 0.0)
    site = write_site(tmp_path, *DAYS, extra=RULES)
    outcomes = watch(monkeypatch, Whole(), tmp_path / "out", site)
    assert [outcome.status for outcome in outcomes] == ["done"] * 5
    assert "no answer" in caplog.text
    assert hook.url.rsplit(":", 1)[1] not in caplog.text  # the address came from the environment
    assert len((tmp_path / "out" / "yard" / "alerts.jsonl").read_text().splitlines()) == 1
