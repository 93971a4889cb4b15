"""A whole result folder: all files there, run.json last, checksums right, nothing half-written."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from outputs_fixture import make_findings, make_rasters, make_summary

from pipeline.errors import OutputError
from pipeline.outputs.files import replacing, write_text
from pipeline.outputs.products import write_products
from pipeline.outputs.provenance import file_record, library_versions, plain, write_run


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The folder, and the names of files in the order in which they took their final name."""
    folder: Path = tmp_path_factory.mktemp("result")
    make_rasters(folder)
    findings = make_findings()
    order: list[str] = []
    rename = os.replace

    def noted(source: Any, target: Any, **how: Any) -> None:
        order.append(Path(target).name)
        rename(source, target, **how)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "replace", noted)
        write_products(folder, findings, make_summary(findings))
        write_run(folder, make_summary(findings))
    return folder, order


def test_all_files_are_there_and_run_json_came_last(result: tuple[Path, list[str]]) -> None:
    folder, order = result
    names = sorted(path.name for path in folder.iterdir())
    assert names == [
        "after.tif", "before.tif", "change.tif", "changes.csv", "changes.geojson", "changes.gpkg",
        "changes.kml", "changes.parquet", "item.json", "overview.png", "report.html", "run.json", "shift.tif",
    ]  # fmt: skip
    assert order[-1] == "run.json"
    assert len(order) == 9


def test_run_json_has_checksums_of_all_other_files(result: tuple[Path, list[str]]) -> None:
    folder, _ = result
    run = json.loads((folder / "run.json").read_text())
    assert [record["href"] for record in run["files"]] == sorted(
        path.name for path in folder.iterdir() if path.name != "run.json"
    )
    for record in run["files"]:
        data = (folder / record["href"]).read_bytes()
        assert record["sha256"] == hashlib.sha256(data).hexdigest()
        assert record["bytes"] == len(data)
    assert list(run)[:4] == ["groundbreak", "created", "made", "site"]


def test_same_input_gives_the_same_bytes(result: tuple[Path, list[str]], tmp_path: Path) -> None:
    make_rasters(tmp_path)
    write_products(tmp_path, make_findings(), make_summary(make_findings()))
    write_run(tmp_path, make_summary(make_findings()))
    for path in result[0].iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path.name


def test_failure_leaves_no_run_json(result: tuple[Path, list[str]], tmp_path: Path) -> None:
    make_rasters(tmp_path)
    (tmp_path / "run.json").write_text("{}")
    (tmp_path / "after.tif").unlink()
    with pytest.raises(Exception, match=r"after\.tif"):
        write_products(tmp_path, make_findings(), make_summary(make_findings()))
    assert not (tmp_path / "run.json").exists()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_interrupted_file_keeps_the_old_one(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "old")

    def write_half() -> None:
        with replacing(tmp_path / "a.txt") as part:
            part.write_text("ne")
            raise ValueError("half")

    with pytest.raises(ValueError, match="half"):
        write_half()
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.txt", "old")]


def test_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"file.*--out") as caught:
        write_text(tmp_path / "file" / "a.txt", "text")
    assert "\n" not in str(caught.value)


def test_record_of_a_file(tmp_path: Path) -> None:
    data = bytes(range(256)) * 9000  # more than one piece
    (tmp_path / "a.bin").write_bytes(data)
    record = file_record(tmp_path / "a.bin", href="a.bin")
    assert record == {"href": "a.bin", "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


def test_values_become_json() -> None:
    value = {
        "a": np.float32(0.5),
        "b": float("nan"),
        3: (np.int64(1), Path("x/y")),
        "c": np.array([1.0, np.inf]),
    }
    assert plain(value) == {"a": 0.5, "b": None, "3": [1, "x/y"], "c": [1.0, None]}


def test_versions_name_what_can_change_a_result() -> None:
    assert {"groundbreak", "python", "numpy", "gdal", "proj", "rasterio"} <= set(library_versions())
