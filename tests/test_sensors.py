"""What Items of known sensors say: masks by their kinds, scale and offset by their metadata."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pystac
import pytest
import shapely
from imagery import grid, noise, write
from numpy.typing import NDArray

from pipeline.scenes import acquired, band_sources, describe, has_mask
from pipeline.scenes.calibration import calibrate
from pipeline.scenes.counts import Counts
from pipeline.scenes.masks import item_masks
from pipeline.scenes.visible import visible_share
from pipeline.stages.load import Load

BOX = grid(4, 12, size=10.0)
FILL, DILATED, CIRRUS, CLOUD, SHADOW, SNOW, CLEAR, WATER = (1 << bit for bit in range(8))


def item(folder: Path, mask: NDArray[Any], key: str, count: int = 1, **properties: Any) -> pystac.Item:
    """A red band, and a mask whose columns hold these values, (columns,) or (band, columns)."""
    counts = noise(BOX, 1)
    (scene,) = describe(write(folder / "red.tif", counts, BOX, names=["red"]), date="2024-05-01")
    values = np.broadcast_to(np.atleast_2d(mask)[:, np.newaxis, :], (count, *BOX.shape.yx))
    path = write(folder / f"{key}.tif", values.copy(), BOX)
    scene.add_asset(key, pystac.Asset(str(path)))
    scene.properties.update(properties)
    return scene


def seen(scene: pystac.Item) -> list[bool]:
    """A column each; the same in all rows, and as `visible_share` counts."""
    observed = Load()([scene], BOX)["observed"].values
    assert (observed == observed[0]).all()
    assert visible_share([scene], None) == pytest.approx(observed.mean(), abs=0.02)
    return [bool(value) for value in observed[0]]


def test_scene_classification(tmp_path: Path) -> None:
    scene = item(tmp_path, np.arange(12, dtype="uint8"), "SCL")
    assert has_mask(scene)
    assert list(band_sources(scene)) == ["red"]
    # nodata, saturated, shadow, clouds of medium and high probability and cirrus are hidden
    assert seen(scene) == [value not in {0, 1, 3, 8, 9, 10} for value in range(12)]


def test_landsat_quality_bits(tmp_path: Path) -> None:
    values = [
        CLEAR, CLEAR | WATER, CLEAR | SNOW, 0, FILL, DILATED | CLEAR, CIRRUS, CLOUD, SHADOW, CLOUD | SHADOW,
        21824, 22280,  # clear land, and cloud of high confidence, as USGS delivers them
    ]  # fmt: skip
    scene = item(tmp_path, np.array(values, "uint16"), "qa_pixel")
    assert seen(scene) == [True, True, True, True, *[False] * 6, True, False]


def test_usable_data_mask(tmp_path: Path) -> None:
    bands = np.zeros((8, 12), "uint8")
    bands[0, 0] = 1  # clear
    bands[1, 1] = 1  # snow
    for band, column in ((2, 2), (3, 3), (4, 4), (5, 5)):  # shadow, light and heavy haze, cloud
        bands[band, column] = 1
    bands[6] = 99  # confidence
    scene = item(tmp_path, bands, "20240501_101010_11_3B_udm2", 8)
    assert seen(scene) == [True, True, *[False] * 10]


def test_the_finest_of_a_mask_counts(tmp_path: Path) -> None:
    scene = item(tmp_path, np.full(12, 9, "uint8"), "SCL_20m")
    coarse = grid(1, 3, size=40.0)
    path = write(tmp_path / "coarse.tif", np.full((1, 1, 3), 4, "uint8"), coarse)
    scene.add_asset("SCL_60m", pystac.Asset(str(path)))
    (mask,) = item_masks(scene)
    assert mask.href.endswith("SCL_20m.tif")


# Folders as they are delivered


def test_a_landsat_folder(tmp_path: Path) -> None:
    product = "LC09_L2SP_171036_20240501_20240503_02_T1"
    counts = noise(BOX, 1, low=8000, high=20000)
    for band in ("SR_B2", "SR_B3", "SR_B4", "SR_B5", "ST_B10", "ST_QA", "SR_QA_AEROSOL", "QA_RADSAT"):
        write(tmp_path / f"{product}_{band}.TIF", counts, BOX)
    quality = np.full((1, *BOX.shape.yx), 21824, "uint16")
    quality[..., :3] = FILL
    write(tmp_path / f"{product}_QA_PIXEL.TIF", quality, BOX)
    (scene,) = describe(tmp_path)
    assert (scene.id, acquired(scene)) == (product, "2024-05-01")
    assert list(band_sources(scene)) == ["blue", "green", "red", "nir08"]
    image = Load()([scene], BOX)["image"].values
    assert np.isnan(image[..., :3]).all()
    np.testing.assert_allclose(image[2, :, 3:], counts[0, :, 3:] * 2.75e-5 - 0.2, rtol=1e-4)
    assert band_sources(describe(tmp_path, counts=Counts(1.0, 0.0))[0])["red"].scale == 1


def test_older_landsats_number_their_bands_otherwise(tmp_path: Path) -> None:
    for band in ("SR_B1", "SR_B4", "SR_B7"):
        write(tmp_path / f"LT05_L2SP_171036_19990501_20200908_02_T1_{band}.TIF", noise(BOX, 1), BOX)
    assert list(band_sources(describe(tmp_path)[0])) == ["blue", "nir08", "swir22"]


def test_a_planetscope_folder(tmp_path: Path) -> None:
    usable = np.zeros((8, *BOX.shape.yx), "uint8")
    usable[0, :, :5] = 1
    for name in ("20240501_080000_11_2201", "20240501_080002_11_2201"):
        counts = noise(BOX, 4)
        names = ["blue", "green", "red", "nir"]
        write(tmp_path / f"{name}_3B_AnalyticMS_SR_clip.tif", counts, BOX, names=names, nodata=0)
        if name.startswith("20240501_080000"):
            write(tmp_path / f"{name}_3B_udm2_clip.tif", usable, BOX)
    first, second = describe(tmp_path, counts=Counts(1e-4))
    assert [has_mask(first), has_mask(second)] == [True, False]
    assert list(band_sources(first)) == ["blue", "green", "red", "nir"]
    assert seen(first) == [True] * 5 + [False] * 7


def test_a_mask_alone_beside_one_image(tmp_path: Path) -> None:
    write(tmp_path / "stack.tif", noise(BOX, 3), BOX, names=["blue", "green", "red"])
    write(tmp_path / "SCL.tif", np.full((1, *BOX.shape.yx), 9, "uint8"), BOX)
    (scene,) = describe(tmp_path)
    assert seen(scene) == [False] * 12


# Scale and offset


def bare(**properties: Any) -> pystac.Item:
    """A red band of counts of which the Item says nothing."""
    scene = pystac.Item("one", None, None, datetime(2024, 5, 1, tzinfo=UTC), dict(properties))
    place = {"proj:shape": [4, 12], "proj:transform": list(BOX.transform)[:6], "proj:code": "EPSG:32637"}
    bands = {"raster:bands": [{"data_type": "uint16"}]}
    scene.add_asset("red", pystac.Asset("red.tif", roles=["data", "reflectance"], extra_fields=place | bands))
    return scene


def settled(scene: pystac.Item, **given: Any) -> tuple[float, float]:
    (scene,) = calibrate([scene], Counts(**given))
    red = band_sources(scene)["red"]
    return red.scale, red.offset


S2 = {"constellation": "sentinel-2"}


@pytest.mark.parametrize(
    ("properties", "offset", "open_"),
    [
        ({"s2:processing_baseline": "05.09", "earthsearch:boa_offset_applied": True}, 0.0, False),
        ({"s2:processing_baseline": "05.09", "earthsearch:boa_offset_applied": False}, -0.1, False),
        ({"s2:processing_baseline": "04.00", "earthsearch:boa_offset_applied": False}, -0.1, False),
        ({"s2:processing_baseline": "03.01", "earthsearch:boa_offset_applied": False}, 0.0, False),
        ({"s2:processing_baseline": "03.01"}, 0.0, False),
        ({"s2:processing_baseline": "05.09"}, 0.0, True),
        ({}, 0.0, True),
    ],
)
def test_offset_of_sentinel_2(
    properties: dict[str, Any], offset: float, open_: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert settled(bare(**S2, **properties)) == (1e-4, offset)
    assert [record.getMessage().count("one: ") for record in caplog.records] == [1] * open_
    assert settled(bare(**S2, **properties), offset=-0.2) == (1e-4, -0.2)


def test_what_the_bands_declare_stands_unless_it_was_applied() -> None:
    def declared(**properties: Any) -> pystac.Item:
        scene = bare(**S2, **properties)
        scene.assets["red"].extra_fields["raster:bands"] = [
            {"data_type": "uint16", "scale": 2e-4, "offset": -0.3}
        ]
        return scene

    assert settled(declared()) == (2e-4, -0.3)
    assert settled(declared(**{"earthsearch:boa_offset_applied": False})) == (2e-4, -0.3)
    assert settled(declared(**{"earthsearch:boa_offset_applied": True})) == (2e-4, 0.0)


def test_scale_and_offset_of_landsat_and_of_others() -> None:
    assert settled(bare(**{"landsat:correction": "L2SP", "platform": "landsat-8"})) == (2.75e-5, -0.2)
    assert settled(bare(platform="kite")) == (1 / 65535, 0.0)


def test_assets_that_are_no_bands(tmp_path: Path) -> None:
    scene = bare(**S2)
    fields = scene.assets["red"].extra_fields
    for key in ("aot", "wvp", "atran"):
        scene.add_asset(key, pystac.Asset(f"{key}.tif", roles=["data"], extra_fields=dict(fields)))
    assert list(band_sources(scene)) == ["red"]


def test_an_area_that_days_share_is_left_as_it_is(tmp_path: Path) -> None:
    """Its shape is not prepared: several days are looked at at once, and two threads that prepare one shape
    at the same moment end the process.
    """
    (scene,) = describe(write(tmp_path / "red.tif", noise(BOX, 1), BOX, names=["red"]), date="2024-05-01")
    area = BOX.extent.buffer(-10.0)
    assert visible_share([scene], area) == 1.0
    assert not shapely.is_prepared(area.geom)
