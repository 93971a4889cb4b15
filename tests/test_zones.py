"""Totals by zone, kind and date, against sums made by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from shapely.geometry import box
from timelines import DATES, make_timeline

from pipeline.stages.track import Timeline
from pipeline.zones import CSV, PARQUET, summarise_zones, write_zones


def totals(timeline: Timeline) -> pd.DataFrame:
    return summarise_zones(timeline, 0.5).set_index(["zone", "kind"])


def test_every_zone_and_kind_has_a_row_a_date_and_refuted_things_none() -> None:
    rows = summarise_zones(make_timeline(), 0.5)
    assert list(rows.columns) == [
        "date", "zone", "kind", "count", "confirmed", "observed", "area_m2", "length_m",
    ]  # fmt: skip
    assert [(str(zone), kind) for zone, kind in zip(rows["zone"][:3], rows["kind"][:3], strict=True)] == [
        ("north", "building"), ("north", "road"), ("<NA>", "earthwork"),
    ]  # fmt: skip
    assert list(rows["date"]) == [date for date in DATES for _ in range(3)]


def test_what_could_not_be_seen_stands_as_it_was_seen_last() -> None:
    house = totals(make_timeline()).loc[("north", "building")]
    assert list(house["count"]) == [0, 1, 1, 1]
    assert list(house["confirmed"]) == [0, 1, 1, 1]
    assert list(house["observed"]) == [0, 1, 0, 1]
    assert list(house["area_m2"]) == [0, 50, 50, 100]
    assert house["length_m"].isna().all()


def test_metres_of_road_and_berm() -> None:
    rows = totals(make_timeline())
    road, berm = rows.loc[("north", "road")], rows[rows.index.get_level_values("kind") == "earthwork"]
    assert list(road["length_m"][:3]) == [0, 0, 0]
    assert road["length_m"].iloc[3] == pytest.approx(60, abs=1)
    assert list(road["confirmed"]) == [0, 0, 0, 0]
    np.testing.assert_allclose(berm["length_m"], [0, 20, 40, 40], atol=0.8)
    assert list(berm["area_m2"]) == [0, 60, 120, 120]


def test_things_of_a_zone_add_up() -> None:
    timeline = make_timeline()
    timeline.findings["kind"] = "road"
    timeline.findings["zone"] = "north"
    timeline.findings.loc[0, "geometry"] = box(0, 0, 100, 4)
    last = totals(timeline).loc[("north", "road")].iloc[-1]
    assert (last["count"], last["confirmed"], last["area_m2"]) == (3, 2, 460)


def test_both_files_hold_the_same_and_an_empty_timeline_keeps_its_columns(tmp_path: Path) -> None:
    write_zones(tmp_path, make_timeline(), 0.5)
    table = pd.read_parquet(tmp_path / PARQUET)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / CSV, dtype=table.dtypes.to_dict()), table)
    assert b"\r" not in (tmp_path / CSV).read_bytes()
    whole = make_timeline()
    empty = Timeline(whole.findings.iloc[:0], whole.history.iloc[:0], whole.phases)
    write_zones(tmp_path, empty, 0.5)
    assert list(pd.read_csv(tmp_path / CSV).columns) == list(table.columns)
    assert pd.read_parquet(tmp_path / PARQUET).dtypes.equals(table.dtypes)
