"""Flag: objects of known size and place are measured as such; limits and zones do what they say."""

from __future__ import annotations

from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pytest
from flag_things import GRID, Bytes, turned
from odc.geo import Geometry
from odc.geo.geobox import GeoBox
from scipy import ndimage
from shapely.geometry import box as rectangle

from pipeline.pair import Mask, Pair
from pipeline.stages.flag import Flag
from pipeline.stages.flag.batches import batches
from pipeline.stages.flag.classify import Verdict, classify
from pipeline.stages.flag.known import CLASSIC_LEVELS as LEVELS
from pipeline.stages.flag.known import networks
from pipeline.stages.flag.layers import ArrayLayers
from pipeline.stages.flag.look import vegetation
from pipeline.stages.flag.measure import Measures, crowds, measure
from pipeline.stages.flag.network import Network
from pipeline.stages.flag.segment import Segments, segment_changes
from pipeline.stages.flag.shape import measure_shape
from pipeline.stages.flag.zones import zone_of

BANDS = ("blue", "green", "red", "nir")


# Segments


def percents(*areas: tuple[slice, slice, int]) -> Bytes:
    percent = np.full((120, 160), 3, np.uint8)
    for rows, cols, value in areas:
        percent[rows, cols] = value
    return percent


def segments(percent: Bytes, smallest: float) -> Segments:
    return segment_changes(lambda rows: percent[rows], percent.shape, smallest, LEVELS)  # type: ignore[arg-type]


