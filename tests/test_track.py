"""Findings followed over dates, with outlines and truth made by hand."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from pipeline.stages.track import COLUMNS, Comparison, Looks, Seen, Timeline, Track, phases
from pipeline.stages.track.sequential import SequentialTest

DATES = ("2019-08-20", "2019-09-09", "2019-09-21", "2019-10-03", "2019-10-27", "2019-11-20")
FIRST = DATES[0]
HOUSE, BERM, SHED = box(0, 0, 10, 10), box(100, 0, 140, 3), box(300, 0, 310, 10)
ALL = dict.fromkeys(DATES, 1.0)


def finding(
    geometry: BaseGeometry, kind: str = "building", direction: str = "new", confidence: float = 0.95
) -> Any:
    return {
        "kind": kind, "direction": direction, "confidence": confidence, "zone": None, "geometry": geometry,
    }  # fmt: skip


def pair(before: int, after: int, *findings: Any) -> Comparison:
    """Of two dates by number, with its findings numbered from 1."""
    rows = [{"id": i, **row} for i, row in enumerate(findings, start=1)]
    columns = ["id", "kind", "direction", "confidence", "zone", "geometry"]
    frame = gpd.GeoDataFrame(rows, columns=columns, geometry="geometry", crs="EPSG:32637")
    return Comparison(DATES[before], DATES[after], frame)


def looking(
    built: Mapping[BaseGeometry, Sequence[float]],
    again: Mapping[BaseGeometry, Sequence[float]] | None = None,
    clear: Mapping[str, float] = ALL,
) -> Looks:
    """What each date shows of places: probabilities by date, of the place that an outline overlaps most."""

    def value(known: Mapping[BaseGeometry, Sequence[float]], outline: BaseGeometry, date: str) -> float:
        place = max(known, key=lambda shape: shape.intersection(outline).area, default=None)
        return 0.0 if place is None or not place.intersects(outline) else known[place][DATES.index(date)]

    def looks(date: str, outlines: Sequence[BaseGeometry]) -> Seen:
        return Seen(
            np.full(len(outlines), clear[date]),
            np.array([value(built, outline, date) for outline in outlines]),
            np.array([value(again or {}, outline, date) for outline in outlines]),
        )

    return looks


def only(timeline: Timeline) -> dict[str, Any]:
    assert len(timeline.findings) == 1
    return dict(timeline.findings.drop(columns="geometry").iloc[0])


def present(timeline: Timeline) -> list[bool | None]:
    return list(timeline.history["present"])


LASTING = (0, 0, 0.8, 0.8, 0.8, 0.8)


@pytest.mark.parametrize(
    ("confidence", "looks", "status"),
    [
        (0.9, "", "candidate"),
        (0.9, "s", "candidate"),
        (0.9, "ss", "confirmed"),
        (0.99, "s", "confirmed"),
        (0.5, "ss", "candidate"),
        (0.5, "sss", "confirmed"),
        (0.9, "n", "candidate"),
        (0.9, "nn", "refuted"),
        (0.9, "sn", "candidate"),
        (0.9, "ssnnn", "removed"),
        (0.9, "nns", "refuted"),
        (0.9, "nnss", "candidate"),
        (0.9, "nnsssss", "confirmed"),
    ],
)
def test_looks_add_up_to_a_verdict(confidence: float, looks: str, status: str) -> None:
    assert Track().judge.test(confidence, [look == "s" for look in looks])[0] == status


def test_the_limits_are_those_of_wald() -> None:
    test = SequentialTest(false_alarm=0.02, miss=0.05, seen_if_built=0.95, seen_if_not=0.2)
    assert test.upper == pytest.approx(math.log(0.95 / 0.02))
    assert test.lower == pytest.approx(math.log(0.05 / 0.98))
    assert test.evidence(True) == pytest.approx(math.log(4.75))
    assert test.evidence(False) == pytest.approx(math.log(0.0625))
    assert test(0.8, [])[1] == pytest.approx(0.8)
    assert test(0.8, [True])[1] == pytest.approx(1 / (1 + 0.2 / 0.8 / 4.75))


def test_error_rates_hold_where_looks_are_as_stated() -> None:
    """Of 4000 places of each sort that start in doubt, no more are judged wrongly than the test states."""
    test, rng = Track().judge.test, np.random.default_rng(3)
    built, empty = (rng.random((4000, 30)) < rate for rate in (test.seen_if_built, test.seen_if_not))

    def first_verdict(looks: Any) -> str:
        return next((s for n in range(1, 31) if (s := test(0.5, looks[:n])[0]) != "candidate"), "candidate")

    assert np.mean([first_verdict(looks) == "refuted" for looks in built]) <= test.miss
    assert np.mean([first_verdict(looks) == "confirmed" for looks in empty]) <= test.false_alarm


def test_seen_on_the_last_date_only_is_a_candidate() -> None:
    pairs = [pair(0, 1), pair(0, 2, finding(HOUSE)), pair(1, 2, finding(HOUSE, confidence=0.8))]
    row = only(Track()(pairs, FIRST, looking({HOUSE: (0, 0, 0.8)})))
    assert row == {
        "id": "2019-09-21-01", "kind": "building", "status": "candidate", "state": "started",
        "not_before": "2019-09-09", "first_seen": "2019-09-21", "last_seen": "2019-09-21",
        "confidence": 0.95, "area_m2": 100.0, "zone": None,
    }  # fmt: skip


def test_seen_again_on_later_clear_dates_is_confirmed() -> None:
    pairs = [pair(0, n, *[finding(HOUSE)] * (n == 2)) for n in range(1, 6)]
    row = only(Track()(pairs, FIRST, looking({HOUSE: LASTING})))
    assert (row["status"], row["first_seen"], row["last_seen"]) == ("confirmed", "2019-09-21", "2019-11-20")
    assert row["confidence"] == pytest.approx(1 / (1 + 0.02 / 0.95), abs=1e-4)


def test_a_date_under_cloud_is_no_look() -> None:
    pairs = [pair(0, n, *[finding(HOUSE)] * (n == 2)) for n in range(1, 4)]
    clouded = {**ALL, "2019-09-09": 0.3, "2019-10-03": 0.3}
    timeline = Track()(pairs, FIRST, looking({HOUSE: LASTING}, clear=clouded))
    row = only(timeline)
    assert (row["status"], row["not_before"], row["last_seen"]) == ("candidate", FIRST, "2019-09-21")
    assert list(timeline.history["observed"]) == [True, False, True, False]
    assert present(timeline) == [False, None, True, None]
    assert timeline.history["area_m2"].isna().tolist() == [False, True, False, True]


def test_what_later_looks_do_not_show_is_refuted() -> None:
    pairs = [pair(0, n, *[finding(HOUSE)] * (n == 1)) for n in range(1, 5)]
    timeline = Track()(pairs, FIRST, looking({HOUSE: (0, 0.8, 0.1, 0, 0)}))
    assert (only(timeline)["status"], only(timeline)["last_seen"]) == ("refuted", "2019-09-09")
    assert present(timeline) == [False, True, False, False, False]
    assert only(timeline)["confidence"] < 0.06


def test_what_was_confirmed_and_is_gone_is_removed() -> None:
    pairs = [
        pair(0, 1, finding(HOUSE)), pair(0, 2, finding(HOUSE)), pair(0, 3, finding(HOUSE)),
        pair(0, 4), pair(3, 4, finding(box(-2, -2, 12, 12), "other", "removed")), pair(0, 5),
    ]  # fmt: skip
    timeline = Track()(pairs, FIRST, looking({HOUSE: (0, 0.8, 0.8, 0.8, 0.6, 0.6)}))
    assert (only(timeline)["status"], only(timeline)["last_seen"]) == ("removed", "2019-10-03")
    assert present(timeline) == [False, True, True, True, False, False]


def test_a_removal_that_the_reference_contradicts_ends_nothing() -> None:
    pairs = [
        pair(0, 1, finding(HOUSE)), pair(0, 2, finding(HOUSE)),
        pair(1, 2, finding(HOUSE, "other", "removed")),
    ]  # fmt: skip
    assert only(Track()(pairs, FIRST, looking({HOUSE: (0, 0.8, 0.8)})))["last_seen"] == "2019-09-21"


def test_what_stood_on_the_reference_and_is_taken_away() -> None:
    gone = finding(HOUSE, direction="removed")
    timeline = Track()([pair(0, 1), *(pair(0, n, gone) for n in range(2, 5))], FIRST, looking({}))
    row = only(timeline)
    assert (row["status"], row["not_before"], row["state"]) == ("removed", None, None)
    assert (row["first_seen"], row["last_seen"]) == (FIRST, "2019-09-09")
    assert present(timeline) == [True, True, False, False, False]


def test_a_removal_that_no_later_date_shows_is_refuted_and_the_thing_stands() -> None:
    gone = finding(HOUSE, direction="removed", confidence=0.9)
    pairs = [pair(0, 1, gone), pair(0, 2), pair(0, 3)]
    timeline = Track()(pairs, FIRST, looking({}))
    assert only(timeline)["status"] == "refuted"
    assert present(timeline) == [True, True, True, True]


def test_other_vehicles_on_the_same_place_add_up_to_nothing() -> None:
    """A car park: never empty since the reference, and never the same as the date before."""
    pairs = [pair(0, n, finding(HOUSE, confidence=0.9)) for n in range(1, 6)]
    parked = looking({HOUSE: (0, 0.7, 0.7, 0.7, 0.7, 0.7)}, {HOUSE: (0, 0.3, 0.3, 0.2, 0.3, 0.3)})
    assert only(Track()(pairs, FIRST, parked))["status"] == "candidate"
    standing = looking({HOUSE: (0, 0.7, 0.7, 0.7, 0.7, 0.7)})
    assert only(Track()(pairs, FIRST, standing))["status"] == "confirmed"


def test_a_lorry_park_that_is_another_on_two_dates_begins_anew_and_walls_with_a_roof_do_not() -> None:
    """Sure after two dates on which it happened to be alike; then all of it was new, twice."""
    pairs = [pair(0, n, finding(HOUSE, confidence=0.95 if n < 4 else 0.7)) for n in range(1, 6)]
    built = {HOUSE: (0, 0.44, 0.29, 0.47, 0.31, 0.31)}
    parked = looking(built, {HOUSE: (0, 0, 0.03, 0.27, 0.18, 0.05)})
    statuses = [only(Track()(pairs[:n], FIRST, parked))["status"] for n in (2, 3, 4, 5)]
    assert statuses == ["confirmed", "confirmed", "candidate", "candidate"]
    roofed = looking(built, {HOUSE: (0, 0, 0.03, 0.27, 0.0, 0.0)})
    assert only(Track()(pairs, FIRST, roofed))["status"] == "confirmed"


def test_a_crop_that_differs_from_the_date_before_but_not_from_the_reference_is_refuted() -> None:
    pairs = [pair(0, 1), pair(0, 2), pair(1, 2, finding(HOUSE, "clearing", confidence=0.8)), pair(0, 3)]
    row = only(Track()(pairs, FIRST, looking({HOUSE: (0, 0, 0, 0)})))
    assert (row["status"], row["first_seen"]) == ("refuted", "2019-09-21")


def test_what_only_shows_against_the_date_before_is_never_sure() -> None:
    """Half of what is needed against the reference, on every date: no comparison with it found anything."""
    pairs = [pair(0, 1), pair(0, 2), pair(1, 2, finding(HOUSE)), *(pair(0, n) for n in range(3, 6))]
    timeline = Track()(pairs, FIRST, looking({HOUSE: (0, 0.1, 0.3, 0.3, 0.3, 0.3)}))
    assert only(timeline)["status"] == "candidate"


def test_looks_are_held_against_the_probability_it_was_found_with() -> None:
    """Where pixels are coarse a building of no more than 0.3 is one, and 0.04 is none."""
    pairs = [pair(0, n, *[finding(HOUSE)] * (n == 1)) for n in range(1, 5)]
    assert only(Track()(pairs, FIRST, looking({HOUSE: (0, 0.3, 0.15, 0.2, 0.2)})))["status"] == "confirmed"
    assert only(Track()(pairs, FIRST, looking({HOUSE: (0, 0.3, 0.04, 0.0, 0.0)})))["status"] == "refuted"


def test_walls_that_get_their_roof_are_one_building_that_is_completed() -> None:
    walls = [finding(box(0, 0, 10, 2), confidence=0.7), finding(box(0, 8, 10, 10), confidence=0.7)]
    whole = finding(HOUSE, confidence=0.99)
    pairs = [pair(0, 1, *walls), pair(0, 2, whole), pair(1, 2, finding(box(1, 1, 9, 9)))]
    pairs += [pair(0, n, whole) for n in (3, 4)]
    built = looking({HOUSE: (0, 0.6, 0.9, 0.9, 0.9)}, {HOUSE: (0, 0, 0.7, 0, 0)})
    timeline = Track()(pairs, FIRST, built)
    row = only(timeline)
    assert (row["status"], row["state"], row["first_seen"]) == ("confirmed", "completed", "2019-09-09")
    assert (row["id"], row["area_m2"]) == ("2019-09-09-01", 100.0)
    assert list(timeline.history["area_m2"]) == [0.0, 40.0, 100.0, 100.0, 100.0]


def test_the_start_is_where_its_looks_begin_not_where_it_was_first_found() -> None:
    """It showed on the two dates before it was large enough to be found; one look in between said nothing."""
    pairs = [pair(0, n, *[finding(HOUSE)] * (n == 4)) for n in range(1, 5)]
    row = only(Track()(pairs, FIRST, looking({HOUSE: (0, 0.1, 0.6, 0.2, 0.8)})))
    assert (row["not_before"], row["first_seen"], row["id"]) == ("2019-09-09", "2019-09-21", "2019-10-27-01")


def test_one_look_that_missed_it_in_haze_makes_nothing_younger() -> None:
    pairs = [pair(0, n, *[finding(HOUSE)] * (n == 5)) for n in range(1, 6)]
    row = only(Track()(pairs, FIRST, looking({HOUSE: (0, 0, 0.7, 0.7, 0.0, 0.7)})))
    assert (row["not_before"], row["first_seen"]) == ("2019-09-09", "2019-09-21")
    row = only(Track()(pairs, FIRST, looking({HOUSE: (0, 0, 0, 0.7, 0.0, 0.7)})))
    assert (row["not_before"], row["first_seen"]) == ("2019-10-27", "2019-11-20"), "one look either way"


def test_built_again_where_something_was_removed_is_another_thing() -> None:
    new = finding(HOUSE)
    pairs = [
        pair(0, 1, new), pair(0, 2), pair(1, 2, finding(HOUSE, direction="removed")), pair(0, 3, new),
    ]  # fmt: skip
    timeline = Track()(pairs, FIRST, looking({HOUSE: (0, 0.8, 0, 0.8)}))
    assert list(timeline.findings["id"]) == ["2019-09-09-01", "2019-10-03-01"]


def test_a_building_on_a_new_clearing_is_a_thing_of_its_own() -> None:
    ground = finding(box(-20, -20, 40, 40), "clearing")
    timeline = Track()([pair(0, 1, ground), pair(0, 2, ground, finding(HOUSE))], FIRST, looking({}))
    assert list(timeline.findings["kind"]) == ["clearing", "building"]
    assert list(timeline.findings["area_m2"]) == [3600.0, 100.0]


def test_a_part_of_a_road_that_is_called_an_earthwork_today_is_the_road() -> None:
    """Its outline had come to be a shorter one. What differs from the date before is another thing."""
    road, shorter = finding(box(0, 0, 100, 6), "road"), finding(box(40, 0, 100, 6), "road")
    end = finding(box(0, 0, 30, 6), "earthwork")
    pairs = [pair(0, 1, road), pair(0, 2, shorter), pair(0, 3, shorter, end), pair(2, 3)]
    assert only(Track()(pairs, FIRST, looking({})))["kind"] == "road"
    dug = [*pairs[:3], pair(2, 3, end)]
    assert list(Track()(dug, FIRST, looking({})).findings["kind"]) == ["road", "earthwork"]
    house = [*pairs[:2], pair(0, 3, shorter, finding(HOUSE)), pair(2, 3)]
    assert list(Track()(house, FIRST, looking({})).findings["kind"]) == ["road", "building"]


def test_slivers_along_its_rim_alter_nothing_and_an_extension_does() -> None:
    longer = box(0, 0, 16, 10)
    for then, again, state in (
        (HOUSE, box(0, 0, 10, 1.5), "started"),
        (HOUSE, box(1, 1, 9, 9), "completed"),
        (longer, box(9, 0, 16, 10), "completed"),
    ):
        pairs = [pair(0, 1, finding(HOUSE)), pair(0, 2, finding(then)), pair(1, 2, finding(again))]
        assert only(Track()(pairs, FIRST, looking({longer: LASTING})))["state"] == state


def test_an_extension_grows_the_area_from_its_date_on_and_a_cloud_does_not_shrink_it() -> None:
    long, part = box(100, 0, 180, 3), box(100, 0, 115, 3)
    shapes = (BERM, long, part)
    pairs = [pair(0, n, finding(shape, "earthwork")) for n, shape in enumerate(shapes, start=1)]
    timeline = Track()(pairs, FIRST, looking({long: LASTING}))
    assert list(timeline.history["area_m2"]) == [0.0, 120.0, 240.0, 240.0]


def test_the_kind_is_the_one_with_most_confidence_behind_it() -> None:
    pairs = [pair(0, 1, finding(HOUSE, "other", confidence=0.5)), pair(0, 2, finding(HOUSE, confidence=0.8))]
    assert only(Track()(pairs, FIRST, looking({HOUSE: LASTING})))["kind"] == "building"


def test_the_order_in_which_pairs_and_rows_arrive_does_not_matter() -> None:
    house, berm, shed = finding(HOUSE), finding(BERM, "earthwork", confidence=0.6), finding(SHED, "other")
    pairs = [
        pair(0, 1, house, berm), pair(0, 2, house, shed),
        pair(1, 2, shed, finding(BERM, direction="removed")),
        pair(0, 3, house), pair(2, 3, finding(SHED, "other", "removed")),
    ]  # fmt: skip
    looks = looking({HOUSE: (0, 0.9, 0.9, 0.9), BERM: (0, 0.7, 0, 0), SHED: (0, 0, 0.7, 0)})
    expected = Track()(pairs, FIRST, looks)
    assert dict(zip(expected.findings["id"], expected.findings["status"], strict=True)) == {
        "2019-09-09-01": "confirmed", "2019-09-09-02": "refuted", "2019-09-21-01": "refuted",
    }  # fmt: skip
    turned = [Comparison(p.before, p.after, p.findings.iloc[::-1]) for p in pairs]
    for order in itertools.permutations(turned):
        timeline = Track()(order, FIRST, looks)
        pd.testing.assert_frame_equal(timeline.findings, expected.findings)
        pd.testing.assert_frame_equal(timeline.history, expected.history)


def test_things_far_apart_are_not_held_against_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a province of thousands of findings would take the square of their number."""
    asked: list[object] = []
    intersection = BaseGeometry.intersection

    def counted(self: BaseGeometry, other: BaseGeometry) -> BaseGeometry:
        asked.append(other)
        return intersection(self, other)

    monkeypatch.setattr(BaseGeometry, "intersection", counted)
    places = [finding(box(30 * i, 0, 30 * i + 10, 10), "road" if i % 2 else "building") for i in range(200)]
    gone = [finding(box(30 * i, 50, 30 * i + 10, 60), direction="removed") for i in range(200)]
    pairs = [pair(0, 1, *places), pair(0, 2, *places, *gone), pair(1, 2, *gone), pair(0, 3, *places)]
    timeline = Track()(pairs, FIRST, lambda _, shapes: Seen(*np.full((3, len(shapes)), 0.9)))
    assert len(timeline.findings) == 400
    assert len(asked) < 20 * 400


