"""Findings from layers: kinds told apart, roofs separated, machines grouped, directions named."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
from flag_things import ELL, GRID, TEE, Box, Bytes, blurred, footprint, in_pixels, iou, largest
from imagery import grid
from odc.geo import geom
from scipy import ndimage
from shapely.geometry import box

from pipeline.pair import Mask, Pair
from pipeline.stages.detect.detector import KINDS, LAYERS
from pipeline.stages.flag import Flag
from pipeline.stages.flag.groups import groups, together
from pipeline.stages.flag.kinds import regions
from pipeline.stages.flag.layers import ArrayLayers
from pipeline.stages.flag.network import FINDING, NOTHING, Network
from pipeline.stages.flag.roofs import separate

BANDS = ("red", "green", "blue")


@pytest.fixture(autouse=True)
def by_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    """As sure as the mean of a thing's layer is high, whatever was fitted."""
    line = np.array([[0.0, 0.0], [1.4, 0.0]])
    sure = Network((FINDING, NOTHING), ("mean",), np.array([0.55]), np.array([0.15]), (line,))
    monkeypatch.setattr("pipeline.stages.flag.known.networks", lambda _: {"new": sure, "removed": sure})


def layers(**masks: Mask) -> ArrayLayers:
    """Layers of things of each name; `change` is the sum of the kinds."""
    shape = next(iter(masks.values())).shape
    stack = {name: np.zeros(shape, np.uint8) for name in LAYERS}
    for name, mask in masks.items():
        stack[name] = blurred(mask)
    total = np.sum([stack[kind] for kind in KINDS], axis=0)
    stack["change"] = np.minimum(total, 100).astype(np.uint8)
    return ArrayLayers(LAYERS, np.stack(list(stack.values())))


def unread(rows: slice, cols: slice) -> Pair:
    raise AssertionError("no image is needed where the layers tell everything")


def found(seen: ArrayLayers, stage: Flag | None = None) -> gpd.GeoDataFrame:
    box_ = grid(*seen.stack.shape[1:], size=0.5)
    return (stage or Flag(max_false_per_km2=1e9))(seen, unread, box_, BANDS).findings


def area(rows: tuple[int, int], cols: tuple[int, int], shape: tuple[int, int] = (120, 160)) -> Mask:
    mask = np.zeros(shape, bool)
    mask[slice(*rows), slice(*cols)] = True
    return mask


def test_a_building_beside_its_new_road_is_two_findings() -> None:
    house, road = area((40, 60), (50, 80)), area((60, 68), (5, 155))
    table = found(layers(building=house, road=road))
    assert sorted(table["kind"]) == ["building", "road"]
    by_kind = table.set_index("kind")
    true = {"building": box(50, 40, 80, 60), "road": box(5, 60, 155, 68)}
    for kind, shape in true.items():
        assert iou(in_pixels(by_kind.geometry[kind]), shape) > 0.83  # a blurred edge at the level of 30 %
    assert by_kind["length_m"]["road"] == pytest.approx(75, rel=0.03)
    assert by_kind["width_m"]["road"] == pytest.approx(4, abs=0.5)  # a pixel
    assert by_kind["centre_line"]["building"] is None
    assert by_kind["centre_line"]["road"].length == pytest.approx(75, rel=0.03)


def test_rims_and_crumbs_of_another_kind_are_no_things() -> None:
    house = area((40, 60), (50, 80))
    rim = ndimage.binary_dilation(house, iterations=2) & ~house
    rim[45:48, 60:63] = True
    kinds = np.zeros((5, 120, 160), np.uint8)
    kinds[0], kinds[3] = 90 * (house & ~rim), 60 * rim
    (whole,) = regions(kinds, house | rim)
    assert KINDS[whole.kind] == "building"
    np.testing.assert_array_equal(whole.inside, house | rim)


def test_what_is_hardly_more_one_kind_than_the_other_is_one_thing() -> None:
    left, right = area((20, 60), (20, 80)), area((20, 60), (80, 110))
    kinds = np.zeros((5, 120, 160), np.uint8)
    kinds[3], kinds[2] = 70 * left + 42 * right, 20 * left + 48 * right
    (whole,) = regions(kinds, left | right)
    assert KINDS[whole.kind] == "clearing"
    kinds[3], kinds[2] = 70 * left + 20 * right, 20 * left + 70 * right
    assert [KINDS[part.kind] for part in regions(kinds, left | right)] == ["earthwork", "clearing"]


