"""What shows at a resolution: everything at half a metre, next to nothing at thirty."""

from __future__ import annotations

import pytest

from pipeline.sight import can_be_told, sight, smallest, too_narrow


@pytest.mark.parametrize(
    ("kind", "resolution", "size", "measure"),
    [
        ("building", 0.5, 3.0, "a side"),
        ("building", 10.0, 50.0, "a side"),
        ("road", 3.0, 7.5, "wide"),
        ("earthwork", 1.5, 4.5, "wide"),
        ("clearing", 3.0, 30.0, "a side"),
        ("equipment", 0.5, 6.0, "across"),
        ("equipment", 1.5, 6.0, "across"),
        ("equipment", 3.0, None, "across"),
        ("earthwork", 30.0, None, "wide"),
    ],
)
def test_the_smallest_of_a_kind(kind: str, resolution: float, size: float | None, measure: str) -> None:
    (one,) = (each for each in sight(resolution) if each.kind == kind)
    assert (one.size_m, one.measure) == (pytest.approx(size) if size else None, measure)
    assert can_be_told(kind, resolution) == (size is not None)


def test_coarser_pixels_show_less() -> None:
    for fine, coarse in zip(sight(0.5), sight(10.0), strict=True):
        assert coarse.size_m is None or (fine.size_m or 0) < coarse.size_m


def test_what_is_no_kind_of_its_own_is_never_out_of_sight() -> None:
    assert can_be_told("other", 30.0)
    assert smallest("building", 100.0).size_m is None


def test_a_pavement_is_no_road_and_a_fence_no_bank() -> None:
    assert too_narrow("road", 1.5)
    assert not too_narrow("road", 4.0)
    assert too_narrow("earthwork", 0.8)
    assert not too_narrow("building", 0.8)
    assert not too_narrow("other", 0.8)