def test_findings_that_show_two_things_to_be_one_make_them_one() -> None:
    halves = box(0, 0, 10, 10), box(12, 0, 22, 10), box(24, 0, 34, 10)
    whole = finding(box(0, 0, 34, 10))
    looks = looking({box(0, 0, 34, 10): LASTING})
    joined = Track()([pair(0, 2, *map(finding, halves)), pair(0, 3, whole)], FIRST, looks)
    assert only(joined)["id"] == "2019-09-21-01"
    assert only(joined)["area_m2"] == 340
    # two at a time: the first of each absorbs the others, also what had absorbed before
    some = finding(box(12, 0, 34, 10)), finding(box(0, 0, 22, 10))
    joined = Track()([pair(0, 2, *map(finding, halves)), pair(0, 3, *some)], FIRST, looks)
    assert only(joined)["id"] == "2019-09-21-01"
    assert only(joined)["area_m2"] == 340


def test_dates_added_later_renumber_nothing() -> None:
    pairs = [pair(0, 1, finding(HOUSE)), pair(0, 2, finding(HOUSE), finding(SHED)), pair(0, 3, finding(BERM))]
    looks = looking({HOUSE: LASTING})
    ids = [list(Track()(pairs[:n], FIRST, looks).findings["id"]) for n in (1, 2, 3)]
    assert ids == [ids[2][:1], ids[2][:2], ids[2]]


