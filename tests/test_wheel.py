"""The wheel, installed away from the source tree: assets, weights and defaults are found there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from email import message_from_string
from pathlib import Path
from zipfile import ZipFile

import pytest
from jobs import FILES

from pipeline.shipped import checksums

ROOT = Path(__file__).parents[1]
EMPTY = "GROUNDBREAK_EMPTY_ENVIRONMENT"
"""Set in CI, where the wheel is installed with its dependencies, as pinned; that takes a minute."""


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel in it, and a folder to work in, outside of the source tree."""

    bin: Path
    folder: Path

    def __call__(self, program: str, *words: object) -> str:
        """What the program says on standard output; it must succeed."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        command = [str(self.bin / program), *map(str, words)]
        told = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert told.returncode == 0, told.stderr
        return told.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    if not os.environ.get(EMPTY):
        pytest.skip(f"set {EMPTY}=1 to install the wheel and all that it asks for")
    new = tmp_path_factory.mktemp("elsewhere") / "environment"
    uv = shutil.which("uv", path=sysconfig.get_path("scripts")) or "uv"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(new)], check=True)
    install = [uv, "pip", "install", "--quiet", "--python", str(new / "bin" / "python"), str(wheel)]
    install += ["--constraint", str(ROOT / "requirements.lock")]
    subprocess.run(install, check=True)
    folder = new.parent / "work"
    folder.mkdir()
    return Installed(new / "bin", folder)


def test_what_it_says_of_itself(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        told = message_from_string(archive.read(metadata).decode())
    assert {
        "pipeline/py.typed",
        "pipeline/template.yaml",
        "pipeline/stages/detect/learned/fine.onnx",
    } <= names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/", "sample_tiles/"))]
    licences = told.get_all("License-File", [])
    assert "LICENSE" in licences
    assert sum(name.endswith("CARD.md") for name in licences) == 2
    folder = metadata.removesuffix("METADATA")
    assert all(f"{folder}licenses/{name}" in names for name in licences)
    assert "Typing :: Typed" in told.get_all("Classifier", [])
    assert set(told.get_all("Provides-Extra", [])) >= {"postgres", "train"}
    assert "![" in told.get_payload()


def test_it_brings_its_bill_of_materials_and_its_weights(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = archive.namelist()
        (place,) = (name for name in names if ".dist-info/sboms/" in name)
        assert archive.read(place) == (ROOT / "supply/groundbreak.cdx.json").read_bytes()
    assert {"pipeline/weights.sha256", *(f"pipeline/{name}" for name in checksums())} <= set(names)


def test_a_made_pair_is_compared_away_from_the_source(installed: Installed) -> None:
    where = installed("python", "-c", "import pipeline; print(pipeline.__file__)").strip()
    assert Path(where).is_relative_to(installed.bin.parent)
    installed("groundbreak", "simulate", "made", "--seed", 7, "--size", 256)
    told = json.loads(
        installed("groundbreak", "compare", "made/before", "made/after", "--out", "result", "--json")
    )
    assert told["findings"]["count"] > 0
    assert {path.name for path in (installed.folder / "result").iterdir()} == FILES
    scores = json.loads(installed("groundbreak", "score", "result", "made/truth.geojson", "--json"))
    assert scores["objects"]["found"] > 0


def test_the_sample_site_runs_away_from_the_source(installed: Installed) -> None:
    shutil.copytree(ROOT / "configs", installed.folder / "configs")
    for day in ("2019-09-09", "2019-09-21"):
        shutil.copytree(
            ROOT / "sample_tiles/boukamal" / day, installed.folder / "sample_tiles/boukamal" / day
        )
    installed("groundbreak", "check", "configs/boukamal.yaml")
    told = json.loads(installed("groundbreak", "run", "configs/boukamal.yaml", "--json"))
    assert told["findings"]["count"] > 5
    result = installed.folder / "out/boukamal/2019-09-09_2019-09-21"
    assert {path.name for path in result.iterdir()} == FILES


def test_it_is_whole_and_starts_a_site(installed: Installed) -> None:
    told = json.loads(installed("groundbreak", "doctor", "--json"))
    assert (told["ok"], told["problems"]) == (True, [])
    assert Path(told["versions"]["installed in"]).is_relative_to(installed.bin.parent)
    installed("groundbreak", "init", "new.yaml", "--aoi", "40,34,41,35")
    assert installed("groundbreak", "--version") == installed("python", "-m", "pipeline", "--version")