HOUSES: tuple[Box, ...] = ((14, 18, -8, 0), (14, 18, 8, 0))  # two pixels between them


@pytest.mark.parametrize("degrees", [10, 27, 45, 63, 80])
def test_touching_houses_are_told_apart(degrees: float) -> None:
    _, inside = footprint(degrees, *HOUSES)
    likely = blurred(inside)
    joint = largest(likely >= 40)
    assert joint.sum() > 0.9 * inside.sum()  # they do touch
    parts = separate(joint, likely)
    assert len(parts) == 2
    assert sorted(round(part.sum() / joint.sum(), 1) for part in parts) == [0.5, 0.5]
    np.testing.assert_array_equal(parts[0] | parts[1], joint)
    assert not (parts[0] & parts[1]).any()


@pytest.mark.parametrize("degrees", [0, 27, 45, 63])
@pytest.mark.parametrize("parts", [ELL, TEE, ((50, 9, 0, 0),), ((60, 40, 0, 0),), ((6, 6, 0, 0),)])
def test_one_roof_is_one_building_whatever_its_form(parts: tuple[Box, ...], degrees: float) -> None:
    _, inside = footprint(degrees, *parts)
    likely = blurred(inside)
    assert len(separate(largest(likely >= 40), likely)) == 1


def test_two_touching_houses_are_two_findings_and_an_l_is_one() -> None:
    houses, _ = footprint(27, *HOUSES)
    table = found(layers(building=footprint(27, *HOUSES)[1]))
    assert table["kind"].tolist() == ["building"] * 2
    assert iou(in_pixels(table.union_all()), houses) > 0.85
    ell, inside = footprint(27, *ELL)
    table = found(layers(building=inside))
    assert len(table) == 1
    assert iou(in_pixels(table.geometry[0]), ell) > 0.9


def test_machines_that_stand_together_are_one_group() -> None:
    first, second, far = area((20, 26), (20, 36)), area((20, 26), (42, 58)), area((80, 86), (100, 116))
    table = found(layers(equipment=first | second | far), Flag(min_confidence=0, min_area_m2=15))
    assert table["kind"].tolist() == ["equipment"] * 2
    assert sorted(table["area_m2"].round()) == pytest.approx([24, 57], rel=0.15)
    whole = slice(0, 120), slice(0, 160)
    parts = [(whole, first), (whole, second), (whole, far)]
    assert groups(parts, 8) == [[0, 1], [2]]
    window, mask = together(parts[:2], 8)
    assert window == whole
    assert mask[23, 20:58].all()
    assert mask.sum() == pytest.approx(38 * 6, rel=0.1)
    assert groups([], 8) == []


def test_directions() -> None:
    stood, fresh, gone = area((20, 40), (20, 50)), area((20, 40), (90, 120)), area((80, 100), (20, 50))
    table = found(layers(building=stood | fresh, standing=stood | gone, removed=gone))
    told = {(kind, way) for kind, way in zip(table["kind"], table["direction"], strict=True)}
    assert told == {("building", "altered"), ("building", "new"), ("building", "removed")}
    rebuilt = found(layers(building=stood, standing=stood, removed=stood))
    assert rebuilt["direction"].tolist() == ["altered"]
    replaced = found(layers(building=stood, removed=area((22, 40), (22, 50)), standing=gone))
    assert replaced["direction"].tolist() == ["new"]  # removed was something else than a building


def test_change_is_what_is_new_and_what_is_removed_leaves_it_alone() -> None:
    seen = layers(building=area((20, 40), (20, 50)), removed=area((80, 100), (20, 50)))
    flagged = Flag()(seen, unread, GRID, BANDS)
    new = flagged.findings.set_index("direction")["confidence"]["new"]
    np.testing.assert_allclose(
        flagged.percent(slice(30, 31))[0, 35], seen.layer("change", slice(30, 31))[0, 35] * new, atol=0.6
    )
    assert (flagged.percent(slice(80, 100)) == seen.layer("change", slice(80, 100)))[:, 20:50].all()