def test_phases_follow_what_is_confirmed() -> None:
    events = [("2019-09-09", "clearing"), ("2019-09-21", "building")]
    told = phases(events, DATES, settled_days=45)
    assert list(told["phase"]) == [
        "no activity", "site preparation", "active", "active", "active", "finished"
    ]  # fmt: skip
    assert set(phases([], DATES, 45)["phase"]) == {"no activity"}
    pairs = [pair(0, n, *[finding(HOUSE)] * (n == 1)) for n in range(1, 6)]
    refuted = Track()(pairs, FIRST, looking({HOUSE: (0, 0.8, 0, 0, 0, 0)}))
    assert set(refuted.phases["phase"]) == {"no activity"}


def test_nothing_found_gives_an_empty_timeline_with_its_columns() -> None:
    timeline = Track()([pair(0, 1), pair(0, 2)], FIRST, looking({}))
    assert list(timeline.findings.columns) == [*COLUMNS, "geometry"]
    assert len(timeline.findings) == len(timeline.history) == 0
    assert list(timeline.phases["phase"]) == ["no activity"] * 3


@pytest.mark.parametrize(
    ("values", "says"),
    [({"miss": 0.0}, "miss is 0.0"), ({"seen_if_not": 0.97}, "less than"), ({"absent": 0.6}, "absent")],
)
def test_a_test_that_cannot_be_is_refused(values: dict[str, float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        replace(Track(), **values)
