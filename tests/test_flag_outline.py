"""Outlines follow the thing: right angles where it has them, soft lines where not, never pixel stairs."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from flag_things import (
    ELL,
    GRID,
    RECTANGLE,
    TEE,
    Box,
    blurred,
    footprint,
    in_pixels,
    iou,
    largest,
    thing,
    turned,
)  # fmt: skip
from shapely.geometry import box

from pipeline.stages.flag.centreline import centre_line
from pipeline.stages.flag.contour import contour
from pipeline.stages.flag.outline import centre, outline


@pytest.mark.parametrize("degrees", [0, 10, 27, 45, 63, 80])
@pytest.mark.parametrize(("parts", "corners"), [(RECTANGLE, 4), (ELL, 6), (TEE, 8)])
def test_a_building_is_drawn_with_its_right_angles_at_any_bearing(
    parts: tuple[Box, ...], corners: int, degrees: float
) -> None:
    true, inside = footprint(degrees, *parts)
    likely = blurred(inside)
    found = largest(likely >= 40)
    shape = in_pixels(outline(thing(found, percent=likely), GRID))
    assert shape.is_valid
    assert len(shape.exterior.coords) == corners + 1
    assert iou(shape, true) > 0.9
    edges = np.diff(np.array(shape.exterior.coords), axis=0)
    bearings = (np.degrees(np.arctan2(edges[:, 1], edges[:, 0])) - degrees + 45) % 90 - 45
    assert np.abs(bearings).max() < 4


def test_what_is_not_square_is_not_made_so_nor_what_is_no_building() -> None:
    rows, cols = np.mgrid[:120, :160] + 0.5
    disc = np.hypot(rows - 60, cols - 60) < 20
    true = shapely.Point(60, 60).buffer(20)
    for kind in ("building", "clearing"):
        shape = in_pixels(outline(thing(disc, kind, blurred(disc)), GRID))
        assert len(shape.exterior.coords) > 10
        assert iou(shape, true) > 0.95
    _, inside = footprint(20, *RECTANGLE)
    assert len(outline(thing(inside, "clearing", blurred(inside)), GRID).exterior.coords) > 5


@pytest.mark.parametrize("degrees", [0, 20, 45])
@pytest.mark.parametrize("kind", ["building", "earthwork"])
def test_an_outline_covers_the_pixels_and_lies_on_the_ground(kind: str, degrees: float) -> None:
    inside = turned(40, 24, degrees, 121)[:120, :120]
    shape = outline(thing(inside, kind), GRID)
    assert shape.is_valid
    assert shape.geom_type == "Polygon"
    assert shape.area == pytest.approx(inside.sum() * 0.25, rel=0.02)
    middle = GRID.transform * (60.5, 60.5)
    np.testing.assert_allclose((shape.centroid.x, shape.centroid.y), middle, atol=0.1)
    hull = shape.minimum_rotated_rectangle
    assert hull.intersection(shape).area / hull.area > 0.9


def test_an_outline_of_a_rectangle_is_its_pixels_edges() -> None:
    inside = np.zeros((120, 160), bool)
    inside[10:20, 30:60] = True
    west, north = GRID.transform.c, GRID.transform.f
    true = box(west + 15, north - 10, west + 30, north - 5)
    assert outline(thing(inside), GRID).symmetric_difference(true).area < 1e-6
    assert iou(outline(thing(inside, "clearing"), GRID), true) > 0.96
    inside[13:17, 40:50] = False
    ring = outline(thing(inside), GRID)
    assert ring.area == pytest.approx(0.25 * 260, rel=0.03)
    assert len(ring.interiors) == 1


@pytest.mark.parametrize("kind", ["building", "road"])
def test_an_outline_of_a_diagonal_covers_its_pixels(kind: str) -> None:
    inside = np.eye(120, 160, dtype=bool)
    inside[8:] = False
    shape = outline(thing(inside, kind), GRID)
    assert shape.is_valid
    assert shape.geom_type == "Polygon"
    assert shape.area == pytest.approx(8 * 0.25, rel=0.25)


def test_an_edge_lies_within_its_pixel_where_the_probability_says() -> None:
    inside = np.zeros((40, 60), bool)
    inside[10:30, 10:40] = True
    soft = np.where(inside, 90, 2).astype(np.uint8)
    soft[10:30, 39], soft[10:30, 40] = 43, 31  # 40 is crossed a quarter of the way
    loose = contour(inside, soft, 40, smoothing=0.0)
    assert loose.bounds[2] == pytest.approx(39.5 + 0.25, abs=0.01)
    assert loose.bounds[0] == pytest.approx(10, abs=0.01)


def bent_road() -> tuple[shapely.LineString, shapely.Polygon]:
    """A centre line with a sharp and a soft bend, in pixels, and the road around it, 7 pixels wide."""
    bend = [(90.3 + 30 * np.cos(a), 50.3 + 30 * np.sin(a)) for a in np.linspace(-np.pi / 2, 0, 12)]
    line = shapely.LineString([(15.3, 100.3), (30.3, 20.3), *bend, (120.3, 105.3)])
    return line, line.buffer(3.5, cap_style="flat", join_style="mitre")


def test_a_road_has_its_centre_line_its_length_and_its_width() -> None:
    line, road = bent_road()
    rows, cols = np.mgrid[:120, :160] + 0.5
    likely = blurred(shapely.contains_xy(road, cols, rows))
    found = thing(largest(likely >= 45), "road", likely)
    assert found.shape.length_m == pytest.approx(line.length / 2, rel=0.04)
    assert found.shape.width_m == pytest.approx(3.5, rel=0.08)
    drawn = centre(found, GRID)
    assert drawn is not None
    assert drawn.geom_type == "LineString"
    mine = in_pixels(drawn)
    assert mine.hausdorff_distance(line) < 4
    offsets = [line.distance(mine.interpolate(s, normalized=True)) for s in np.linspace(0, 1, 200)]
    assert np.mean(offsets) < 0.6
    assert iou(in_pixels(outline(found, GRID)), road) > 0.9
    assert centre(thing(found.inside, "building"), GRID) is None


def test_a_lay_by_does_not_widen_a_road_and_a_fork_adds_to_its_length() -> None:
    inside = np.zeros((120, 160), bool)
    inside[50:56, 10:150] = True
    inside[56:66, 60:76] = True
    found = centre_line(inside)
    assert found is not None
    assert found.width == pytest.approx(6, rel=0.1)
    fork = np.zeros((120, 160), bool)
    fork[50:56, 10:150] = fork[56:110, 80:86] = True
    found = centre_line(fork)
    assert found is not None
    assert len(found.lines) == 2
    assert found.length == pytest.approx(140 + 57, rel=0.03)
    assert found.width == pytest.approx(6, rel=0.05)


def test_a_ring_road_is_as_long_as_its_way_round() -> None:
    rows, cols = np.mgrid[:120, :160] + 0.5
    ring = np.abs(np.hypot(rows - 60, cols - 80) - 45) < 3
    found = centre_line(ring)
    assert found is not None
    assert found.length == pytest.approx(2 * np.pi * 45, rel=0.04)
    assert found.width == pytest.approx(6, rel=0.06)
