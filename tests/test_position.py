"""Places as people write them."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some
from mgrs import MGRS

from pipeline.outputs.position import dms, mgrs, positions

PLACE = 40.92265, 34.44157


def test_a_place_in_all_three_ways() -> None:
    assert positions(*PLACE) == {
        "Decimal": "34.441570, 40.922650",
        "DMS": "34°26′29.65″N 40°55′21.54″E",
        "MGRS": "37S FU 76640 12794",
    }


@pytest.mark.parametrize(
    ("lon", "lat", "text"),
    [
        (-0.0000001, -33.999999999, "34°00′00.00″S 0°00′00.00″W"),
        (179.99999999, 0.0, "0°00′00.00″N 180°00′00.00″E"),
    ],
)
def test_seconds_never_reach_sixty(lon: float, lat: float, text: str) -> None:
    assert dms(lon, lat) == text


def test_poles_have_squares_too() -> None:
    assert re.fullmatch(r"[AB] [A-Z]{2} \d{5} \d{5}", mgrs(10, -88))
    assert re.fullmatch(r"[YZ] [A-Z]{2} \d{5} \d{5}", mgrs(-10, 89))


@example(0.0, -8e-12)  # as far as its northing is told, on the equator: found by this test
@settings(deadline=None)  # on however busy a machine
@given(some.floats(-179.9, 179.9), some.floats(-79.9, 83.9))
def test_what_is_written_names_the_place(lon: float, lat: float) -> None:
    metre = 1 / 111_000
    there = MGRS().toLatLon(mgrs(lon, lat).replace(" ", ""))
    assert there[0] == pytest.approx(lat, abs=2 * metre)
    degrees, minutes, seconds = (float(part) for part in re.findall(r"[\d.]+", dms(lon, lat))[:3])
    assert degrees + minutes / 60 + seconds / 3600 == pytest.approx(abs(lat), abs=metre)
