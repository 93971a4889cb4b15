"""Findings followed over dates, with outlines and truth made by hand."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from pipeline.stages.track import COLUMNS, Comparison, Timeline, Track

DATES = ("2019-08-20", "2019-09-09", "2019-09-21", "2019-10-03")
HOUSE, BERM = box(0, 0, 10, 10), box(100, 0, 140, 3)


def finding(
    geometry: BaseGeometry, kind: str = "building", direction: str = "new", confidence: float = 0.9
) -> Any:
    return {
        "kind": kind,
        "direction": direction,
        "confidence": confidence,
        "zone": None,
        "geometry": geometry,
    }


def pair(number: int, *findings: Any) -> Comparison:
    """The pair of date `number` and the next, with its findings numbered from 1."""
    rows = [{"id": i, **row} for i, row in enumerate(findings, start=1)]
    columns = ["id", "kind", "direction", "confidence", "zone", "geometry"]
    frame = gpd.GeoDataFrame(rows, columns=columns, geometry="geometry", crs="EPSG:32637")
    return Comparison(DATES[number], DATES[number + 1], frame)


def clear(_: str, outlines: Sequence[BaseGeometry]) -> NDArray[np.float64]:
    return np.ones(len(outlines))


def cloudy_on(*dates: str) -> Any:
    return lambda date, outlines: np.full(len(outlines), 0.1 if date in dates else 1.0)


def only(timeline: Timeline) -> dict[str, Any]:
    assert len(timeline.findings) == 1
    return dict(timeline.findings.drop(columns="geometry").iloc[0])


def test_seen_in_the_last_pair_only_is_a_candidate() -> None:
    row = only(Track()([pair(0), pair(1, finding(HOUSE))], clear))
    assert row == {
        "id": 1, "kind": "building", "status": "candidate", "state": "started", "not_before": "2019-09-09",
        "first_seen": "2019-09-21", "last_seen": "2019-09-21", "confidence": 0.9, "area_m2": 100.0,
        "zone": None,
    }  # fmt: skip


def test_a_later_clear_pair_without_change_confirms() -> None:
    row = only(Track()([pair(0, finding(HOUSE)), pair(1)], clear))
    assert (row["status"], row["first_seen"], row["last_seen"]) == ("confirmed", "2019-09-09", "2019-09-21")


def test_a_later_pair_under_cloud_confirms_nothing() -> None:
    timeline = Track()([pair(0, finding(HOUSE)), pair(1)], cloudy_on("2019-09-21"))
    row = only(timeline)
    assert (row["status"], row["last_seen"]) == ("candidate", "2019-09-09")
    last = timeline.history.iloc[-1]
    assert (last["date"], last["observed"], last["present"]) == ("2019-09-21", False, None)
    assert pd.isna(last["area_m2"])


def test_walls_that_get_their_roof_are_one_building_that_is_completed() -> None:
    roof = finding(box(0, 0, 11, 10), direction="altered", confidence=0.95)
    row = only(Track()([pair(1, finding(HOUSE, confidence=0.7)), pair(2, roof)], clear))
    assert (row["status"], row["state"], row["first_seen"]) == ("confirmed", "completed", "2019-09-21")
    assert (row["confidence"], row["area_m2"]) == (0.95, 110.0)


@pytest.mark.parametrize(
    ("kind", "confidence", "status"),
    [("other", 0.9, "refuted"), ("building", 0.5, "refuted"), ("building", 0.9, "removed")],
)
def test_gone_at_once_is_refuted_where_it_was_doubtful(kind: str, confidence: float, status: str) -> None:
    gone = finding(HOUSE, kind=kind, direction="removed")
    row = only(Track()([pair(0, finding(HOUSE, kind, confidence=confidence)), pair(1, gone)], clear))
    assert (row["status"], row["last_seen"]) == (status, "2019-09-09")


def test_gone_after_it_was_confirmed_is_removed_and_its_history_says_when() -> None:
    gone = finding(box(-2, -2, 12, 12), kind="other", direction="removed")
    timeline = Track()([pair(0, finding(HOUSE, "other")), pair(1), pair(2, gone)], clear)
    assert only(timeline)["status"] == "removed"
    assert list(timeline.history["present"]) == [False, True, True, False]
    assert list(timeline.history["area_m2"]) == [0.0, 100.0, 100.0, 0.0]


def test_what_stood_before_the_first_date_and_is_taken_away() -> None:
    row = only(Track()([pair(0), pair(1, finding(HOUSE, direction="removed"))], clear))
    assert (row["status"], row["not_before"], row["state"]) == ("removed", None, None)
    assert (row["first_seen"], row["last_seen"]) == ("2019-08-20", "2019-09-09")


def test_built_again_where_something_was_removed_is_another_thing() -> None:
    gone = finding(HOUSE, direction="removed")
    timeline = Track()([pair(0, finding(HOUSE)), pair(1, gone), pair(2, finding(HOUSE))], clear)
    assert list(timeline.findings["status"]) == ["removed", "candidate"]


def test_a_building_on_a_new_clearing_is_a_thing_of_its_own() -> None:
    ground = finding(box(-20, -20, 40, 40), "clearing")
    timeline = Track()([pair(0, ground), pair(1, finding(HOUSE))], clear)
    assert list(timeline.findings["kind"]) == ["clearing", "building"]
    assert list(timeline.findings["area_m2"]) == [3600.0, 100.0]


def test_an_extension_grows_the_area_from_its_date_on() -> None:
    longer = finding(box(120, 0, 180, 3), "earthwork")
    timeline = Track()([pair(0, finding(BERM, "earthwork")), pair(1, longer)], clear)
    assert list(timeline.history["area_m2"]) == [0.0, 120.0, 240.0]


def test_the_kind_is_the_one_with_most_confidence_behind_it() -> None:
    pairs = [
        pair(0, finding(HOUSE, "other", confidence=0.5)),
        pair(1, finding(HOUSE, "building", confidence=0.8)),
    ]
    assert only(Track()(pairs, clear))["kind"] == "building"


def test_fragments_join_the_thing_they_belong_to() -> None:
    halves = [finding(box(0, 0, 5, 10)), finding(box(5.5, 0, 10, 10))]
    row = only(Track()([pair(0, finding(HOUSE)), pair(1, *halves)], clear))
    assert (row["status"], row["area_m2"]) == ("confirmed", 100.0)


def test_the_order_in_which_pairs_and_rows_arrive_does_not_matter() -> None:
    pairs = [
        pair(0, finding(HOUSE), finding(BERM, "earthwork", confidence=0.6)),
        pair(1, finding(box(1, 0, 11, 10), direction="altered"), finding(box(300, 0, 310, 10), "other")),
        pair(2, finding(BERM, "earthwork", "removed"), finding(box(300, 0, 310, 10), "other", "removed")),
    ]
    expected = Track()(pairs, clear)
    assert list(expected.findings["status"]) == ["confirmed", "removed", "refuted"]
    turned = [Comparison(p.before, p.after, p.findings.iloc[::-1]) for p in pairs]
    for order in itertools.permutations(turned):
        timeline = Track()(order, clear)
        pd.testing.assert_frame_equal(timeline.findings, expected.findings)
        pd.testing.assert_frame_equal(timeline.history, expected.history)


def test_nothing_found_gives_an_empty_timeline_with_its_columns() -> None:
    timeline = Track()([pair(0), pair(1)], clear)
    assert list(timeline.findings.columns) == [*COLUMNS, "geometry"]
    assert len(timeline.findings) == len(timeline.history) == 0
