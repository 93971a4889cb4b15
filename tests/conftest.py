"""What several test files share: one made pair, and one whole comparison of it."""

from __future__ import annotations

import logging
import os

# One thread within a library, as the command line has it; NumPy reads this once, when it is first imported.
os.environ.update(dict.fromkeys(("MKL_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))

# Servers of these tests run on loopback, which is not talked to unless that is allowed (pipeline/trust.py).
os.environ["GROUNDBREAK_ALLOW_HOSTS"] = "127.0.0.1"

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from jobs import compare
from postgres import MISSING, NEED, Postgres, postgres_programs, running_postgres

from pipeline.simulate import PairStyle, simulate_pair

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with before/, after/ (2 x 2 tiles), truth.geojson and shift_truth.tif; never write there."""
    folder = tmp_path_factory.mktemp("made")
    simulate_pair(folder, seed=11, size=256, style=PairStyle(works=("building", "road", "earthwork")))
    return folder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `made`, as small as can be aligned: for tests of what goes wrong around the images."""
    folder = tmp_path_factory.mktemp("tiny")
    simulate_pair(folder, seed=11, size=128, style=PairStyle(works=("building",)))
    return folder


@pytest.fixture(scope="session")
def tiny_result(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the detector that has learned nothing makes of it; do not write there."""
    out = tmp_path_factory.mktemp("tiny-compared") / "result"
    return compare(tiny / "before", tiny / "after", out, "--detector", "classic")


@pytest.fixture(scope="session")
def compared(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `groundbreak compare` makes of that pair; do not write there."""
    return compare(made / "before", made / "after", tmp_path_factory.mktemp("compared") / "result")


@pytest.fixture(autouse=True)
def usual_log() -> None:
    """A command run in this process before may have been told to be quiet, and has left others' logs so."""
    logging.getLogger("pipeline").setLevel(logging.WARNING)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server with PostGIS, started once."""
    programs = postgres_programs()
    if programs is None:
        (pytest.fail if os.environ.get(NEED) else pytest.skip)(MISSING)
    with running_postgres(programs) as server:
        yield server


@pytest.fixture
def database(postgres: Postgres) -> str:
    """The address of a new database with PostGIS."""
    return postgres.new_database()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Chromium, for one module's pages; open them with `browser.opened`."""
    import browser

    if browser.program() is None:
        (pytest.fail if os.environ.get(browser.NEED) else pytest.skip)(browser.MISSING)
    with browser.running_chromium() as running:
        yield running
