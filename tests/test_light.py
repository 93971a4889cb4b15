"""Commands that compute nothing start quickly: they import nothing that only computing or drawing needs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from jobs import groundbreak

AT_ONCE = {"numpy", "dask", "pandas", "rasterio", "pipeline.config"}
COMPUTING = {
    "distributed",
    "pipeline.fuse",
    "pipeline.stages.detect.classic.model",
    "pipeline.stages.detect.coarse.model",
}
DRAWING = {"matplotlib", "pipeline.outputs.products"}
TALKING = {"apprise", "pystac_client", "s3fs"}
STORING = {"sqlalchemy"}
LISTING = """
import sys
from pipeline.cli import app
try:
    app(sys.argv[1:])
except SystemExit as end:
    assert not end.code, end.code
print(*sys.modules, file=sys.stderr)
"""


def imported(*words: object) -> set[str]:
    """What is imported once a command has ended well."""
    command = [sys.executable, "-c", LISTING, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split())


@pytest.fixture
def site(tiny: Path, tmp_path: Path) -> Path:
    for side, day in (("before", "2024-05-01"), ("after", "2024-06-01")):
        shutil.copytree(tiny / side, tmp_path / "yard" / day)
    path = tmp_path / "yard.yaml"
    path.write_text("id: yard\nname: Yard\nsource: {files: 'yard/{date}/*.tif'}\n")
    return path


@pytest.mark.parametrize("words", [("--version",), ("compare", "--help")])
def test_help_imports_nothing_that_reads_images(words: tuple[str, ...]) -> None:
    assert imported(*words) & (AT_ONCE | COMPUTING | DRAWING | TALKING | STORING) == set()


def test_check_imports_nothing_that_compares(site: Path) -> None:
    assert imported("check", site) & (COMPUTING | DRAWING | TALKING | STORING) == set()


def test_monitor_with_nothing_new_imports_nothing_that_compares(site: Path, tmp_path: Path) -> None:
    words = ("monitor", site, "--out", tmp_path / "out", "--quiet")
    assert groundbreak(*words).exit_code == 0
    there = imported(*words)
    assert there & (COMPUTING | DRAWING | TALKING | {"onnxruntime"}) == set()
    assert there >= STORING  # so the names are those of today
