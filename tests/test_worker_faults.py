"""Workers that die or run out of memory: the run ends, says where, and the next one goes on from there."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask
import pytest
from dask.system import CPU_COUNT
from jobs import checksums, groundbreak

from pipeline import fuse
from pipeline.aligned import Window
from pipeline.verify import verify

DOOMED = (64, 0)  # first row and column of the block that nobody survives


class Deadly(fuse._Block):
    """Kills its worker, as the system does one that takes too much memory. Found by workers by its name."""

    def __call__(self, window: Window, inner: Window, pair: Any) -> None:
        if (window[0].start, window[1].start) == DOOMED:
            os.kill(os.getpid(), signal.SIGKILL)
        super().__call__(window, inner, pair)


class Greedy(fuse._Block):
    """Asks for more memory than there is."""

    def __call__(self, window: Window, inner: Window, pair: Any) -> None:
        if (window[0].start, window[1].start) == DOOMED:
            raise MemoryError("Unable to allocate 3.00 TiB for an array")
        super().__call__(window, inner, pair)


@pytest.fixture
def words(tiny: Path, tmp_path: Path) -> list[str]:
    """Four blocks, each a task of its own."""
    pair = [str(tiny / "before"), str(tiny / "after")]
    return ["compare", *pair, "--out", str(tmp_path / "out"), "--detector", "classic", "--chunk-size", "64"]


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Dask tries a task once more, not three times."""
    monkeypatch.setattr(fuse, "_TOGETHER", 1)
    with dask.config.set({"distributed.scheduler.allowed-failures": 1}):
        yield


def goes_on(words: list[str], out: Path, tiny_result: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing looks whole; what was done is not done again; and it ends as if nothing had happened."""
    assert [path.name[:13] for path in out.iterdir()] == [".groundbreak-"]
    done = {path.name for path in out.glob(".groundbreak-*/blocks-*/*.json")}
    assert f"{DOOMED[0]}_{DOOMED[1]}.json" not in done
    again: list[str] = []
    write = fuse._Block.__call__

    def counted(block: fuse._Block, window: Window, inner: Window, pair: Any) -> None:
        again.append(block.note(window).name)
        write(block, window, inner, pair)

    monkeypatch.setattr(fuse._Block, "__call__", counted)
    told = groundbreak(*words, "--quiet")
    assert told.exit_code == 0, told.output
    assert done.isdisjoint(again)
    assert 4 - CPU_COUNT <= len(done) + len(again) <= 4  # threads end the block that they are at
    (verdict,) = verify(str(out))
    assert verdict.ok
    assert checksums(out) == checksums(tiny_result)


def test_a_worker_that_dies_each_time_on_one_block(
    words: list[str], soon: None, tmp_path: Path, tiny_result: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(fuse, "_Block", Deadly)
        told = groundbreak(*words, "--workers", "1", "--quiet")
    assert told.exit_code == 1, told.output
    line = told.stderr.splitlines()[-1]
    assert "workers died under the block of rows 64 to 127, columns 0 to 63 of the grid, 2 times" in line
    goes_on(words, tmp_path / "out", tiny_result, monkeypatch)


def test_memory_that_is_not_enough(
    words: list[str], tmp_path: Path, tiny_result: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(fuse, "_Block", Greedy)
        told = groundbreak(*words, "--quiet")
    assert told.exit_code == 1, told.output
    (line,) = told.stderr.splitlines()
    assert "out of memory (Unable to allocate 3.00 TiB for an array): use a smaller --chunk-size" in line
    goes_on(words, tmp_path / "out", tiny_result, monkeypatch)
