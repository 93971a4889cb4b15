"""changes.geojson and changes.parquet: right places, right winding, right types, also when empty."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely
from outputs_fixture import CRS, make_findings

from pipeline.outputs.vectors import COLUMNS, feature_collection, write_findings


@pytest.fixture
def written(tmp_path: Path) -> Path:
    write_findings(make_findings(), tmp_path)
    return tmp_path


def test_coordinates_are_lon_lat_and_come_back_to_a_centimetre(written: Path) -> None:
    back = gpd.read_file(written / "changes.geojson")
    assert back.crs == "EPSG:4326"
    centre = back.geometry.iloc[0].centroid
    assert 41.1 < centre.x < 41.3  # longitude first
    assert 34.2 < centre.y < 34.4
    moved = back.to_crs(CRS).geometry
    for found, known in zip(moved, make_findings().geometry, strict=True):
        assert found.hausdorff_distance(known) < 0.02


def test_rings_follow_the_right_hand_rule() -> None:
    for feature in feature_collection(make_findings())["features"]:
        outer, *holes = feature["geometry"]["coordinates"]
        assert shapely.LinearRing(outer).is_ccw
        assert not any(shapely.LinearRing(hole).is_ccw for hole in holes)
    assert len(holes) == 1


def test_geojson_has_no_crs_at_most_seven_decimals_and_the_contracts_properties(written: Path) -> None:
    collection = json.loads((written / "changes.geojson").read_text())
    assert collection["type"] == "FeatureCollection"
    assert "crs" not in collection
    coordinates = np.array(collection["features"][0]["geometry"]["coordinates"][0])
    assert np.abs(coordinates - coordinates.round(7)).max() == 0
    first, second = (feature["properties"] for feature in collection["features"])
    assert tuple(first) == COLUMNS
    assert first["id"] == 1
    assert isinstance(first["id"], int)
    assert first["confidence"] == 0.9123
    assert first["zone"] == "north compound"
    assert second["zone"] is None


def test_geoparquet_is_of_version_1_1_in_the_grids_crs_with_a_covering(written: Path) -> None:
    meta = json.loads(pq.read_metadata(written / "changes.parquet").metadata[b"geo"])
    assert meta["version"] == "1.1.0"
    assert "bbox" in meta["columns"]["geometry"]["covering"]
    back = gpd.read_parquet(written / "changes.parquet")
    assert back.crs == CRS
    assert back.geometry.iloc[0].equals(make_findings().geometry.iloc[0])


def test_nothing_found_keeps_columns_and_types(tmp_path: Path) -> None:
    write_findings(make_findings([]), tmp_path)
    empty = gpd.read_parquet(tmp_path / "changes.parquet")
    write_findings(make_findings(), tmp_path / "full")
    full = gpd.read_parquet(tmp_path / "full" / "changes.parquet")
    assert len(empty) == 0
    assert empty.dtypes.to_dict() == full.dtypes.to_dict()
    assert empty.crs == CRS
    collection = json.loads((tmp_path / "changes.geojson").read_text())
    assert collection["features"] == []
    assert len(gpd.read_file(tmp_path / "changes.geojson")) == 0


def test_same_findings_same_bytes_in_any_order(written: Path, tmp_path: Path) -> None:
    shuffled = make_findings().iloc[::-1]
    write_findings(shuffled, tmp_path / "again")
    for name in ("changes.geojson", "changes.parquet", "changes.csv"):
        assert (written / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_no_temporary_file_is_left(written: Path) -> None:
    assert sorted(path.name for path in written.iterdir()) == [
        "changes.csv",
        "changes.geojson",
        "changes.parquet",
    ]
