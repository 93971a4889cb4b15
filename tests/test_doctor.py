"""`doctor`: what it tells, what it keeps to itself, and that it sees what is wrong."""

from __future__ import annotations

import json
import shutil
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import rasterio
from typer.testing import CliRunner, Result

from pipeline import __version__
from pipeline.cli import app
from pipeline.doctor import examine

FINE = "fine.onnx"


def groundbreak(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_what_a_report_of_a_bug_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sesame")
    monkeypatch.setenv("GDAL_HTTP_USERPWD", "me:sesame")
    told = groundbreak("doctor", "--out", tmp_path / "not" / "yet", "--json")
    assert told.exit_code == 0, told.output
    assert "sesame" not in told.output
    facts = json.loads(told.stdout)
    assert (facts["ok"], facts["problems"]) == (True, [])
    assert facts["versions"]["groundbreak"] == __version__
    assert facts["versions"]["gdal"] == rasterio.__gdal_version__
    assert {"AWS_SECRET_ACCESS_KEY", "GDAL_HTTP_USERPWD"} <= set(facts["environment"]["settings"])
    assert facts["machine"]["out_free_bytes"] > 0
    assert {FINE, "trees.npz", "weights.json"} <= set(facts["weights"])
    assert not (tmp_path / "not").exists()
    plain = groundbreak("doctor", "--out", tmp_path)
    assert (plain.exit_code, "nothing is wrong" in plain.stdout, "sesame" in plain.output) == (0, True, False)


def test_a_made_pair_is_compared(tmp_path: Path) -> None:
    found = examine(tmp_path, test=True)
    assert found.problems == []
    assert found.facts["test"]["found"] == found.facts["test"]["built"] == 2
    assert list(tmp_path.iterdir()) == []


def test_a_scheduler_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.cluster.CONNECT_SECONDS", 0.2)
    (problem,) = examine(tmp_path, "tcp://127.0.0.1:9").problems
    assert problem.startswith("no Dask scheduler answers at 'tcp://127.0.0.1:9'")


def test_a_disk_that_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = type("Usage", (), {"free": 12_000_000})
    monkeypatch.setattr("pipeline.doctor.shutil.disk_usage", lambda folder: full)
    told = groundbreak("doctor", "--out", tmp_path)
    assert (told.exit_code, "12 MB free" in told.stdout) == (1, True)


@pytest.mark.parametrize("harm", ["cut short", "gone"])
def test_weights_that_are_not_as_they_were_installed(
    harm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages = tmp_path / "stages"
    for name in ("detect/coarse/trees.npz", "detect/learned/fine.onnx", "flag/weights.json"):
        (stages / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(str(files("pipeline.stages") / name), stages / name)
    whole = (stages / "detect/learned" / FINE).read_bytes()
    if harm == "gone":
        (stages / "detect/learned" / FINE).unlink()
    else:
        (stages / "detect/learned" / FINE).write_bytes(whole[:-1])

    def elsewhere(package: str) -> Any:
        return stages if package == "pipeline.stages" else files(package)

    monkeypatch.setattr("pipeline.doctor.files", elsewhere)
    monkeypatch.setattr("pipeline.doctor._recorded", lambda: iter([(FINE, _sha256(whole))]))
    (problem,) = examine(tmp_path).problems
    assert FINE in problem
    assert problem.endswith("install groundbreak again")


def _sha256(data: bytes) -> str:
    from hashlib import sha256

    return sha256(data).hexdigest()
