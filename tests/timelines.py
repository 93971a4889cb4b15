"""A timeline made by hand: a house that gets its roof, a berm that grows, a doubtful patch, a candidate."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import pandas as pd
from outputs_fixture import CRS, NORTH, WEST
from shapely.geometry import MultiPolygon, box
from shapely.geometry.base import BaseGeometry

from pipeline.stages.track import COLUMNS, Timeline

DATES = ("2019-08-20", "2019-09-09", "2019-09-21", "2019-10-03")
IDS = ("2019-09-09-01", "2019-09-09-02", "2019-09-09-03", "2019-10-03-01")
HOUSE, PATCH = box(0, 0, 10, 10), box(30, 30, 34, 34)
BERM = MultiPolygon([box(0, 20, 20, 23), box(20, 20, 40, 23.0)])
ROAD = box(0, 50, 60, 54)
CLOUDED: dict[str, Any] = {"observed": False, "present": None, "area_m2": None}


def on_ground(shape: BaseGeometry) -> BaseGeometry:
    """Metres east and south of the corner of the images of `outputs_fixture`."""
    from shapely import transform

    return transform(shape, lambda xy: xy * [1, -1] + [WEST, NORTH])


def make_timeline() -> Timeline:
    """1: a house in the north, started on the second date, grown by half on the last, hidden on the third.
    2: a berm, half on the second, whole on the third. 3: refuted. 4: a road, a candidate of the last date.
    """
    rows = [
        (
            IDS[0],
            "building",
            "confirmed",
            "completed",
            DATES[0],
            DATES[1],
            DATES[3],
            0.95,
            100.0,
            "north",
            HOUSE,
        ),
        (IDS[1], "earthwork", "confirmed", None, DATES[0], DATES[1], DATES[3], 0.8, 120.0, None, BERM),
        (IDS[2], "other", "refuted", None, DATES[0], DATES[1], DATES[1], 0.5, 16.0, "north", PATCH),
        (IDS[3], "road", "candidate", None, DATES[2], DATES[3], DATES[3], 0.7, 240.0, "north", ROAD),
    ]
    table = [dict(zip([*COLUMNS, "geometry"], row, strict=True)) for row in rows]
    findings = gpd.GeoDataFrame(table, geometry="geometry", crs=CRS)
    findings.geometry = [on_ground(shape) for shape in findings.geometry]
    areas = (0, 50, None, 100), (0, 60, 120, 120), (0, 16, 0, 0), (0, 0, 0, 240)
    history = [
        {"id": name, "date": date, **_seen(area)}
        for name, line in zip(IDS, areas, strict=True)
        for date, area in zip(DATES, line, strict=True)
    ]
    phases = pd.DataFrame({"date": DATES, "phase": ["no activity", "active", "active", "active"]})
    return Timeline(findings, pd.DataFrame(history).astype({"present": object}), phases)


def _seen(area: float | None) -> dict[str, Any]:
    return CLOUDED if area is None else {"observed": True, "present": area > 0, "area_m2": float(area)}
