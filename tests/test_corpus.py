"""Walks the corpus of bad and odd input (tests/corpus): the right answer, or one clear line and status 1;
never a traceback, a hang, a NaN in a result or a silent gap.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import shapely
from corpus import CASES, Case, Done, Refused, Yard
from corpus.case import GRID, ROOF
from corpus.table import TABLE, page
from jobs import FILES, findings, groundbreak, run_json

SHARE = 0.06  # by which what both dates show may differ from what is said: rims are lost in the warp


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_corpus(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if case.needs == "unprivileged" and os.geteuid() == 0:
        pytest.skip("root may read everything")
    monkeypatch.chdir(tmp_path)
    words = [str(word) for word in case.make(Yard(tmp_path))]
    out = [] if "--out" in words else ["--out", "result"]
    there = snapshot(tmp_path)
    quiet = [] if isinstance(case.expect, Done) and case.expect.says else ["--quiet"]
    told = groundbreak(*words, *out, *quiet, *detector(words))
    if isinstance(case.expect, Refused):
        assert told.exit_code == 1, told.output
        (line,) = told.stderr.splitlines()
        assert line.startswith("groundbreak: error: ")
        assert "this is a bug" not in line
        assert [word for word in case.expect.words if word not in line] == [], line
        assert told.stdout == ""
        assert snapshot(tmp_path) == there
    else:
        assert told.exit_code == 0, told.output
        (folder,) = {file.parent for file in tmp_path.rglob("run.json")}
        check_result(folder, case.expect, told.stderr)


def detector(words: list[str]) -> list[str]:
    """Of one and the same kind for all, so that results can be told."""
    return ["--detector", "classic"] if words[0] in {"compare", "run"} else []


def snapshot(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def check_result(folder: Path, expect: Done, stderr: str) -> None:
    """Whole, without a NaN, and what it should be."""
    assert {path.name for path in folder.iterdir() if path.is_file()} >= FILES
    if expect.says:
        warnings = [line for line in stderr.splitlines() if "warning: " in line]
        assert any(all(word in line for word in expect.says) for line in warnings), stderr
    else:
        assert all(line.startswith("WARNING pipeline.") for line in stderr.splitlines()), stderr
    told, found = run_json(folder), findings(folder)
    for name in ("run.json", "item.json", "changes.geojson"):
        no_nan(json.loads((folder / name).read_text(encoding="utf-8"), parse_constant=pytest.fail))
    check_findings(folder)
    check_rasters(folder)
    assert told["findings"]["count"] == len(found)
    if expect.seen is not None:
        assert told["observed"]["both"] == pytest.approx(expect.seen, abs=SHARE)
    if expect.found is False:
        assert len(found) == 0
    elif expect.found:
        assert covered(folder) > 0.5


def no_nan(value: Any) -> None:
    for number in numbers(value):
        assert math.isfinite(number)


def numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from numbers(inner)
    elif isinstance(value, float):
        yield value


def check_findings(folder: Path) -> None:
    found = findings(folder)
    assert found["confidence"].between(0, 1).all()
    assert (found["area_m2"] > 0).all()
    assert np.isfinite(found[["length_m", "width_m"]]).all(axis=None)
    assert found.geometry.is_valid.all()
    assert np.isfinite(shapely.get_coordinates(found.geometry.array)).all()


def check_rasters(folder: Path) -> None:
    """What is not observed is 255, in no finding, and nodata in one image or the other."""
    with rasterio.open(folder / "change.tif") as file:
        change, transform = file.read(1), file.transform
    assert set(np.unique(change)) <= {*range(101), 255}
    seen = change != 255
    assert seen.mean() == pytest.approx(run_json(folder)["observed"]["both"], abs=1e-3)
    for name in ("before", "after"):
        with rasterio.open(folder / f"{name}.tif") as file:
            values = file.read(masked=True)
        assert np.isfinite(values.compressed()).all()
        assert not np.ma.getmaskarray(values)[:, seen].any()
    for shape in findings(folder).geometry:
        col, row = ~transform * shape.representative_point().coords[0]
        assert seen[int(row), int(col)]


def covered(folder: Path) -> float:
    """How much of the new building findings cover; on another grid than its own, whether there is any."""
    with rasterio.open(folder / "change.tif") as file, rasterio.open(folder / "before.tif") as before:
        inside = (
            rasterio.features.geometry_mask(
                findings(folder).geometry, file.shape, file.transform, invert=True, all_touched=True
            )
            if len(findings(folder))
            else np.zeros(file.shape, bool)
        )
        values = before.read(1)
    assert values.shape == inside.shape
    if run_json(folder)["grid"]["crs"] == "EPSG:32637" and inside.shape == GRID.shape.yx:
        return float(inside[ROOF].mean())
    return float(inside.any())


def test_the_table_in_the_docs_is_that_of_the_corpus() -> None:
    """`python tests/corpus/table.py` writes it anew."""
    assert TABLE.read_text(encoding="utf-8") == page()


def test_the_corpus_is_large_and_tells_its_cases_apart() -> None:
    assert len({case.id for case in CASES}) == len(CASES) >= 120
