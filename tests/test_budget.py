"""What is said of memory and disk before anything is read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from pipeline.budget import Budget, size
from pipeline.config import Settings
from pipeline.errors import OutputError, TooLargeError
from pipeline.job import Job, load
from pipeline.scenes import describe

TILE = Budget(read=1.93e9, written=4.6e9, pixels=10980.0**2, bands=4, workers=2)


def test_of_a_made_pair(made: Path, tmp_path: Path) -> None:
    before, after = (tuple(describe(made / date)) for date in ("before", "after"))
    scene = load(Job("yard", "Yard", tmp_path, before, after, Settings()))
    planned = Budget.of(scene, 3)
    rows, cols = scene.grid.shape
    assert (planned.pixels, planned.bands, planned.workers) == (rows * cols, len(scene.bands), 3)
    least = 2 * rows * cols * len(scene.bands) * 2  # two dates of uint16
    assert least <= planned.read <= 2 * least
    assert least < planned.written < 3 * least
    assert planned.held(64) < planned.held(1024)


def test_blocks_shrink_to_the_memory_there_is() -> None:
    plenty = TILE.held(1024)
    assert TILE.fitting(1024, plenty) == 1024
    smaller = TILE.fitting(1024, 0.7 * plenty)
    assert 256 <= smaller < 1024
    assert TILE.held(smaller) <= 0.7 * plenty
    assert TILE.fitting(64, plenty) == 64
    with pytest.raises(TooLargeError, match=r"blocks of 256 px, and 400 MB are free.*--workers"):
        TILE.fitting(1024, 4e8)


def test_each_process_holds_its_own() -> None:
    apart = replace(TILE, processes=2)
    assert apart.held(1024) > TILE.held(1024) + 5e8
    small = replace(TILE, pixels=500.0**2)  # one block, whoever could do more
    assert small.held(1024) == replace(small, workers=1).held(1024)


def test_what_is_held_does_not_grow_with_the_image() -> None:
    larger = Budget(read=1e12, written=1e12, pixels=1e12, bands=4, workers=2)
    assert larger.held(1024) == TILE.held(1024)


def test_a_full_disk_is_told_before_it_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage(NamedTuple):
        free: int

    TILE.check_disk(tmp_path / "not" / "yet" / "there")
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(10**9))
    with pytest.raises(OutputError, match=r"up to 4\.6 GB will be written, and 1\.0 GB are free.*--out"):
        TILE.check_disk(tmp_path)


def test_sizes_for_people() -> None:
    assert [size(count) for count in (3e5, 4.2e7, 1.26e9)] == ["1 MB", "42 MB", "1.3 GB"]
