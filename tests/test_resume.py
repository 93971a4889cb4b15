"""What a run leaves behind that did not end, and what the next one makes of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest
from dask.system import CPU_COUNT
from jobs import FILES, checksums

from pipeline import fuse
from pipeline.config import Settings
from pipeline.errors import ClusterError, OutputError
from pipeline.job import Job
from pipeline.outputs.staging import locked
from pipeline.progress import Progress
from pipeline.run import run
from pipeline.scenes import describe


class Dying:
    """Blocks that are written, until the worker dies under one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, after: int | None = None) -> None:
        self.written, write = 0, fuse._Block.__call__

        def counted(block: fuse._Block, window: Any, inner: Any, pair: Any) -> None:
            if after is not None and self.written >= after:
                raise ClusterError("workers died")
            write(block, window, inner, pair)
            self.written += 1

        monkeypatch.setattr(fuse._Block, "__call__", counted)


@pytest.fixture
def small_blocks(made: Path, tmp_path: Path) -> Job:
    settings = Settings()
    settings = replace(
        settings,
        compute=replace(settings.compute, chunk_size=64),
        detect=replace(settings.detect, detector="classic"),
    )
    before, after = (tuple(describe(str(made / date))) for date in ("before", "after"))
    return Job("yard", "Yard", tmp_path / "result", before, after, settings)


def test_a_run_goes_on_where_its_workers_died(
    small_blocks: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        whole = Dying(patch)
        run(replace(small_blocks, out=tmp_path / "whole"), Progress())
    assert whole.written > 9
    with monkeypatch.context() as patch:
        Dying(patch, after=5)
        with pytest.raises(ClusterError):
            run(small_blocks, Progress())
    assert {path.name[:13] for path in small_blocks.out.iterdir()} == {".groundbreak-"}
    kept = len(list(small_blocks.out.glob(".groundbreak-*/blocks-*/*.json")))
    assert kept >= 5
    (stale := small_blocks.out / ".groundbreak-0123").mkdir()
    with monkeypatch.context() as patch:
        rest = Dying(patch)
        run(small_blocks, Progress())
    done_before = whole.written - rest.written
    assert kept <= done_before <= kept + CPU_COUNT  # threads end the block that they are at
    assert not stale.exists()
    assert {path.name for path in small_blocks.out.iterdir()} == FILES
    same = tuple(sorted(FILES - {"run.json", "report.html", "item.json"}))  # these tell when they were made
    assert checksums(small_blocks.out, same) == checksums(tmp_path / "whole", same)


def test_a_run_killed_while_its_files_were_moved_ends_whole(
    small_blocks: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(folder: Path, out: Path) -> NoReturn:
        (folder / "after.tif").replace(out / "after.tif")
        raise ClusterError("stands for a kill")

    with monkeypatch.context() as patch:
        patch.setattr("pipeline.outputs.staging.publish", killed)
        with pytest.raises(ClusterError):
            run(small_blocks, Progress())
    assert {path.name for path in small_blocks.out.iterdir() if path.is_file()} == {"after.tif"}
    run(small_blocks, Progress())
    assert {path.name for path in small_blocks.out.iterdir()} == FILES


def test_two_runs_do_not_write_one_folder(small_blocks: Job) -> None:
    small_blocks.out.mkdir()
    with locked(small_blocks.out), pytest.raises(OutputError, match="another run is writing there"):
        run(small_blocks, Progress())
    assert not small_blocks.out.exists() or not list(small_blocks.out.iterdir())