def test_no_seam_where_windows_are_read_in_blocks() -> None:
    shape = (100, 1100)
    road, house = area((30, 38), (10, 1090), shape), area((38, 60), (990, 1040), shape)
    part = layers(road=road, building=house).stack

    def placed(row: int, col: int) -> gpd.GeoDataFrame:
        stack = np.zeros((len(LAYERS), 1200, 1200), np.uint8)
        stack[:, row : row + 100, col : col + 1100] = part
        table = found(ArrayLayers(LAYERS, stack))
        table.geometry = table.geometry.translate(-col * 0.5, row * 0.5)
        return table.drop(columns="centre_line")

    first, second = placed(0, 0), placed(985, 80)  # the second lies across the borders of blocks
    assert sorted(first["kind"]) == ["building", "road"]
    assert first.set_index("kind")["length_m"]["road"] == pytest.approx(540, rel=0.01)
    assert first.drop(columns="geometry").equals(second.drop(columns="geometry"))
    assert first.geometry.geom_equals_exact(second.geometry, 1e-6).all()


@pytest.fixture(scope="module")
def town() -> ArrayLayers:
    """A grid of houses, gaps between the images, and faint false alarms."""
    rng = np.random.default_rng(5)
    house = np.zeros((400, 400), bool)
    for row in range(20, 380, 40):
        for col in range(20, 380, 40):
            house[row : row + rng.integers(8, 20), col : col + rng.integers(8, 30)] = True
    seen = layers(building=house)
    stack = np.minimum(seen.stack, rng.integers(30, 95, (1, 1, 1), np.uint8))
    stack[:, 200:215] = 255
    return ArrayLayers(LAYERS, stack)


def test_nothing_is_found_where_nothing_was_observed(town: ArrayLayers) -> None:
    table = found(town, Flag(min_confidence=0, max_false_per_km2=1e9))
    unseen = box(0, 200, 400, 215)
    origin = grid(400, 400, size=0.5)
    assert len(table) > 20
    back = ~origin.transform
    shapes = table.geometry.affine_transform([back.a, back.b, back.d, back.e, back.c, back.f])
    assert shapes.intersection(unseen).area.sum() < 0.05 * shapes.area.sum()
    blank = ArrayLayers(LAYERS, np.full((8, 50, 50), 255, np.uint8))
    flagged = Flag()(blank, unread, grid(50, 50, size=0.5), BANDS)
    assert len(flagged.findings) == 0
    assert (flagged.percent(slice(0, 50)) == 255).all()


def test_layers_in_memory_know_their_names() -> None:
    percent: Bytes = np.zeros((4, 5), np.uint8)
    assert ArrayLayers.of_change(percent).layer("change", slice(1, 4)).shape == (3, 5)
    with pytest.raises(KeyError):
        ArrayLayers.of_change(percent).layer("road", slice(0, 4))
    with pytest.raises(ValueError, match="2 names"):
        ArrayLayers(("change", "road"), percent[None])


def test_nothing_is_found_on_excluded_ground_and_what_reaches_in_ends_at_its_border() -> None:
    inside, outside = area((20, 40), (20, 50)), area((20, 40), (110, 140))
    road = area((80, 88), (5, 155))
    seen = layers(building=inside | outside, road=road)
    west, _, _, north = GRID.extent.boundingbox.bbox
    yard = geom.box(west - 10, north - 60, west + 40, north + 10, "EPSG:32637")  # 80 pixels from the west
    far = geom.box(west - 900, north, west - 800, north + 100, "EPSG:32637")
    flagged = Flag(max_false_per_km2=1e9)(
        seen, unread, GRID, BANDS, {}, {"yard": yard.to_crs("EPSG:4326"), "far": far}
    )
    table = flagged.findings.set_index("kind")
    assert sorted(table.index) == ["building", "road"]
    assert iou(in_pixels(table.geometry["building"]), box(110, 20, 140, 40)) > 0.83
    assert table.geometry["road"].bounds[0] == pytest.approx(west + 40, abs=0.75)
    assert table["length_m"]["road"] == pytest.approx(37.5, rel=0.05)
    assert flagged.excluded.as_dict()["areas"] == ["yard"]
    assert flagged.excluded.as_dict()["share"] == pytest.approx(0.5, abs=0.001)
    whole = Flag(max_false_per_km2=1e9)(seen, unread, GRID, BANDS)
    assert len(whole.findings) == 3
    np.testing.assert_array_equal(  # it was observed, and change.tif says what was detected there
        flagged.percent(slice(20, 40))[:, 20:50], seen.layer("change", slice(20, 40))[:, 20:50]
    )
