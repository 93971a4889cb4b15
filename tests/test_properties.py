"""What must hold for any pair of images, not only for those of other tests (hypothesis).

Few examples, each a whole comparison of small made scenes; the same ones each time (derandomised), so that a
failure is a failure for all.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd
import numpy as np
import shapely
import yaml
from affine import Affine
from corpus.case import BANDS, GRID, SIDE, Array, built, ground
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from imagery import write
from jobs import checksums, compare, findings, physical
from odc.geo.geobox import GeoBox

from pipeline.config.reading import read_site_file
from pipeline.config.schema import SiteFile

few = settings(
    max_examples=2, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
many = settings(few, max_examples=60)

SEEDS = st.integers(0, 2**16)


def scene(folder: Path, name: str, values: Array, box: GeoBox = GRID) -> Path:
    return write(folder / name, values, box, names=BANDS, nodata=0)


def compared(
    folder: Path, before: Path, after: Path, name: str = "result", *options: object, detector: str = "classic"
) -> Path:
    return compare(before, after, folder / name, "--detector", detector, *options)


def moved(box: GeoBox, east: float, north: float) -> GeoBox:
    return GeoBox(box.shape, Affine.translation(east, north) * box.transform, box.crs)


def mask(folder: Path, hidden: Array) -> Path:
    return write(folder / "clouds.tif", hidden[None].astype("uint8"), GRID)


@few
@given(seed=SEEDS, gain=st.floats(0.7, 1.3), level=st.integers(-150, 150), noise=st.integers(0, 40))
def test_no_change_in_no_finding_out(seed: int, gain: float, level: int, noise: int) -> None:
    """The same ground, under other light and with other noise."""
    before = ground(seed)
    shaken = before * gain + level + np.random.default_rng(seed + 1).normal(0, noise, before.shape)
    with TemporaryDirectory() as name:
        place = Path(name)
        files = scene(place, "a.tif", before), scene(place, "b.tif", shaken.clip(1, 65535).astype("uint16"))
        assert len(findings(compared(place, *files))) == 0


@few
@given(seed=SEEDS, east=st.integers(-3000, 3000), north=st.integers(-3000, 3000))
def test_moving_both_images_moves_the_findings(seed: int, east: int, north: int) -> None:
    before = ground(seed)
    shapes = []
    with TemporaryDirectory() as name:
        for by in ((0, 0), (east, north)):
            place, box = Path(name) / str(by), moved(GRID, *by)
            files = scene(place, "a.tif", before, box), scene(place, "b.tif", built(before), box)
            shapes.append(findings(compared(place, *files)))
        here, there = shapes
        assert len(here) == len(there) > 0
        assert list(here["kind"]) == list(there["kind"])
        np.testing.assert_allclose(here["confidence"], there["confidence"], atol=1e-3)
        back = there.geometry.translate(-east, -north)
        for one, other in zip(here.geometry, back, strict=True):
            assert one.intersection(other).area > 0.98 * one.union(other).area


@few
@given(seed=SEEDS)
def test_swapping_the_dates_turns_new_into_removed(seed: int) -> None:
    """One of both outlines may take the shadow along: it is on the ground of one date only."""
    with TemporaryDirectory() as name:
        place = Path(name)
        files = scene(place, "a.tif", ground(seed)), scene(place, "b.tif", built(ground(seed)))
        there = findings(compared(place, *files, "there"))
        back = findings(compared(place, *files[::-1], "back"))
    assert list(there["direction"]) == ["new"]
    assert list(back["direction"]) == ["removed"]
    one, other = there.geometry.iloc[0], back.geometry.iloc[0]
    assert one.intersection(other).area > 0.9 * min(one.area, other.area)


def cuts(draw: st.DrawFn) -> list[int]:
    """Where a side is cut into tiles."""
    inner = draw(st.lists(st.integers(8, SIDE - 8), max_size=2, unique=True))
    return [0, *sorted(inner), SIDE]


splits = st.composite(lambda draw: (cuts(draw), cuts(draw)))()


def in_tiles(folder: Path, values: Array, split: tuple[list[int], list[int]], names: Sequence[str]) -> Path:
    rows, cols = split
    left = list(names)
    for top, bottom in itertools.pairwise(rows):
        for west, east in itertools.pairwise(cols):
            part = np.s_[top:bottom, west:east]
            scene(folder, f"{left.pop()}.tif", values[:, *part], GRID[part])
    return folder


@few
@given(
    seed=SEEDS,
    split=splits,
    names=st.permutations("abcdefghi"),
    chunk=st.sampled_from([64, 65, 128]),
    detector=st.sampled_from(["classic", "learned"]),
)
def test_any_split_any_order_any_chunk_gives_the_same(
    seed: int, split: tuple[list[int], list[int]], names: list[str], chunk: int, detector: str
) -> None:
    """Byte for byte."""
    before, after = ground(seed), built(ground(seed))
    with TemporaryDirectory() as name:
        place = Path(name)
        whole = compared(
            place, scene(place, "a.tif", before), scene(place, "b.tif", after), detector=detector
        )
        tiles = in_tiles(place / "a", before, split, names), in_tiles(place / "b", after, split, names[::-1])
        cut = compared(place, *tiles, "cut", "--chunk-size", chunk, detector=detector)
        assert checksums(cut) == checksums(whole)
        assert len(findings(whole)) > 0


@few
@given(
    seed=SEEDS,
    left=st.integers(0, 80),
    top=st.integers(0, 80),
    wide=st.integers(4, 60),
    high=st.integers(4, 60),
)
def test_masking_more_never_adds_findings(seed: int, left: int, top: int, wide: int, high: int) -> None:
    """What is hidden is in no finding and not observed; what is found elsewhere was found before."""
    hidden = np.zeros((SIDE, SIDE), bool)
    hidden[top : top + high, left : left + wide] = True
    with TemporaryDirectory() as name:
        place = Path(name)
        files = scene(place, "a.tif", ground(seed)), scene(place, "b.tif", built(ground(seed)))
        clear = findings(compared(place, *files, "clear"))
        result = compared(place, *files, "masked", "--after-mask", mask(place, hidden))
        told, unseen = findings(result), np.isnan(physical(result / "after.tif")[0])
    assert unseen[hidden].all()
    assert len(told) <= len(clear)
    ground_of = shapely.union_all(clear.geometry.buffer(3 * abs(GRID.transform.a)).array)
    assert told.geometry.within(ground_of).all()
    covered = gpd.GeoSeries([hole(hidden)], crs=told.crs)
    assert told.geometry.intersection(covered.iloc[0]).area.sum() < 1e-6 + 0.05 * told.geometry.area.sum()


def hole(hidden: Array) -> shapely.Geometry:
    """The ground of hidden pixels, without their rim."""
    rows, cols = np.nonzero(hidden)
    t = GRID.transform
    west, north = t * (cols.min(), rows.min())
    east, south = t * (cols.max() + 1, rows.max() + 1)
    return shapely.box(west, south, east, north).buffer(-t.a)


# Site files

_NAMES = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029\x85\ufeff"),
    min_size=1,
    max_size=12,
)
_BOXES = st.tuples(st.floats(-180, 0), st.floats(-90, 0), st.floats(0.001, 180), st.floats(0.001, 90)).map(
    list
)
_DAYS = st.dates().map(str)
SITES = st.fixed_dictionaries(
    {
        "id": st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9_-]{0,20}\Z"),
        "source": st.lists(
            st.fixed_dictionaries(
                {"files": st.just("a/{date}/*.tif")},
                optional={"scale": st.floats(1e-6, 1e6), "offset": st.floats(-1e6, 1e6)},
            ),
            min_size=1,
            max_size=3,
        ),
    },
    optional={
        "name": _NAMES,
        "aoi": _BOXES,
        "zones": st.dictionaries(_NAMES, _BOXES, max_size=3),
        "exclude": st.dictionaries(_NAMES, _BOXES, max_size=2),
        "min_visible": st.floats(0, 1),
        "bands": st.lists(st.sampled_from(BANDS), unique=True, min_size=1),
        "resolution": st.floats(1e-3, 1e4),
        "flag": st.fixed_dictionaries(
            {}, optional={"min_confidence": st.floats(0, 1), "min_area_m2": st.floats(0, 1e6)}
        ),
        "detector": st.sampled_from(["auto", "classic", "learned"]),
        "crs": st.sampled_from(["EPSG:32637", "EPSG:3857"]),
        "compute": st.fixed_dictionaries({}, optional={"chunk_size": st.integers(64, 8192)}),
    },
)


@many
@given(told=SITES)
def test_a_site_file_written_out_and_read_in_is_the_same(told: dict[str, object]) -> None:
    with TemporaryDirectory() as name:
        first, second = Path(name) / "a.yaml", Path(name) / "b.yaml"
        first.write_text(yaml.safe_dump(told, allow_unicode=True), encoding="utf-8")
        once = read_site_file(first)
        assert once == SiteFile.model_validate(told)
        second.write_text(yaml.safe_dump(once.model_dump(mode="json"), allow_unicode=True), encoding="utf-8")
        assert read_site_file(second) == once
