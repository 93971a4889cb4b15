"""Region and site models: valid, and with the phases and grounds that the timeline has."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import shapely
from outputs_fixture import make_rasters
from pyproj import Geod
from smart_schema import REGION_MODEL, SITE_MODEL
from timelines import DATES, make_timeline

from pipeline.config.schema import Smart
from pipeline.results import pair_results
from pipeline.smart.phases import Phase, Seen, activity_phases
from pipeline.smart.write import _numbers, write_smart
from pipeline.stages.track import Timeline

NAMED = Smart(region_id="SY_R001", originator="kit")
HOUSE, BERM = "site_models/SY_R001_8827.geojson", "site_models/SY_R001_3169.geojson"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A site's folder with its three comparisons, of two sensors."""
    for before, after in itertools.pairwise(DATES):
        result = tmp_path / f"{before}_{after}"
        make_rasters(result)
        told = {
            side: {"sensor": sensor, "inputs": [{"href": f"tiles/{date}/tile_{date}.tif"}]}
            for side, date, sensor in (("before", before, "sentinel-2b"), ("after", after, "sentinel-2b"))
        }
        if after == DATES[-1]:
            told["after"]["sensor"] = "made"
        (result / "run.json").write_text(json.dumps(told))
    return tmp_path


def models(folder: Path, timeline: Timeline | None = None, named: Smart = NAMED) -> dict[str, Any]:
    write_smart(folder, named, None, timeline or make_timeline(), pair_results(folder))
    return {
        path.relative_to(folder / "smart").as_posix(): json.loads(path.read_text())
        for path in sorted((folder / "smart").rglob("*.geojson"))
    }


def test_models_are_valid_and_lie_where_the_scoring_tools_look(folder: Path) -> None:
    made = models(folder)
    assert list(made) == [
        "region_models/SY_R001.geojson",
        BERM,
        HOUSE,
    ]  # fmt: skip
    region, *sites = made.values()
    jsonschema.validate(region, REGION_MODEL, jsonschema.Draft202012Validator)
    for site in sites:
        jsonschema.validate(site, SITE_MODEL, jsonschema.Draft202012Validator)
    assert [feature["properties"]["type"] for feature in region["features"]] == [
        "region", "site_summary", "site_summary",
    ]  # fmt: skip
    head = region["features"][0]["properties"]
    assert (head["start_date"], head["end_date"], head["mgrs"]) == (DATES[0], DATES[-1], "37SGT")


def test_the_schema_of_these_tests_can_fail(folder: Path) -> None:
    site = models(folder)[HOUSE]
    site["features"][1]["properties"]["current_phase"] = "Building"
    with pytest.raises(jsonschema.ValidationError, match="Building"):
        jsonschema.validate(site, SITE_MODEL, jsonschema.Draft202012Validator)


def test_who_is_no_team_of_the_program_says_so(folder: Path) -> None:
    site = models(folder, named=Smart(region_id="SY_R001"))[HOUSE]
    faults = list(jsonschema.Draft202012Validator(SITE_MODEL).iter_errors(site))
    assert [list(fault.path)[-1] for fault in faults] == ["originator"]
    assert site["features"][0]["properties"]["originator"] == "groundbreak"


def test_a_site_model_tells_each_date(folder: Path) -> None:
    site, *observations = models(folder)[HOUSE]["features"]
    assert site["properties"]["score"] == 0.95
    told = [each["properties"] for each in observations]
    assert [each["observation_date"] for each in told] == list(DATES)
    assert [each["current_phase"] for each in told] == [
        "No Activity", "Active Construction", "Unknown", "Active Construction",
    ]  # fmt: skip
    assert [each["is_occluded"] for each in told] == ["False", "False", "True", "False"]
    assert [each["source"] for each in told] == [f"tile_{date}" for date in DATES]
    assert [each["sensor_name"] for each in told] == ["Sentinel-2", "Sentinel-2", "Sentinel-2", None]
    ground = shapely.geometry.shape(observations[0]["geometry"])
    area, _ = Geod(ellps="WGS84").geometry_area_perimeter(ground)
    assert area == pytest.approx(100, rel=0.01)


def test_what_lies_in_parts_becomes_the_hull_around_them(folder: Path) -> None:
    berm = models(folder)[BERM]["features"][0]
    area, _ = Geod(ellps="WGS84").geometry_area_perimeter(shapely.geometry.shape(berm["geometry"]))
    assert area == pytest.approx(120, rel=0.01)


def test_what_is_no_longer_confirmed_goes(folder: Path) -> None:
    models(folder)
    timeline = make_timeline()
    timeline.findings.loc[0, "status"] = "refuted"
    assert list(models(folder, timeline)) == [
        "region_models/SY_R001.geojson", BERM,
    ]  # fmt: skip
    timeline.findings["status"] = "candidate"
    ((_, region),) = models(folder, timeline).items()
    jsonschema.validate(region, REGION_MODEL, jsonschema.Draft202012Validator)


def test_numbers_follow_from_the_ids_and_are_all_different() -> None:
    assert _numbers(["2019-09-04-11"]) == [2919]
    assert _numbers(["2019-09-07-04"]) == [2919]
    assert _numbers(["2019-09-04-11", "2019-09-07-04"]) == [2919, 2920]


@pytest.mark.parametrize(
    ("kind", "state", "areas", "phases"),
    [
        ("building", "started", (0, 50, 50), ("No Activity", "Active Construction", "Active Construction")),
        ("building", "completed", (0, 50, 50), ("No Activity", "Active Construction", "Post Construction")),
        (
            "earthwork",
            None,
            (60, 90, 90),
            ("Active Construction", "Active Construction", "Post Construction"),
        ),
        ("clearing", None, (0, 50, 50), ("No Activity", "Site Preparation", "Site Preparation")),
        ("road", None, (50, None, 50), ("Active Construction", "Unknown", "Post Construction")),
        ("road", None, (50, 0, 0), ("Active Construction", "No Activity", "No Activity")),
    ],
)
def test_phases(
    kind: str, state: str | None, areas: tuple[float | None, ...], phases: tuple[Phase, ...]
) -> None:
    seen = [Seen(date, area is not None, float(area or 0)) for date, area in zip(DATES, areas, strict=False)]
    assert tuple(activity_phases(kind, state, seen)) == phases
