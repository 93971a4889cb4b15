"""Made scenes: light falls as the sun stands, truth is where it says, the shift has the contract's sign."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import rasterio.features
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from scipy import ndimage

from pipeline.errors import GroundbreakError, OutputError
from pipeline.simulate import PairStyle, SceneSpec, View, made_pair, pair_spec, scene, simulate_pair, truth
from pipeline.simulate.geometry import Shift, Wave, shift_between
from pipeline.simulate.layout import AFTER, BEFORE
from pipeline.simulate.light import Sun, illumination, shadow
from pipeline.simulate.samples import SITES, make_samples, shift_truth, timeline_truth
from pipeline.simulate.scene import drawn, shift_field
from pipeline.simulate.sensor import Sensor
from pipeline.simulate.shapes import Box
from pipeline.simulate.sites import DATES, QUIET
from pipeline.simulate.things import Kind, Thing
from pipeline.simulate.write import write_raster

SAMPLES = Path(__file__).parents[1] / "sample_tiles"
CLEAN = Sensor(haze=0.0, noise=0.0)
NOON = Sun(60, 180)
GRID = GeoBox((160, 160), Affine(0.5, 0, 500_000, 0, -0.5, 3_800_000), "EPSG:32637")
EVERY_KIND: tuple[Kind, ...] = ("building", "road", "earthwork", "clearing", "equipment")


def tower_shadow(elevation: float, azimuth: float) -> NDArray[np.float64]:
    """The shadow of a 10 m tower, 3 m wide, in the middle of 61 m of level ground, 1 m pixels."""
    height = np.zeros((61, 61))
    height[29:32, 29:32] = 10
    return shadow(height, 1.0, Sun(elevation, azimuth))


@pytest.mark.parametrize(
    ("azimuth", "away"), [(180, (-1, 0)), (0, (1, 0)), (90, (0, -1)), (270, (0, 1)), (135, (-1, -1))]
)
def test_shadows_point_away_from_the_sun(azimuth: float, away: tuple[int, int]) -> None:
    dark = tower_shadow(45, azimuth)
    rows, cols = np.nonzero(dark > 0.5)
    assert np.sign(rows.mean() - 30).round() == away[0] or abs(rows.mean() - 30) < 0.6
    assert np.sign(cols.mean() - 30).round() == away[1] or abs(cols.mean() - 30) < 0.6
    assert dark[30 + 5 * away[0], 30 + 5 * away[1]] == 1
    assert dark[30 - 5 * away[0], 30 - 5 * away[1]] == 0


@pytest.mark.parametrize("elevation", [60, 45, 30])
def test_shadow_length_is_height_over_the_tangent(elevation: float) -> None:
    column = tower_shadow(elevation, 180)[:29, 30]
    assert column.sum() == pytest.approx(10 / np.tan(np.radians(elevation)), abs=0.75)


def test_slopes_that_face_the_sun_are_brighter_and_shadow_is_bluish() -> None:
    ridge = np.tile(5 - np.abs(np.arange(41) - 20.0) * 0.3, (9, 1))  # runs north to south
    light = illumination(ridge, np.zeros_like(ridge), 1.0, Sun(45, 90))
    assert (light[:, 4, 30] > 1.15).all()  # the east side
    assert (light[:, 4, 10] < 0.9).all()
    block = np.zeros((41, 41))
    block[20, 20] = 8
    in_shadow = illumination(np.zeros_like(block), block, 1.0, Sun(45, 180))[:, 16, 20]
    assert (np.diff(in_shadow) < 0).all()  # blue to nir
    np.testing.assert_allclose(illumination(np.zeros((9, 9)), np.zeros((9, 9)), 1.0, NOON), 1)


@pytest.mark.parametrize("supersample", [1, 2])
def test_a_thing_is_drawn_where_its_footprint_is(supersample: int) -> None:
    shed = Thing(Box(9.3, -14.6, 12, 8, 25), "wall", "white roof", 0.0, "building", "shed", since=AFTER)
    views = {date: View(NOON, CLEAN) for date in (BEFORE, AFTER)}
    spec = SceneSpec(GRID, (shed,), views, seed=3, supersample=supersample)
    gained = scene(spec, AFTER).image[0] - scene(spec, BEFORE).image[0]
    x, y = spec.frame.pixel_centres()
    weight = np.where(gained > 0.01, gained, 0)
    assert (weight * x).sum() / weight.sum() == pytest.approx(9.3, abs=0.06)
    assert (weight * y).sum() / weight.sum() == pytest.approx(-14.6, abs=0.06)
    place = truth(spec, BEFORE, AFTER).geometry.iloc[0]
    inside = rasterio.features.geometry_mask([place], GRID.shape, GRID.transform, invert=True)
    assert weight[inside].sum() / weight.sum() > 0.9
    assert place.area == pytest.approx(96)


@pytest.mark.parametrize("seed", [1, 2, 5])
def test_only_what_truth_says_is_built(seed: int) -> None:
    spec = pair_spec(seed, 200, 0.5, PairStyle(works=EVERY_KIND, shift_px=(0, 0), warp_px=0))
    lasting = tuple(t for t in spec.things if t.kind or (t.since < AFTER < t.until) or t.form == "rubble")
    built = replace(spec, things=tuple(t for t in lasting if t.form not in ("field", "vehicle") or t.kind))
    before, after = drawn(built, BEFORE), drawn(built, AFTER)
    differs = np.abs(after.reflectance - before.reflectance).max(axis=0) > 1e-9
    differs |= np.abs(after.relief + after.blocks - before.relief - before.blocks) > 1e-6
    border = spec.frame.border
    differs = differs[border:-border, border:-border]
    changes = truth(built, BEFORE, AFTER)
    assert len(changes) >= 2

    def covered(shapes: gpd.GeoSeries) -> NDArray[np.bool_]:
        mask = rasterio.features.geometry_mask(
            shapes, spec.geobox.shape, spec.geobox.transform, all_touched=True, invert=True
        )
        return np.asarray(mask)

    assert not (differs & ~covered(changes.buffer(3.0))).any()
    for change in changes.itertuples():
        inner = covered(gpd.GeoSeries([change.geometry.buffer(-0.5)]))
        assert differs[inner].mean() > 0.5, change.name


def test_what_before_shows_is_seen_moved_in_after() -> None:
    """before(X, Y) == after(X + dx, Y + dy), with both images off, and a wrong sign is plainly worse."""
    warp = (Wave(0.4, 90, 30, 70, 10),)
    views = {
        BEFORE: View(NOON, CLEAN, Shift(-0.7, 0.5)),
        AFTER: View(NOON, CLEAN, Shift(1.6, -1.1, warp)),
    }
    spec = SceneSpec(GRID, (), views, seed=5)
    before, after = scene(spec, BEFORE).image[2], scene(spec, AFTER).image[2]
    dx, dy = shift_field(spec, BEFORE, AFTER)
    assert dx.mean() == pytest.approx(2.3, abs=0.3)
    assert dy.mean() == pytest.approx(-1.6, abs=0.3)
    rows, cols = np.indices(before.shape, dtype=float)

    def residual(sign: int) -> float:
        at = [rows - sign * dy / 0.5, cols + sign * dx / 0.5]  # rows run south
        seen = ndimage.map_coordinates(after, at, order=3)
        return float(np.sqrt(np.mean((seen - before)[8:-8, 8:-8] ** 2)))

    assert residual(1) < 0.05 * before.std()
    assert residual(-1) > 10 * residual(1)


def test_shift_inverts_and_chains() -> None:
    one = Shift(1.0, -2.0, (Wave(0.5, 80, 20, 60, 5),))
    x, y = np.meshgrid(np.linspace(-40, 40, 9), np.linspace(-40, 40, 9))
    ground_x, ground_y = one.ground(x, y)
    dx, dy = one.at(ground_x, ground_y)
    np.testing.assert_allclose([ground_x + dx, ground_y + dy], [x, y], atol=1e-9)
    np.testing.assert_allclose(shift_between(one, one, x, y), 0)
    np.testing.assert_allclose(shift_between(Shift(), one, x, y), one.at(x, y))


def test_same_seed_same_bytes() -> None:
    one, again, other = (made_pair(seed, 96) for seed in (7, 7, 8))
    assert one.after.image.tobytes() == again.after.image.tobytes()
    assert one.shift.tobytes() == again.shift.tobytes()
    assert one.truth.to_json() == again.truth.to_json()
    assert one.after.image.tobytes() != other.after.image.tobytes()


def test_nothing_built_means_no_truth_but_not_the_same_image() -> None:
    pair = made_pair(4, 200, 0.5, PairStyle(works=(), shift_px=(0, 0), warp_px=0))
    assert pair.truth.empty
    assert list(pair.truth.columns) == ["name", "kind", "direction", "geometry"]
    assert pair.truth.crs.to_epsg() == 32637
    assert not pair.shift.any()
    assert np.abs(pair.after.image - pair.before.image).max() > 0.1  # vehicles, crops, shadows


@pytest.mark.parametrize("resolution", [0.3, 3.0, 10.0])
def test_any_resolution_bands_and_depth(resolution: float) -> None:
    style = PairStyle(works=("building", "road", "clearing"), bands=("red", "pan"), dtype="uint8")
    pair = made_pair(11, 128, resolution, style)
    for image in (pair.before.image, pair.after.image):
        assert image.shape == (2, 128, 128)
        assert image.dtype == np.float32
        np.testing.assert_allclose(image * 255, np.round(image * 255), atol=1e-4)
        assert 0 < image.min() <= image.max() <= 1
        assert image.std() > 0.01  # not flat colour
    assert set(pair.truth.kind) <= set(style.works or ())
    bounds = gpd.GeoSeries([pair.before.geobox.extent.geom])
    assert pair.truth.within(bounds.iloc[0].buffer(6 * resolution)).all()


def test_a_pair_on_disk_is_labelled_and_complete(tmp_path: Path) -> None:
    style = PairStyle(works=EVERY_KIND)
    simulate_pair(tmp_path, seed=1, size=150, resolution=0.5, style=style)
    pair = made_pair(1, 150, 0.5, style)
    whole = np.zeros((4, 150, 150), np.uint16)
    for path in sorted((tmp_path / "after").glob("*.tif")):
        with rasterio.open(path) as tile:
            assert tile.tags()["GROUNDBREAK_MADE"] == "YES"
            assert "not a photograph" in tile.tags()["TIFFTAG_IMAGEDESCRIPTION"]
            assert tile.descriptions == ("blue", "green", "red", "nir")
            assert (tile.nodata, tile.scales, tile.offsets) == (0, (1e-4,) * 4, (0.0,) * 4)
            col, row = ~pair.after.geobox.transform @ (tile.bounds.left, tile.bounds.top)
            whole[:, round(row) : round(row) + tile.height, round(col) : round(col) + tile.width] = (
                tile.read()
            )
    np.testing.assert_allclose(whole * 1e-4, pair.after.image, atol=5e-5)
    with rasterio.open(tmp_path / "shift_truth.tif") as field:
        np.testing.assert_array_equal(field.read(), pair.shift)
    changes = gpd.read_file(tmp_path / "truth.geojson")
    assert sorted(changes["name"]) == sorted(pair.truth["name"])
    assert all(polygon.exterior.is_ccw for polygon in changes.geometry.explode())  # RFC 7946
    back = changes.set_index("name").geometry.to_crs(32637)
    for row in pair.truth.itertuples():
        assert back[row.name].symmetric_difference(row.geometry).area < 0.01 * row.geometry.area + 0.05
    assert not list(tmp_path.rglob("*.part*"))


@pytest.mark.parametrize(
    ("seed", "size", "resolution", "bands", "says"),
    [
        (-1, 128, 0.5, ("red",), "seed -1"),
        (1, 8, 0.5, ("red",), "size 8"),
        (1, 128, 0.0, ("red",), "resolution 0"),
        (1, 128, 0.5, ("red", "swir16"), "bands swir16"),
        (1, 128, 0.5, (), "bands none"),
    ],
)
def test_what_cannot_be_drawn_is_said(
    seed: int, size: int, resolution: float, bands: tuple[str, ...], says: str
) -> None:
    with pytest.raises(GroundbreakError, match=says):
        made_pair(seed, size, resolution, PairStyle(bands=bands))


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(OutputError, match="taken"):
        write_raster(
            tmp_path / "taken" / "a.tif", np.ones((1, 16, 16), np.uint8), GRID[:16, :16], ("pan",), {}
        )


@pytest.mark.parametrize("site", sorted(SITES))
def test_sample_truth_matches_its_spec(site: str) -> None:
    spec = SITES[site]()
    kept = gpd.read_file(SAMPLES / site / "truth.geojson").to_crs(str(spec.geobox.crs))
    expected = timeline_truth(spec)
    assert list(kept["name"]) == list(expected["name"])
    assert kept.geometry.symmetric_difference(expected.geometry).area.max() < 0.1
    last = kept[kept.first_seen == "2019-09-21"]
    assert set(last[last.direction == "new"].kind) == set(EVERY_KIND)
    assert json.loads((SAMPLES / site / "shift_truth.json").read_text()) == json.loads(
        json.dumps(shift_truth(spec))
    )


def test_samples_keep_to_their_budget() -> None:
    assert sum(path.stat().st_size for path in SAMPLES.rglob("*") if path.is_file()) <= 30e6
    for site in SITES:
        for date in (*DATES, *QUIET):
            tiles = sorted((SAMPLES / site / date).glob("*.tif"))
            assert len(tiles) == 4
            assert sum(tile.stat().st_size for tile in tiles) <= 2.5e6
            for path in tiles:
                with rasterio.open(path) as tile:
                    assert tile.tags()["GROUNDBREAK_MADE"] == "YES"
                    assert tile.read(masked=True).mask.sum() == 0


def test_samples_are_what_the_code_draws(tmp_path: Path) -> None:
    """One date of one site, pixel for pixel (a last-bit difference between processors may move a few)."""
    for path in make_samples(tmp_path, sites=("qaim_crossing",), dates=("2019-09-21",)):
        with rasterio.open(path) as now, rasterio.open(SAMPLES / path.relative_to(tmp_path)) as kept:
            assert now.profile == kept.profile
            assert np.mean(now.read() != kept.read()) < 1e-4
