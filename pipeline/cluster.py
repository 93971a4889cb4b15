"""Where the work is done: threads of this process, local worker processes, or a Dask cluster by its address.

Stages build Dask graphs and never name a scheduler; `connect` says which one is active, `compute` uses it.
The result must not depend on the choice, only the time it takes.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Hashable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import dask
import rasterio
from dask.base import compute as dask_compute
from dask.callbacks import Callback
from threadpoolctl import threadpool_limits

from pipeline.errors import ClusterError
from pipeline.progress import Progress

if TYPE_CHECKING:
    from distributed import Client

GDAL_CACHE_MB = 64
"""GDAL would take 5 % of all memory in every process; blocks are decoded about once, so little is enough."""

WORKER_ENVIRONMENT = {
    "GDAL_CACHEMAX": str(GDAL_CACHE_MB),
    "GDAL_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
"""One worker a core, and one thread a worker, inside libraries too: sums hang on how many share them."""

CONNECT_SECONDS = 10


@contextmanager
def connect(scheduler: str | None = None, workers: int = 0) -> Iterator[str]:
    """Make a Dask scheduler active and give its name in words, for people.

    An address (`tcp://host:8786`) wins over a number of local worker processes (one thread each); with
    neither, the work is done by as many threads of this process as it has cores.

    Raises ClusterError where the address does not answer, or workers died under the work.
    """
    with ExitStack() as stack:
        stack.enter_context(rasterio.Env(GDAL_CACHEMAX=GDAL_CACHE_MB << 20))  # here in bytes
        if scheduler is not None:
            name = f"Dask cluster at {scheduler}"
            stack.enter_context(_surviving(name))
            stack.enter_context(_client(scheduler))
        elif workers > 0:
            name = f"{workers} local process{'es' if workers > 1 else ''}"
            stack.enter_context(_surviving(name))
            stack.enter_context(_local_processes(workers))
        else:
            stack.enter_context(dask.config.set(scheduler="threads"))
            stack.enter_context(threadpool_limits(1, user_api="blas"))
            name = "threads of this process"
        yield name


def compute(*values: Any, progress: Progress | None = None) -> tuple[Any, ...]:
    """`dask.compute` on whatever `connect` made active, telling `progress` how far it is.

    With threads the parts counted are Dask's tasks; with processes or a cluster they are `values`.
    """
    client = _active_client()
    if client is None:
        with _CountTasks(progress or Progress()):
            return tuple(dask_compute(*values))
    from distributed import as_completed

    futures = client.compute(list(values))
    waiting = [future for future in futures if hasattr(future, "add_done_callback")]
    for done, _ in enumerate(as_completed(waiting), start=1):
        if progress is not None:
            progress.advance(done, len(waiting))
    return tuple(client.gather(futures))


def _active_client() -> Client | None:
    """Without `distributed` imported there is none; importing it takes longer than aligning a small image."""
    if "distributed" not in sys.modules:
        return None
    from distributed.client import _get_global_client

    return _get_global_client()


class _CountTasks(Callback):
    def __init__(self, progress: Progress) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._progress = progress

    def _posttask(
        self, key: Hashable, result: object, dsk: object, state: Mapping[str, Any], worker: object
    ) -> None:
        done, left = len(state["finished"]), sum(len(state[what]) for what in ("running", "ready", "waiting"))
        self._progress.advance(done, done + left)


@contextmanager
def _surviving(name: str) -> Iterator[None]:
    from distributed.scheduler import KilledWorker

    try:
        yield
    except KilledWorker as error:
        message = f"Dask workers died under the work ({name}), most often for want of memory"
        raise ClusterError(f"{message}: use a smaller --chunk-size or fewer --workers") from error


@contextmanager
def _local_processes(workers: int) -> Iterator[None]:
    from distributed import Client, LocalCluster

    with ExitStack() as stack:
        spill = stack.enter_context(TemporaryDirectory(prefix="groundbreak-"))
        cluster = stack.enter_context(
            LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                dashboard_address=None,
                local_directory=spill,
                silence_logs=logging.ERROR,
                env=WORKER_ENVIRONMENT,
            )
        )
        stack.enter_context(Client(cluster))
        yield


@contextmanager
def _client(address: str) -> Iterator[None]:
    from distributed import Client

    try:
        client = Client(address, timeout=CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        example = "start one with `dask scheduler` and give its address, like tcp://localhost:8786"
        raise ClusterError(f"no Dask scheduler answers at {address!r}: {example}") from error
    with client:
        yield
