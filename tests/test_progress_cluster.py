"""Cost of stages, and the same numbers whatever does the work."""

from __future__ import annotations

import io
import os
import re
import sys
import time
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import dask
import dask.array as da
import numpy as np
import pytest
from dask.callbacks import Callback
from dask.delayed import delayed
from dask.system import CPU_COUNT
from distributed import get_client
from jobs import compare
from rich.console import Console
from threadpoolctl import threadpool_info

from pipeline import cluster, fuse
from pipeline import compute as computing
from pipeline.cluster import WORKER_ENVIRONMENT, connect
from pipeline.compute import alone, aside, compute, compute_groups, in_few, meanwhile
from pipeline.errors import ClusterError
from pipeline.progress import PeakMemory, PlainProgress, Progress, RichProgress


class Counting(Progress):
    """Remembers what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[int, int]] = []

    def advance(self, done: int, total: int) -> None:
        self.told.append((done, total))


def test_stages_add_up_and_a_failed_one_is_not_counted() -> None:
    progress = Progress()
    for _ in range(2):
        with progress.stage("align"):
            time.sleep(0.03)
    with pytest.raises(ZeroDivisionError), progress.stage("detect"):
        raise ZeroDivisionError
    assert list(progress.stages) == ["align"]
    assert 0.06 <= progress.stages["align"]["seconds"] < 5
    assert 20 < progress.stages["align"]["peak_mb"] < 100_000
    progress.begin("another run")
    assert progress.stages == {}


def test_peak_memory_sees_what_was_held_in_between() -> None:
    with PeakMemory(interval=0.01) as idle:
        time.sleep(0.03)
    with PeakMemory(interval=0.01) as peak:
        block = np.ones(25_000_000)  # 200 MB
        time.sleep(0.1)
        del block
    assert 150 < peak.mb - idle.mb < 400


def test_plain_lines() -> None:
    stream = io.StringIO()
    progress = PlainProgress(stream)
    progress.begin("boukamal")
    with progress.stage("load"):
        progress.advance(1, 2)
    title, line = stream.getvalue().splitlines()
    assert title == "boukamal"
    assert re.fullmatch(r"  load: \d+\.\d s, \d+ MB", line)


def test_a_live_bar_takes_names_as_they_are() -> None:
    stream = io.StringIO()
    progress = RichProgress(Console(file=stream, force_terminal=True, width=100))
    progress.begin("[bold]site[/bold]")
    with progress.stage("load"):
        progress.advance(1, 2)
    assert "[bold]site[/bold]" in stream.getvalue()
    assert "load" in stream.getvalue()
    progress.advance(1, 2)  # between stages there is nothing to move


def _where(_: int) -> dict[str, Any]:
    from rasterio._env import get_gdal_config

    return {
        "pid": os.getpid(),
        "cache": get_gdal_config("GDAL_CACHEMAX"),
        "numba": os.environ.get("NUMBA_NUM_THREADS"),
        "kept": os.environ.get("MALLOC_TRIM_THRESHOLD_"),
    }


def _graph() -> da.Array:
    noise = da.random.default_rng(7).random((300, 300), chunks=(70, 110))
    return (noise - noise.mean()).std(axis=0)


def test_threads_and_processes_give_the_same_bytes() -> None:
    progress = Counting()
    with connect() as name:
        alone, here = compute(_graph(), dask.delayed(_where)(0), progress=progress)
    assert name == "threads of this process"
    assert here["pid"] == os.getpid()
    assert here["cache"] == cluster.GDAL_CACHE_MB << 20
    assert progress.told[-1][0] == progress.told[-1][1] == len(progress.told) > 10

    progress = Counting()
    with connect(workers=1) as name:
        shared, there, constant = compute(_graph(), dask.delayed(_where)(0), 3, progress=progress)
    assert name == "1 local process"
    assert there["pid"] != os.getpid()
    assert there["numba"] == WORKER_ENVIRONMENT["NUMBA_NUM_THREADS"]
    assert there["kept"] == WORKER_ENVIRONMENT["MALLOC_TRIM_THRESHOLD_"]  # Dask's own would give all back
    assert there["cache"] == cluster.GDAL_CACHE_MB << 20
    assert progress.told == [(1, 2), (2, 2)]
    assert constant == 3
    assert alone.tobytes() == shared.tobytes()


def _ours() -> set[str]:
    return {name for name in sys.modules if name.split(".")[0] == "pipeline"}


@pytest.mark.parametrize("detector", ["classic", "auto"])
def test_workers_have_loaded_all_before_their_first_task(detector: str, tiny: Path, tmp_path: Path) -> None:
    """One thread of theirs unpacks tasks while another works: what both import, either may get half of."""
    with connect(workers=1):
        client = get_client()
        (first,) = client.run(_ours).values()
        compare(tiny / "before", tiny / "after", tmp_path / "out", "--detector", detector)
        (later,) = client.run(_ours).values()
    assert "pipeline.run" in first
    assert later == first


def test_sums_do_not_hang_on_how_many_threads_share_them() -> None:
    with connect():
        inside = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    assert inside
    assert set(inside) == {1}


def test_an_error_in_a_task_arrives_as_itself() -> None:
    def fails() -> None:
        raise LookupError("in a task")

    with pytest.raises(LookupError, match="in a task"), connect():
        compute(dask.delayed(fails)())


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense"])
def test_no_scheduler_there(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 0.2)
    with (
        pytest.raises(ClusterError, match=f"no Dask scheduler answers at '{address}'"),
        connect(scheduler=address),
    ):
        pytest.fail("connected to nothing")


def test_work_beside_other_work_takes_none_of_its_callbacks() -> None:
    """Dask's own set of callbacks is one for all threads, and fails where one adds to it as another reads."""
    started: list[object] = []
    with connect(), Callback(start=started.append):
        with meanwhile(delayed(sum)([1, 2])) as beside:
            pass
        assert (beside, started) == ([3], [])
        assert compute(delayed(sum)([2, 3])) == (5,)
        assert len(started) == 1


