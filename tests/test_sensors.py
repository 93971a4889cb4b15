"""What Items of known sensors say: masks by their kinds, scale and offset by their metadata."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pystac
import pytest
from imagery import grid, noise, write
from numpy.typing import NDArray

from pipeline.scenes import band_sources, describe, has_mask
from pipeline.scenes.calibration import calibrate
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


# Scale and offset


def bare(**properties: Any) -> pystac.Item:
    """A red band of counts of which the Item says nothing."""
    scene = pystac.Item("one", None, None, datetime(2024, 5, 1, tzinfo=UTC), dict(properties))
    place = {"proj:shape": [4, 12], "proj:transform": list(BOX.transform)[:6], "proj:code": "EPSG:32637"}
    bands = {"raster:bands": [{"data_type": "uint16"}]}
    scene.add_asset("red", pystac.Asset("red.tif", roles=["data", "reflectance"], extra_fields=place | bands))
    return scene


def settled(scene: pystac.Item, **given: Any) -> tuple[float, float]:
    (scene,) = calibrate([scene], **given)
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