@pytest.mark.parametrize("rows", [1, 7, 64])
def test_objects_do_not_depend_on_strips(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    uneven = ndimage.gaussian_filter(rng.normal(0, 1, (150, 130)), 1.5)
    percent = np.clip(20 + 30 * uneven / uneven.std(), 0, 100).astype(np.uint8)
    percent[rng.random(percent.shape) < 0.02] = 255
    whole, everything = segments(percent, 3), (slice(0, 150), slice(0, 130))
    assert len(whole.windows) > 4
    monkeypatch.setattr("pipeline.stages.flag.segment.STRIP_ROWS", rows)
    parted = segments(percent, 3)
    assert parted.windows == whole.windows
    np.testing.assert_array_equal(parted.sizes, whole.sizes)
    np.testing.assert_array_equal(parted.labels(*everything), whole.labels(*everything))
    window = slice(20, 90), slice(33, 120)
    np.testing.assert_array_equal(parted.labels(*window), whole.labels(*everything)[window])


def test_an_object_needs_a_core_and_reaches_as_far_as_its_edge() -> None:
    percent = percents(
        (slice(10, 20), slice(10, 30), 30), (slice(14, 15), slice(14, 15), 80),  # one sure pixel in it
        (slice(40, 50), slice(10, 30), 45),  # faint all over
        (slice(70, 72), slice(10, 12), 99),  # sure, but too small
    )  # fmt: skip
    found = segments(percent, 5)
    labels = found.labels(slice(0, percent.shape[0]), slice(0, percent.shape[1]))
    assert found.windows == [(slice(10, 20), slice(10, 30))]
    assert found.sizes.tolist() == [200]
    assert found.centres.tolist() == [[14.5, 19.5]]
    np.testing.assert_array_equal(np.unique(np.nonzero(labels)[0]), np.arange(10, 20))
    assert (labels == 1).sum() == 200
    assert len(segments(percent, 4).windows) == 2


def test_corners_join_and_what_was_not_observed_parts() -> None:
    corner = percents((slice(10, 14), slice(10, 14), 90), (slice(14, 18), slice(14, 18), 90))
    assert len(segments(corner, 3).windows) == 1
    parted = percents((slice(10, 20), slice(10, 30), 90), (slice(10, 20), slice(18, 22), 255))
    found = segments(parted, 3)
    assert len(found.windows) == 2
    assert (found.labels(slice(10, 20), slice(18, 22)) == 0).all()
    for value in (0, 255):
        found = segments(np.full((20, 20), value, np.uint8), 3)
        assert found.windows == []
        assert not len(found.places)


# Measures


@pytest.mark.parametrize("degrees", [0, 17, 30, 45, 71, 90])
@pytest.mark.parametrize(("length", "width"), [(24.0, 16.0), (40.0, 12.0), (20.0, 20.0)])
def test_a_rectangle_is_as_long_and_wide_as_it_is_at_any_angle(
    length: float, width: float, degrees: float
) -> None:
    shape = measure_shape(turned(length, width, degrees), 0.5)
    assert shape.area_m2 == pytest.approx(length * width / 4, rel=0.06)
    assert shape.length_m == pytest.approx(length / 2, rel=0.1)
    assert shape.width_m == pytest.approx(width / 2, rel=0.1)
    assert shape.rectangularity > 0.85
    assert shape.solidity > 0.9


@pytest.mark.parametrize("degrees", [0, 30, 45, 90])
def test_a_line_is_as_long_and_wide_as_it_is(degrees: float) -> None:
    shape = measure_shape(turned(120.0, 6.0, degrees), 0.5)
    assert shape.length_m == pytest.approx(60, rel=0.15)
    assert shape.width_m == pytest.approx(3, rel=0.25)


def test_a_bent_line_is_measured_along_its_bends() -> None:
    bent = np.zeros((100, 100), bool)
    bent[10:14, 10:90] = bent[10:90, 86:90] = True
    shape = measure_shape(bent, 1.0)
    assert shape.length_m == pytest.approx(156, rel=0.15)
    assert shape.width_m == pytest.approx(4, rel=0.2)
    assert shape.rectangularity < 0.2


@pytest.mark.parametrize("pixels", [1, 2, 3])
def test_the_smallest_things_can_be_measured(pixels: int) -> None:
    inside = np.zeros((9, 9), bool)
    inside[4, 4 : 4 + pixels] = True
    shape = measure_shape(inside, 2.0)
    assert shape.area_m2 == 4 * pixels
    assert 0 < shape.width_m <= shape.length_m < 10


def built(inside: Mask, level: float = 0.6, ground: float = 0.3) -> Pair:
    """Bare ground, and on the second day something bright where `inside`; noise small and fixed."""
    rng = np.random.default_rng(4)
    before = rng.normal(ground, 0.01, (4, *inside.shape)).astype(np.float32)
    after = rng.normal(ground, 0.01, (4, *inside.shape)).astype(np.float32)
    after[:, inside] += np.float32(level - ground)
    return Pair.of(before, after)


def measured(pair: Pair, inside: Mask) -> Measures:
    return measure(pair, inside, pair.observed & ~inside, np.where(inside, 90, 2).astype("f4"), BANDS, 0.5)


def test_looks_are_those_of_the_ground_against_its_surroundings() -> None:
    inside = np.zeros((60, 60), bool)
    inside[25:35, 20:40] = True
    found = measured(built(inside), inside)
    assert found.before.contrast == pytest.approx(0, abs=0.02)
    assert found.after.contrast == pytest.approx(np.log(2), abs=0.05)
    assert (found.before.bright, found.after.bright) == (0, 1)
    assert found.after.dark == 0
    assert found.after.edge > 5 * found.before.edge
    assert (found.percent, found.pixels) == (90, 200)
    dark = measured(built(inside, level=0.12), inside)
    assert (dark.after.dark, dark.after.bright) == (1, 0)
    assert dark.after.contrast < -0.5


def test_measures_carry_over_to_another_light() -> None:
    inside = turned(20, 12, 30, 61)
    pair = built(inside)
    dim = Pair.of(pair.before, (pair.after * np.float32(0.5)).astype(np.float32))
    np.testing.assert_allclose(measured(dim, inside).vector(), measured(pair, inside).vector(), atol=1e-3)


def test_gaps_around_an_object_do_not_reach_its_measures() -> None:
    inside = np.zeros((60, 60), bool)
    inside[25:35, 20:40] = True
    pair = built(inside)
    gappy = pair.after.copy()
    gappy[:, :24] = np.nan
    beside = measured(Pair.of(pair.before, gappy), inside)
    assert np.isfinite(beside.vector()).all()
    np.testing.assert_allclose(beside.vector(), measured(pair, inside).vector(), atol=0.1)
    gappy[:, ~inside] = np.nan  # nothing around it was observed
    assert np.isfinite(measured(Pair.of(pair.before, gappy), inside).vector()).all()


def test_every_measure_has_a_name() -> None:
    inside = turned(20, 12, 30, 61)
    vector = measured(built(inside), inside).vector()
    assert len(vector) == len(Measures.names()) == len(set(Measures.names()))
    by_name = dict(zip(Measures.names(), vector, strict=True))
    assert by_name["log area"] == pytest.approx(np.log(60), abs=0.06)
    assert by_name["contrast after"] == pytest.approx(np.log(2), abs=0.05)
    assert by_name["contrast changed"] == pytest.approx(np.log(2), abs=0.05)


def test_crowds_are_the_others_nearby() -> None:
    centres = np.array([[0, 0], [15, 0], [30, 0], [200, 0]], float)
    assert crowds(centres).tolist() == [1, 2, 1, 0]
    assert crowds(np.zeros((0, 2))).tolist() == []


def test_vegetation_by_near_infrared_or_by_green() -> None:
    leaf = np.array([0.05, 0.1, 0.05, 0.45], np.float32)[:, None, None]
    sand = np.array([0.2, 0.25, 0.3, 0.35], np.float32)[:, None, None]
    assert vegetation(leaf, BANDS)[0, 0] == pytest.approx(0.8)
    assert vegetation(sand, BANDS)[0, 0] == pytest.approx(0.05 / 0.65)
    assert vegetation(leaf[:3], BANDS[:3])[0, 0] == pytest.approx(2 * 0.1 / 0.2)
    assert vegetation(sand[:3], BANDS[:3])[0, 0] == pytest.approx(0, abs=1e-6)
    assert vegetation(leaf[:1], ("pan",))[0, 0] == 0


# Zones


def on_ground(rows: tuple[float, float], cols: tuple[float, float]) -> Geometry:
    (west, north), (east, south) = (GRID.transform * (cols[i], rows[i]) for i in (0, 1))
    return Geometry(rectangle(west, south, east, north), GRID.crs)


def test_the_zone_is_that_which_holds_most_of_an_outline() -> None:
    shapes = [on_ground((10, 20), cols).geom for cols in ((10, 20), (48, 58), (45, 55), (100, 110))]
    zones = {
        "west": on_ground((0, 50), (0, 50)).to_crs("EPSG:4326"),
        "east": on_ground((0, 50), (50, 90)),
        "also west": on_ground((0, 50), (0, 50)),
    }
    assert zone_of(shapes, zones, GRID)[1] == "east"
    assert zone_of(shapes, zones, GRID)[3] is None
    assert zone_of(shapes, {"east": zones["east"]}, GRID) == [None, "east", "east", None]
    assert zone_of(shapes, {}, GRID) == [None] * 4
    same = {"b": zones["also west"], "a": zones["also west"]}
    assert zone_of(shapes[:1], same, GRID) == ["a"]


# The stage


SQUARES = [(10, 10, 8), (10, 60, 10), (10, 110, 12), (70, 10, 14), (70, 60, 16), (70, 110, 6)]
"""Top, left and side of bright new squares, in pixels of half a metre; each has its own size."""


@pytest.fixture(scope="module")
def scene() -> tuple[Bytes, Pair]:
    inside = np.zeros((120, 160), bool)
    for row, col, side in SQUARES:
        inside[row : row + side, col : col + side] = True
    return np.where(inside, 90, 2).astype(np.uint8), built(inside)


Judge = Callable[[dict[int, float]], None]


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> Judge:
    """Lets a test say how sure each square is, by its side."""

    def by_side(confidences: dict[int, float]) -> None:
        def verdict(measures: Measures, known: dict[str, Network]) -> Verdict:
            assert known == networks("fine classic")
            sure = confidences.get(round(measures.pixels**0.5), 0.0)
            return Verdict("building", "new", sure, sure)

        monkeypatch.setattr("pipeline.stages.flag.verdicts.classify", verdict)

    return by_side


def found_in(scene: tuple[Bytes, Pair], stage: Flag, box: GeoBox = GRID) -> gpd.GeoDataFrame:
    percent, pair = scene
    return stage(ArrayLayers.of_change(percent), pair.window, box, BANDS).findings


def sides(found: gpd.GeoDataFrame) -> list[int]:
    return [round((area / 0.25) ** 0.5) for area in found["area_m2"]]


def test_the_surest_come_first_and_have_their_true_sizes(scene: tuple[Bytes, Pair], judged: Judge) -> None:
    judged({8: 0.9, 10: 0.7, 12: 0.99, 14: 0.6, 16: 0.8, 6: 0.95})
    found = found_in(scene, Flag(min_area_m2=0, max_false_per_km2=1e9))
    assert sides(found) == [12, 6, 8, 16, 10, 14]
    assert found["id"].tolist() == [1, 2, 3, 4, 5, 6]
    assert found["confidence"].tolist() == [0.99, 0.95, 0.9, 0.8, 0.7, 0.6]
    assert found.crs == GRID.crs
    for row, col, side in SQUARES:
        true = on_ground((row, row + side), (col, col + side)).geom
        shape = found.geometry[sides(found).index(side)]
        assert shape.intersection(true).area / shape.union(true).area > 0.95
    np.testing.assert_allclose(found["length_m"], [side / 2 for side in sides(found)], rtol=0.1)


def test_the_less_sure_and_the_smaller_are_left_out(scene: tuple[Bytes, Pair], judged: Judge) -> None:
    judged({8: 0.9, 10: 0.7, 12: 0.99, 14: 0.6, 16: 0.8, 6: 0.95})
    assert sides(found_in(scene, Flag(min_confidence=0.8, min_area_m2=0, max_false_per_km2=1e9))) == [
        12, 6, 8, 16
    ]  # fmt: skip
    assert sides(found_in(scene, Flag(min_area_m2=16.0, max_false_per_km2=1e9))) == [12, 8, 16, 10, 14]
    assert sides(found_in(scene, Flag(min_area_m2=16.1, max_false_per_km2=1e9))) == [12, 16, 10, 14]
    none = found_in(scene, Flag(min_confidence=1.0))
    assert len(none) == 0
    assert none.crs == GRID.crs
    assert list(none.columns) == list(found_in(scene, Flag()).columns)


def test_no_more_false_ones_are_to_be_expected_than_the_limit(
    scene: tuple[Bytes, Pair], judged: Judge
) -> None:
    judged({8: 0.9, 10: 0.5, 12: 0.99, 14: 0.5, 16: 0.5, 6: 0.95})
    km2 = 120 * 160 * 0.25 / 1e6
    loose = Flag(min_area_m2=0, max_false_per_km2=1.6 / km2)  # 0.01 + 0.05 + 0.1 + 0.5 + 0.5 of them
    assert sides(found_in(scene, loose))[:3] == [12, 6, 8]
    assert len(found_in(scene, loose)) == 5
    assert len(found_in(scene, Flag(min_area_m2=0, max_false_per_km2=1.7 / km2))) == 6
    strict = found_in(scene, Flag(min_area_m2=0, max_false_per_km2=0))  # one doubtful one is always allowed
    assert len(strict) == 4
    percent, pair = scene
    half = percent.copy()
    half[:, 140:] = 255  # not observed, so it does not count as ground on which one may err
    limit = Flag(min_area_m2=0, max_false_per_km2=1.2 / km2)
    assert len(limit(ArrayLayers.of_change(percent), pair.window, GRID, BANDS).findings) == 5
    assert len(limit(ArrayLayers.of_change(half), pair.window, GRID, BANDS).findings) == 4


def test_change_is_settled_by_what_each_object_is(scene: tuple[Bytes, Pair], judged: Judge) -> None:
    judged({8: 1.0, 10: 0.0, 12: 0.5})
    percent, pair = scene
    gappy = percent.copy()
    gappy[100:, :] = 255
    settled = Flag(min_area_m2=0)(ArrayLayers.of_change(gappy), pair.window, GRID, BANDS).percent(
        slice(0, 120)
    )
    assert settled.dtype == np.uint8
    np.testing.assert_array_equal(settled == 255, gappy == 255)
    assert (settled[10:18, 10:18] == 90).all()
    assert (settled[10:20, 60:70] == 0).all()
    assert (settled[10:22, 110:122] == 45).all()
    assert (settled[30:60] <= 2).all()


def test_nothing_is_found_where_nothing_was_observed_or_changed(scene: tuple[Bytes, Pair]) -> None:
    for value in (0, 255):
        layers = ArrayLayers.of_change(np.full((120, 160), value, np.uint8))
        flagged = Flag()(layers, scene[1].window, GRID, BANDS, {})
        assert len(flagged.findings) == 0
        assert (flagged.percent(slice(0, 120)) == value).all()


def at_the_corners() -> tuple[gpd.GeoDataFrame, list[tuple[slice, slice]]]:
    """Findings of two squares in opposite corners of the grid, and the windows that were read for them."""
    inside = np.zeros((120, 160), bool)
    inside[:20, :20] = inside[108:, 148:] = True
    pair = built(inside)
    read: list[tuple[slice, slice]] = []

    def reader(rows: slice, cols: slice) -> Pair:
        read.append((rows, cols))
        return pair.window(rows, cols)

    loose = Flag(min_confidence=0, min_area_m2=0, max_false_per_km2=1e9)
    layers = ArrayLayers.of_change(np.where(inside, 90, 2).astype(np.uint8))
    return loose(layers, reader, GRID, BANDS).findings, read


def test_objects_are_read_together_with_little_else_and_nothing_beyond_the_grid() -> None:
    found, read = at_the_corners()
    assert len(found) == 2
    assert read == [(slice(0, 120), slice(0, 160))]  # one look is cheaper than two small ones
    near = [(slice(r, r + 40), slice(c, c + 40)) for r in (0, 900) for c in (0, 1100)]
    far = (slice(10_000, 10_040), slice(0, 40))
    wide = (slice(100, 3000), slice(50, 3000))
    seen = list(batches([*near, far, wide]))
    assert sorted(i for _, members in seen for i in members) == list(range(6))
    for (rows, cols), members in seen:
        for i in members:
            mine = [*near, far, wide][i]
            assert (rows.start <= mine[0].start, mine[0].stop <= rows.stop) == (True, True)
            assert (cols.start <= mine[1].start, mine[1].stop <= cols.stop) == (True, True)
        if members != [5]:
            assert (rows.stop - rows.start) * (cols.stop - cols.start) < 200_000


def test_objects_reach_to_the_edge_of_the_grid() -> None:
    found, _ = at_the_corners()
    assert sorted(found["area_m2"]) == [36, 100]


@pytest.mark.parametrize(
    ("name", "value"), [("min_confidence", 1.5), ("min_confidence", -0.1), ("max_false_per_km2", -1)]
)
def test_limits_that_make_no_sense_are_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        Flag(**{name: value})


# The classifier


def test_the_classifier_gives_probabilities_that_sum_to_one_however_odd_the_object() -> None:
    layer = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 0.0]])
    network = Network(("a", "b"), ("x", "y"), np.zeros(2), np.ones(2), (layer,))

    def model(x: float, y: float) -> dict[str, float]:
        return network({"x": x, "unknown": 7.0, "y": y})

    assert model(0, 0) == {"a": 0.5, "b": 0.5}
    assert model(1, 9)["a"] == pytest.approx(1 / (1 + np.exp(-2)))
    assert model(1e9, 0) == model(4, 0)  # no surer than ever seen
    assert sum(model(-3, 1).values()) == pytest.approx(1)


@pytest.mark.parametrize("of", ["fine classic", "coarse classic", "coarse learned"])
def test_every_verdict_is_one_of_the_contract(of: str) -> None:
    kinds, directions = set(), set()
    for length, width in ((16, 12), (90, 6), (60, 50), (6, 4)):
        inside = turned(length, width, 30)
        for level in (0.05, 0.3, 0.9):
            verdict = classify(measured(built(inside, level), inside), networks(of))
            assert 0 <= verdict.new <= verdict.confidence <= 1
            kinds.add(verdict.kind)
            directions.add(verdict.direction)
    assert kinds <= {"building", "road", "earthwork", "clearing", "equipment", "other"}
    assert directions <= {"new", "removed", "altered"}
