"""item.json: valid without a network, over the right ground and time."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import numpy as np
import pystac
import pytest
import shapely
from outputs_fixture import CRS, NORTH, PIXEL, WEST, make_findings, make_rasters, make_summary, write_cog
from pyproj import Transformer

from pipeline.outputs.item import footprint, make_item, write_item


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("result")
    make_rasters(path)
    return path


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)


def ground(x: float, y: float) -> tuple[float, float]:
    """lon, lat of a place given in metres east and south of the grid's corner."""
    lon, lat = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True).transform(WEST + x, NORTH - y)
    return lon, lat


@pytest.mark.usefixtures("no_network")
def test_item_validates_without_a_network(folder: Path) -> None:
    write_item(folder, make_summary(make_findings()))
    item = pystac.Item.from_file(str(folder / "item.json"))
    assert item.validate()
    assert item.stac_extensions == []
    assert all(asset.href.startswith("./") for asset in item.assets.values())
    assert item.assets["change"].media_type == "image/tiff; application=geotiff; profile=cloud-optimized"
    assert item.assets["change"].extra_fields["nodata"] == 255
    names = [band["name"] for band in item.assets["before"].extra_fields["bands"]]
    assert names == ["blue", "green", "red", "nir"]
    assert {"run", "shift", "after"} <= set(item.assets)
    assert item.properties["groundbreak:made"] is True


def test_period_runs_over_both_days_whichever_comes_first(folder: Path) -> None:
    summary = make_summary(make_findings())
    turned = {**summary, "before": summary["after"], "after": summary["before"]}
    for each in (summary, turned):
        properties = make_item(folder, each).to_dict()["properties"]
        assert properties["datetime"] is None
        assert properties["start_datetime"] == "2019-09-09T00:00:00Z"
        assert properties["end_datetime"] == "2019-09-21T23:59:59Z"


def test_unknown_date_gives_the_time_of_the_run(folder: Path) -> None:
    summary = make_summary(make_findings())
    item = make_item(folder, {**summary, "before": {**summary["before"], "date": None}})
    assert item.to_dict()["properties"]["datetime"] == "2026-11-23T19:00:00Z"
    assert item.id == "boukamal_undated_2019-09-21"
    assert item.validate()


def test_footprint_is_what_was_observed_and_wound_anticlockwise(folder: Path) -> None:
    item = make_item(folder, make_summary(make_findings()))
    shape = shapely.geometry.shape(item.geometry)
    assert shape.exterior.is_ccw
    assert shape.covers(shapely.Point(ground(25, 30)))
    assert not shape.covers(shapely.Point(ground(25, 38)))  # the last ten rows, from 35 m on, were not seen
    west, south = ground(0, 35)
    assert item.bbox == pytest.approx([west, south, *ground(50, 0)], abs=3e-5)


@pytest.mark.parametrize("value", [0, 255])
def test_footprint_is_the_grid_where_all_or_nothing_was_observed(tmp_path: Path, value: int) -> None:
    write_cog(tmp_path / "change.tif", np.full((1, 20, 40), value, np.uint8), nodata=255)
    to_map = Transformer.from_crs("EPSG:4326", CRS, always_xy=True).transform
    shape = shapely.transform(footprint(tmp_path / "change.tif"), to_map, interleaved=False)
    grid = shapely.box(WEST, NORTH - 20 * PIXEL, WEST + 40 * PIXEL, NORTH)
    assert (
        shape.symmetric_difference(grid).area < 1.0
    )  # of 200 square metres: seven decimals are a centimetre
