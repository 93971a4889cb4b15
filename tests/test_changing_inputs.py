"""Images that become others while they are read, and clocks that jump: nothing is mixed, nothing missed."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from imagery import grid, noise, write
from jobs import checksums, compare, groundbreak
from servers import served

from pipeline import run
from pipeline.config import Settings
from pipeline.fingerprint import fingerprint
from pipeline.inputs import Inputs
from pipeline.job import Job
from pipeline.keep_open import kept_open
from pipeline.progress import Progress
from pipeline.scenes import describe

HERE = Path(__file__).parent


@pytest.fixture
def images(tiny: Path, tmp_path: Path) -> Path:
    """A copy of the pair; of the date after, one tile."""
    return Path(shutil.copytree(tiny, tmp_path / "images"))


@pytest.fixture
def server(images: Path) -> Iterator[str]:
    with served(sys.executable, str(HERE / "web_server.py"), str(images)) as address:
        yield address


def longer(content: bytes) -> bytes:
    return content + b"\0" * 100


def other(content: bytes) -> bytes:
    """Of the same length."""
    return content[:-1] + bytes([content[-1] ^ 1])


@pytest.mark.parametrize("change", [longer, other])
@pytest.mark.parametrize("where", ["here", "there"])
def test_an_image_that_changes_while_it_is_read_is_refused(
    images: Path, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str,
    change: Callable[[bytes], bytes],
) -> None:  # fmt: skip
    tile = sorted((images / "after").glob("*.tif"))[0]
    first = sorted((images / "before").glob("*.tif"))[0]
    before, after = (
        str(path) if where == "here" else f"{server}/{path.relative_to(images).as_posix()}"
        for path in (first, tile)
    )
    screen = run.screen

    def meanwhile(*given: Any) -> Any:
        tile.write_bytes(change(tile.read_bytes()))
        return screen(*given)

    monkeypatch.setattr(run, "screen", meanwhile)
    told = groundbreak(
        "compare", before, after, "--out", tmp_path / "out", "--detector", "classic", "--quiet"
    )
    assert told.exit_code == 1, told.output
    (line,) = told.stderr.splitlines()
    assert f"{after}: changed while it was read; run again" in line
    assert not (tmp_path / "out").exists()


def job(images: Path, before: str, after: str, out: Path) -> Job:
    items = [tuple(describe(each)) for each in (before, after)]
    return Job("yard", "Yard", out, items[0], items[1], Settings())


def test_what_was_done_of_an_image_is_not_joined_with_what_it_became(
    images: Path, server: str, tmp_path: Path
) -> None:
    """A remote file is fingerprinted by its address; a run that goes on after a kill must see the change."""
    tile = sorted((images / "after").glob("*.tif"))[0]
    address = f"{server}/after/{tile.name}"
    asked = job(images, address, address, tmp_path / "out")
    marks = []
    for _ in range(2):
        marks.append(Inputs.of(asked).mark(fingerprint(asked)))
        tile.write_bytes(other(tile.read_bytes()))
    assert marks[0] != marks[1]
    told = Inputs.of(asked).told(asked)["before"]["inputs"]
    assert told[0]["bytes"] == tile.stat().st_size
    assert told[0]["etag"]


def test_a_file_replaced_within_the_same_tick_of_the_clock_is_seen(tmp_path: Path) -> None:
    """As where a clock was set back, or a copy keeps its times."""
    box, path = grid(32, 32), tmp_path / "a.tif"
    seen = []
    for seed in (1, 2):
        write(tmp_path / "new.tif", noise(box, seed=seed), box, compress=None)
        os.utime(tmp_path / "new.tif", ns=(10**18, 10**18))
        (tmp_path / "new.tif").replace(path)
        asked = job(tmp_path, str(path), str(path), tmp_path / "out")
        with kept_open(path) as source:
            seen.append((path.stat().st_size, fingerprint(asked), source.read().tobytes()))
    assert seen[0][0] == seen[1][0]
    assert seen[0][1] != seen[1][1]
    assert seen[0][2] != seen[1][2]


def test_a_clock_that_jumps_changes_nothing(
    tiny: Path, tiny_result: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    true, jumps = time.time, iter(range(10**6))

    def jumping() -> float:
        return true() + (-1) ** next(jumps) * 10_000_000

    years = iter([2106, 1969] * 100)
    monkeypatch.setattr(time, "time", jumping)
    monkeypatch.setattr(Progress, "now", lambda _: datetime(next(years), 1, 1, tzinfo=UTC))
    out = compare(tiny / "before", tiny / "after", tmp_path / "out", "--detector", "classic")
    assert checksums(out) == checksums(tiny_result)
    assert compare(tiny / "before", tiny / "after", out, "--detector", "classic") == out
    assert checksums(out) == checksums(tiny_result)