def test_what_is_done_aside_is_done_at_the_end_or_what_went_wrong_raised() -> None:
    order: list[str] = []
    with aside(partial(order.append, "aside")):
        pass
    with alone(), aside(partial(order.append, "last")) as future:
        order.append("first")
    assert order == ["aside", "first", "last"]
    assert future.done()
    with pytest.raises(ZeroDivisionError), aside(partial(divmod, 1, 0)):
        pass


def test_an_array_in_few_tasks_is_the_same_array(monkeypatch: pytest.MonkeyPatch) -> None:
    array = da.arange(2 * 37 * 5).reshape(2, 37, 5).rechunk((2, 4, 3))
    assert in_few(array) is array, "threads share what is read"
    monkeypatch.setattr(computing, "has_processes", lambda: True)
    few = in_few(array)
    assert len(few.to_delayed().ravel()) <= 3 * CPU_COUNT < len(array.to_delayed().ravel())
    assert np.array_equal(few.compute(scheduler="synchronous"), array.compute(scheduler="synchronous"))


@pytest.mark.parametrize(
    ("across", "workers", "count"), [(1, 4, 1), (3, 4, 9), (4, 1, 4), (4, 2, 7), (11, 1, 9), (11, 2, 15)]
)
def test_blocks_are_shared_out_so_that_all_workers_have_some(
    across: int, workers: int, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fuse, "worker_count", lambda: workers)
    parts = [slice(start, start + 64) for start in range(0, 64 * across, 64)]
    blocks = [(rows, cols) for rows in parts for cols in parts]
    shared = fuse.squares(blocks, 64)
    assert len(shared) == count >= min(workers, len(blocks))
    assert sorted((block for some in shared for block in some), key=blocks.index) == blocks
    sizes = [len(some) for some in shared]
    assert sizes[0] == max(sizes)
    assert workers == 1 or sizes[-1] <= max(sizes[0] / 4, 1), "the end is in small parts"


def test_groups_are_begun_in_their_order() -> None:
    def lazy(items: list[int]) -> list[Any]:
        return [delayed(time.time_ns)() for _ in items]

    with connect(workers=1):
        begun = compute_groups(lazy, [[n] for n in range(8)])
    assert begun == sorted(begun)


def test_a_thread_that_is_importing_distributed_just_now_is_no_hindrance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for half in ("distributed", "distributed.client"):
        monkeypatch.setitem(sys.modules, half, ModuleType(half))
    with connect():
        assert compute(delayed(sum)([2, 3])) == (5,)
