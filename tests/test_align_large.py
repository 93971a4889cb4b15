"""Large grids are matched from a few tiles on; here, what is large is told to be small."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import xarray as xr
from aligned_scenes import Floats, Ground, grid_of, image_of, pair

from pipeline.errors import AlignmentRejectedError
from pipeline.stages.align import Align, align, whole
from pipeline.stages.align.channels import channels, decimate
from pipeline.stages.align.lattice import SIDE, TILE, Lattice

ALIGN = Align(accept_uncertain=False)

SIZE = 1152
GRID = grid_of(SIZE, SIZE)


def warped(row: Floats, col: Floats) -> tuple[Floats, Floats]:
    """Thirty pixels off, a fifth of a degree turned, and bent by a pixel."""
    bend = np.sin(2 * np.pi * row / 2900), np.cos(2 * np.pi * col / 3100)
    return 21.3 + 0.0035 * (col - SIZE / 2) + bend[0], -19.8 - 0.0035 * (row - SIZE / 2) + bend[1]


@pytest.fixture(scope="module")
def images() -> tuple[np.ndarray, np.ndarray]:
    return pair(Ground(SIZE), warped)


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(align, "LARGE", 1000)
    monkeypatch.setattr(align, "CLUSTER_PITCH", 380)
    monkeypatch.setattr(whole, "IN_MEMORY", 0)


def error_px(result: object) -> Floats:
    row, col = (a.astype(float) for a in np.mgrid[48 : SIZE - 48 : 16, 48 : SIZE - 48 : 16])
    dx, dy = result.field.at(row, col)  # type: ignore[attr-defined]
    drow, dcol = warped(row, col)
    return np.hypot(dx / 0.5 - dcol, -dy / 0.5 - drow)


@pytest.mark.usefixtures("large")
def test_clusters_find_what_a_dense_lattice_finds(images: tuple[np.ndarray, np.ndarray]) -> None:
    result = ALIGN(*(image_of(values, GRID, chunk=TILE) for values in images), GRID)
    assert result.status == "ok"
    assert np.median(error_px(result)) < 0.03
    assert np.sqrt(np.mean(error_px(result) ** 2)) < 0.08


@pytest.mark.usefixtures("large")
def test_other_ground_is_refused_however_large(images: tuple[np.ndarray, np.ndarray]) -> None:
    other = pair(Ground(SIZE, seed=8), warped)[1]
    with pytest.raises(AlignmentRejectedError):
        ALIGN(*(image_of(values, GRID, chunk=TILE) for values in (images[0], other)), GRID)


@pytest.mark.parametrize("size", [4096, 10980, 2900])
def test_a_cluster_keeps_inside_a_tile(size: int) -> None:
    lattice = Lattice.clusters((size, size), 128, 96, 11)
    first, last = lattice.rows[::SIDE], lattice.rows[SIDE - 1 :: SIDE] + 128
    whole_tiles = last < size // TILE * TILE
    assert (first[whole_tiles] // TILE == (last[whole_tiles] - 1) // TILE).all()
    assert len(first) == min(11, -(-size // TILE))
    assert last.max() <= size
    assert len(list(lattice.blocks())) == len(first) ** 2


def test_windows_of_a_dense_lattice_are_centred_and_few_enough() -> None:
    lattice = Lattice.dense((1000, 700), 128, 64, 1600)
    assert lattice.rows[0] + lattice.rows[-1] + 128 in (999, 1000)
    assert (np.diff(lattice.cols) == 64).all()
    assert len(Lattice.dense((9000, 9000), 128, 64, 1600).rows) <= 40
    assert Lattice.dense((100, 100), 128, 64, 1600).window == 32
    assert len(Lattice.dense((20, 100), 128, 64, 1600).rows) == 0


def test_averaged_down_only_where_half_is_known_and_the_same_for_any_chunks() -> None:
    values = np.arange(2 * 12 * 16, dtype=np.float32).reshape(2, 12, 16)
    seen = np.ones((12, 16), np.bool_)
    seen[0:4, 0:3] = False  # 12 of 16
    seen[4:8, 0:2] = False  # 8 of 16
    means = []
    for chunk in (12, 8, 5):
        image = image_of(values, grid_of(12, 16), seen, bands=("red", "nir"), chunk=(chunk, chunk))
        means.append(decimate(channels(image, image)[0], 4))
    assert np.isnan(means[0][:, 0, 0]).all()
    np.testing.assert_allclose(means[0][0, 1, 0], values[0, 4:8, 2:4].mean())
    np.testing.assert_allclose(means[0][1, 2, 3], values[1, 8:12, 12:16].mean())
    for other in means[1:]:
        np.testing.assert_array_equal(means[0], other)
    assert means[0].odc.geobox == grid_of(12, 16).zoom_out(4)


def test_channels_are_means_of_bands_that_both_dates_have() -> None:
    values = np.stack([np.full((8, 8), v, np.float32) for v in (1, 2, 4, 9)])
    image = image_of(values, grid_of(8, 8), bands=("blue", "green", "red", "nir"))
    pan = image_of(values[:1], grid_of(8, 8), bands=("pan",))
    both, single = channels(image, image)[0], channels(image, pan)
    assert isinstance(both, xr.DataArray)
    assert isinstance(both.data, da.Array)
    np.testing.assert_allclose(both[:, 3, 3], [7 / 3, 9])
    assert (single[0].shape, single[1].shape) == ((1, 8, 8), (1, 8, 8))
