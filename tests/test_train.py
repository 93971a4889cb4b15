"""What the fine network is trained on: made pairs, collages of real images, users' own pairs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox
from scipy import ndimage

from pipeline.errors import SourceNotFoundError
from pipeline.simulate.lean import leaning
from pipeline.simulate.season import Season, in_season
from pipeline.simulate.write import write_geojson, write_raster
from pipeline.stages.detect.detector import KINDS
from pipeline.train.fine import own
from pipeline.train.fine.backgrounds import Background, backgrounds
from pipeline.train.fine.clouds import clouded
from pipeline.train.fine.collage import collage
from pipeline.train.fine.fields import farmed
from pipeline.train.fine.halls import built_over
from pipeline.train.fine.made import made_sample
from pipeline.train.fine.sample import (
    BUILDING,
    CLASSES,
    EQUIPMENT,
    IGNORE,
    NO_BUILDING,
    REMOVED,
    SOMETHING,
    STANDS,
    STOOD,
    Sample,
    mosaic,
)
from pipeline.train.pairs import Labelled, labelled_pairs
from pipeline.train.parcels import parcels


def _sample(size: int = 32) -> Sample:
    """Before all 10, after all 20; a new building, machines that came, and a road that went."""
    images = np.concatenate([np.full((3, size, size), value, np.uint8) for value in (10, 20)])
    labels = np.zeros((4, size, size), np.uint8)
    labels[CLASSES, 2:8, 2:8] = labels[STANDS, 2:8, 2:8] = BUILDING
    labels[CLASSES, 12:16, 2:8] = EQUIPMENT
    labels[REMOVED, 2:8, 12:16] = 1 + KINDS.index("road")
    return Sample(images, labels)


def test_swapped_dates_turn_new_into_removed() -> None:
    swapped = _sample().swapped()
    assert (swapped.images[:3] == 20).all()
    assert (swapped.labels[REMOVED, 2:8, 2:8] == BUILDING).all()
    assert (swapped.labels[STOOD, 2:8, 2:8] == 1).all()
    assert not swapped.labels[STANDS].any()
    assert (swapped.labels[CLASSES, 2:8, 12:16] == 1 + KINDS.index("road")).all()
    assert (swapped.labels[REMOVED, 12:16, 2:8] == IGNORE).all()  # machines that leave are nothing


def test_altered_building_is_unknown_when_the_dates_are_swapped() -> None:
    sample = _sample()
    sample.labels[STOOD, 2:8, 2:8] = 1
    swapped = sample.swapped()
    assert (swapped.labels[CLASSES, 2:8, 2:8] == NO_BUILDING).all()
    assert (swapped.labels[REMOVED, 2:8, 2:8] == IGNORE).all()


def test_turning_moves_images_and_labels_alike() -> None:
    sample = _sample()
    sample.images[3:, 2:8, 2:8] = 99
    turned = sample.turned(1, True)
    np.testing.assert_array_equal(turned.images[3] == 99, turned.labels[CLASSES] == BUILDING)


def test_mosaic_averages_images_and_keeps_small_things() -> None:
    sample = _sample()
    sample.images[0, ::2] = 20
    sample.labels[CLASSES, 31, 31] = BUILDING
    joined = mosaic([sample, _sample(), _sample(), _sample()])
    assert joined.images.shape == sample.images.shape
    assert (joined.images[0, :16, :16] == 15).all()
    assert joined.labels[CLASSES, 15, 15] == BUILDING
    assert joined.labels[CLASSES, 17, 1] == joined.labels[CLASSES, 1, 1] == BUILDING


@pytest.mark.parametrize("town", [True, False])
def test_made_sample_is_the_same_again_and_its_labels_fit(town: bool) -> None:
    first, again = made_sample(1006, 128, town), made_sample(1006, 128, town)
    assert first.images.shape == (6, 128, 128)
    assert first.labels.shape == (4, 128, 128)
    np.testing.assert_array_equal(first.images, again.images)
    np.testing.assert_array_equal(first.labels, again.labels)
    assert first.labels[:2].max() <= len(KINDS)
    new = (first.labels[CLASSES] == BUILDING) & (first.labels[STOOD] == 0)
    assert new.sum() > 100
    assert (first.labels[STANDS][new] == 1).mean() > 0.9


def test_new_buildings_of_a_made_town_are_where_the_images_differ() -> None:
    inside, outside = [], []
    for seed in range(1000, 1012):
        sample = made_sample(seed, 128)
        difference = np.abs(sample.images[:3].astype(float) - sample.images[3:]).mean(axis=0)
        new = sample.labels[CLASSES] == BUILDING
        inside += list(difference[new])
        outside += list(difference[sample.labels[CLASSES] == 0])
    assert len(inside) > 1000
    assert np.mean(inside) > 1.3 * np.mean(outside)


def test_roof_leans_away_from_its_foot_and_shows_a_wall() -> None:
    height = np.zeros((60, 60))
    height[20:40, 20:40] = 10.0
    rows, cols, wall = leaning(
        height, 0.5, (0.2, 0.0)
    )  # ten metres high: two metres, four pixels, to the east
    seen = height[rows, cols] == 10
    assert seen[30, 24:44].all()
    assert not (seen & ~wall)[30, :23].any()
    assert not wall[30, 26:43].any()
    np.testing.assert_array_equal(rows, np.indices(height.shape)[0])


def test_upright_view_changes_nothing() -> None:
    rows, cols, wall = leaning(np.full((8, 8), 5.0), 0.5, (0.0, 0.0))
    assert not wall.any()
    np.testing.assert_array_equal(cols, np.indices((8, 8))[1])
    np.testing.assert_array_equal(rows, np.indices((8, 8))[0])


def test_dry_season_yellows_plants_and_leaves_concrete() -> None:
    grass, concrete = (0.045, 0.085, 0.065, 0.34), (0.232, 0.276, 0.312, 0.342)
    ground = np.stack([np.array(grass), np.array(concrete)], axis=1)[:, None, :]
    dry = in_season(ground, np.zeros((1, 2)), Season(dryness=1.0))
    assert dry[2, 0, 0] > 1.5 * ground[2, 0, 0]
    np.testing.assert_allclose(dry[:, 0, 1], ground[:, 0, 1], rtol=1e-6)


def _ground(name: str, shade: int) -> Background:
    image = np.full((3, 300, 300), shade, np.uint8)
    roofs = np.zeros((300, 300), np.int32)
    for number in range(4):
        at = (slice(40 + 55 * number, 60 + 55 * number), slice(100, 130))
        image[:, *at] = 230
        roofs[at] = number + 1
    return Background(name, image, roofs)


def test_clouds_hide_what_was_built_and_are_nothing_themselves() -> None:
    sample = made_sample(4, 128)
    for seed in range(6):
        images, labels = clouded(np.random.default_rng(seed), sample.images.astype(np.float32), sample.labels)
        (date,) = [d for d in (0, 1) if (images[3 * d : 3 * d + 3] != sample.images[3 * d : 3 * d + 3]).any()]
        hidden = labels[(STOOD, STANDS)[date]] == IGNORE
        assert 0.01 < hidden.mean() < 0.45
        for layer in (CLASSES, REMOVED):
            built = sample.labels[layer] > 0
            assert (labels[layer][hidden & built] == IGNORE).all()
            np.testing.assert_array_equal(labels[layer][~hidden], sample.labels[layer][~hidden])
            assert not labels[layer][hidden & ~built].any()


def test_halls_are_told_by_the_dates_that_show_them() -> None:
    sample = made_sample(4, 128)
    images = sample.images.astype(np.float32)
    seen = set()
    for seed in range(12):
        painted, labels = built_over(np.random.default_rng(seed), images, sample.labels)
        halls = (labels != sample.labels).any(axis=0) & (labels != IGNORE).all(axis=0)
        same = ~(painted != images).any(axis=0)
        np.testing.assert_array_equal(
            labels[:, same], np.where(labels == IGNORE, IGNORE, sample.labels)[:, same]
        )
        told = {tuple(int(v) for v in labels[:, y, x]) for y, x in np.argwhere(halls)}
        assert told <= {(BUILDING, 0, 0, 1), (0, BUILDING, 1, 0), (0, 0, 1, 1)}
        seen |= told
    assert len(seen) == 3


def test_parcels_share_a_square_among_them() -> None:
    found = parcels(np.random.default_rng(3), 64, 9)
    assert set(np.unique(found)) == set(range(9))
    for parcel in range(9):  # convex, so whole
        assert ndimage.label(found == parcel, np.ones((3, 3)))[1] == 1


def test_fields_change_their_looks_and_nothing_built_does() -> None:
    sample = made_sample(4, 128)
    images = sample.images.astype(np.float32)
    open_ground = (sample.labels == 0).all(axis=0)
    changed = [
        (farmed(np.random.default_rng(seed), images, sample.labels) != images).any(axis=0)
        for seed in range(6)
    ]
    assert all(not each[~open_ground].any() for each in changed)
    assert all(0.05 < each[open_ground].mean() < 0.95 for each in changed)


def test_collage_builds_roofs_where_it_says() -> None:
    grounds, built, quiet = [_ground("a", 90), _ground("b", 110)], 0, 0
    for seed in range(40):
        sample = collage(np.random.default_rng(seed), grounds, 128)
        assert sample.images.dtype == sample.labels.dtype == np.uint8
        new = sample.labels[CLASSES] == BUILDING
        assert (sample.labels[STANDS][new] == 1).all()
        assert not (sample.labels[STOOD][new] == 1).any()
        built, quiet = built + bool(new.any()), quiet + (not new.any())
        if new.any():
            brighter = sample.images[3:].mean(axis=0)[new].mean() - sample.images[:3].mean(axis=0)[new].mean()
            assert brighter > 20
    assert built > 5
    assert quiet > 5


def test_outlines_are_read_for_the_images_that_are_there(tmp_path: Path) -> None:
    assert backgrounds(tmp_path) == []


def test_shipped_outlines_lie_within_their_box() -> None:
    told = json.loads((Path(own.__file__).parent / "roofs.json").read_text(encoding="utf-8"))
    assert sum(len(one["buildings"]) for one in told) > 500
    for one in told:
        west, north, east, south = one["complete_within"]
        assert west < east
        assert north < south
        assert all(len(corners) >= 3 for corners in one["buildings"])


def _own_case(folder: Path) -> None:
    """A small pair with one new building, as a user would lay it out."""
    rng = np.random.default_rng(3)
    grid = GeoBox((192, 192), Affine(0.5, 0, 600_000, 0, -0.5, 3_800_000), "EPSG:32637")
    ground = rng.uniform(0.1, 0.4, (3, 24, 24)).repeat(8, 1).repeat(8, 2)
    after = ground.copy()
    after[:, 60:90, 70:110] = 0.9
    for name, image in (("before", ground), ("after", after)):
        (folder / name).mkdir(parents=True)
        noisy = np.clip(image + rng.normal(0, 0.01, image.shape), 0.001, 1)
        write_raster(
            folder / name / "image.tif",
            (noisy * 10_000).astype(np.uint16),
            grid,
            ("red", "green", "blue"),
            {},
        )
    import geopandas as gpd
    from shapely.geometry import box

    roof = box(600_000 + 35, 3_800_000 - 45, 600_000 + 55, 3_800_000 - 30)
    truth = gpd.GeoDataFrame(
        {"name": ["hall"], "kind": ["building"], "direction": ["new"]}, geometry=[roof], crs="EPSG:32637"
    )
    write_geojson(folder / "truth.geojson", truth)


def test_own_pairs_become_samples(tmp_path: Path) -> None:
    _own_case(tmp_path / "pairs" / "yard")
    pairs = list(labelled_pairs(tmp_path / "pairs"))
    assert [pair.name for pair in pairs] == ["yard"]
    files = own.store_samples(pairs, tmp_path / "samples")
    assert len(files) == 1
    with np.load(files[0]) as held:
        images, labels = held["images"], held["labels"]
    assert images.shape == (6, 256, 256)
    new = labels[CLASSES] == BUILDING
    assert abs(int(new.sum()) - 30 * 40) < 140
    assert images[3:, new].mean() > images[:3, new].mean() + 40
    assert (labels[:, 200:] == IGNORE).all()


def test_truth_without_kinds_is_something(tmp_path: Path) -> None:
    _own_case(tmp_path)
    pair = next(iter(labelled_pairs(tmp_path)))
    unnamed = Labelled(pair.name, pair.pair, pair.bands, pair.grid, pair.truth.assign(kind=None))
    (file,) = own.store_samples([unnamed], tmp_path / "samples")
    with np.load(file) as held:
        assert (held["labels"][CLASSES] == SOMETHING).sum() > 1000


def test_folder_without_pairs_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFoundError, match=r"no labelled pair; give a folder with before/"):
        list(labelled_pairs(tmp_path))


def test_network_learns_and_goes_through_onnx(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="training is an extra; install torch to test it")
    pytest.importorskip("onnx")
    from pipeline.stages.detect.learned.metadata import Metadata
    from pipeline.stages.detect.learned.network import open_network
    from pipeline.train.fine.export import load_onnx, save_onnx
    from pipeline.train.fine.learn import Mixture, Recipe, Samples, learn

    recipe = Recipe(steps=3, batch=2)
    samples = Samples({}, [_ground("a", 90)], Mixture(coarser=0), 1, recipe.steps * recipe.batch)
    network = learn(samples, recipe)
    save_onnx(network, tmp_path / "net.onnx", Metadata(tile=64, overlap=32))
    shown = np.random.default_rng(0).normal(0, 1, (6, 128, 128)).astype(np.float32)
    ran = open_network(str(tmp_path / "net.onnx"))(shown)
    again = load_onnx(tmp_path / "net.onnx").eval()
    with torch.no_grad():
        expected = again(torch.from_numpy(shown)[None])[0, :8].numpy()
    np.testing.assert_allclose(ran, expected, atol=1e-4)


def test_calibration_takes_back_what_training_weighed_up(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="training is an extra; install torch to test it")
    from pipeline.train.fine.calibrate import calibrated

    rng = np.random.default_rng(2)
    labels = np.zeros((4, 128, 128), np.uint8)
    labels[CLASSES] = rng.random((128, 128)) < 0.2  # a building at every fifth pixel
    np.savez(tmp_path / "kept.npz", images=rng.integers(0, 255, (6, 128, 128), np.uint8), labels=labels)

    class Undecided(torch.nn.Module):  # type: ignore[misc]
        def forward(self, pair: object) -> object:
            logits = torch.full((1, 9, 128, 128), -10.0)
            logits[:, :2] = 0.0
            return logits

    told = calibrated(Undecided(), [tmp_path / "kept.npz"])
    assert told.bias[1] / told.temperature[1] == pytest.approx(np.log(0.2 / 0.8), abs=0.1)
    assert told.bias[0] == 0
