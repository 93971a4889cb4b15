"""Where the work is done: threads of this process, local worker processes, or a Dask cluster by its address.

Stages build Dask graphs and never name a scheduler; `connect` says which one is active, `compute` uses it.
The result must not depend on the choice, only the time it takes.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from getpass import getuser
from importlib import import_module
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING

import dask
import rasterio
from threadpoolctl import threadpool_limits

from pipeline.compute import active_client
from pipeline.errors import ClusterError
from pipeline.scratch import KEPT_BYTES, keep_freed

if TYPE_CHECKING:
    from distributed import Client
    from distributed.diagnostics.plugin import WorkerPlugin

GDAL_CACHE_MB = 64
"""GDAL would take 5 % of all memory in every process; blocks are decoded about once, so little is enough."""

WORKER_ENVIRONMENT = {
    "GDAL_CACHEMAX": str(GDAL_CACHE_MB),
    "GDAL_NUM_THREADS": "1",
    "VRT_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    **{name: str(size) for name, size in KEPT_BYTES.items()},
}
"""One worker a core, and one thread a worker, inside libraries too: sums hang on how many share them."""

CONNECT_SECONDS = 10

_OF_TASKS = (
    "pipeline.batch", "pipeline.run", "pipeline.stages.detect.classic", "pipeline.stages.detect.coarse",
)  # fmt: skip
"""Modules with which all is loaded that tasks and their arguments are made of."""


@contextmanager
def connect(scheduler: str | None = None, workers: int = 0) -> Iterator[str]:
    """Make a Dask scheduler active and give its name in words, for people.

    An address (`tcp://host:8786`) wins over a number of local worker processes (one thread each); with
    neither, a Dask client that is active already is used, as in a notebook; else the work is done by as many
    threads of this process as it has cores.

    Raises ClusterError where the address does not answer.
    """
    dask.config.set({"logging.distributed": "error"})  # which is looked at when it is first imported
    with ExitStack() as stack:
        stack.enter_context(rasterio.Env(GDAL_CACHEMAX=GDAL_CACHE_MB << 20, VRT_NUM_THREADS=1))  # in bytes
        if scheduler is not None:
            name = f"Dask cluster at {scheduler}"
            stack.enter_context(_client(scheduler))
        elif workers > 0:
            name = f"{workers} local process{'es' if workers > 1 else ''}"
            stack.enter_context(_local_processes(workers))
        elif (client := active_client()) is not None:
            name = "the active Dask client"
            _prepare(client)
        else:
            stack.enter_context(dask.config.set(scheduler="threads"))
            stack.enter_context(threadpool_limits(1, user_api="blas"))
            keep_freed()
            name = "threads of this process"
        yield name


@contextmanager
def _local_processes(workers: int) -> Iterator[None]:
    from distributed import Client, LocalCluster

    with ExitStack() as stack:
        settings = {
            # Nothing waits in a worker behind what it is at: where that kills it, Dask would blame both.
            "distributed.scheduler.worker-saturation": 1.0,
            # Before a worker starts, as its allocator looks only then.
            "distributed.nanny.pre-spawn-environ": WORKER_ENVIRONMENT,
        }
        stack.enter_context(dask.config.set(settings))
        scratch = Path(gettempdir()) / f"groundbreak-{getuser()}"  # Dask removes there what dead ones left
        cluster = stack.enter_context(
            LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                dashboard_address=None,
                local_directory=str(scratch),
                silence_logs=logging.ERROR,
            )
        )
        client = stack.enter_context(Client(cluster))
        client.run(_begin_to_load, wait=False)
        _load()  # the client needs it, too
        client.register_plugin(_deaf(), name="groundbreak")
        yield


@contextmanager
def _client(address: str) -> Iterator[None]:
    from distributed import Client
    from distributed.client import _set_global_client

    _check_encryption(address)
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        example = "start one with `dask scheduler` and give its address, like tcp://localhost:8786"
        raise ClusterError(f"no Dask scheduler answers at {address!r}: {example}") from error
    with client:
        _set_global_client(client)  # only now: one that never connected would stay there
        _prepare(client)
        yield


def _prepare(client: Client) -> None:
    """Workers that others started, now or later. Raises ClusterError where Groundbreak is not there."""
    try:
        client.register_plugin(_sober(), name="groundbreak")
    except Exception as error:  # Dask brings what went wrong in a worker as words
        if "ModuleNotFoundError" not in repr(error) and "ImportError" not in repr(error):
            raise
        raise ClusterError(
            f"the Dask workers cannot load Groundbreak ({error}); install the same version there as here"
        ) from error


def _load() -> None:
    """By one thread, before there are tasks: a worker unpacks one while another thread runs another, and
    two that import at once leave modules half loaded.
    """
    for name in _OF_TASKS:
        import_module(name)


async def _begin_to_load() -> None:
    """The same, but nobody need wait for a worker to end with it: Dask asks for a coroutine."""
    _load()


def _deaf() -> WorkerPlugin:
    """Makes our own workers take no notice of Ctrl-C, which a terminal sends to all processes that it sees:
    whoever started them ends them, and a client that is gone is no error of theirs.
    """
    from distributed.diagnostics.plugin import WorkerPlugin

    class Deaf(WorkerPlugin):
        def setup(self, worker: object) -> None:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            logging.getLogger("distributed.worker").setLevel(logging.CRITICAL)
            _load()

    return Deaf()


def _check_encryption(address: str) -> None:
    """Raises ClusterError where Dask would not talk over TLS, or not without; it has then half a client, and
    waits for it at the end.
    """
    from distributed import Security

    try:
        told = Security().get_connection_args("client")
    except OSError as error:
        raise ClusterError(f"Dask's certificates cannot be read ({error}); see docs/cluster.md") from error
    secret = address.startswith("tls:")
    if secret and told["ssl_context"] is None:
        lacks = "no certificates are set for it here"
    elif told["require_encryption"] and not secret:
        lacks = "encryption is required here, and this address is without"
    else:
        return
    raise ClusterError(f"the Dask scheduler at {address!r} is not talked to: {lacks}; see docs/cluster.md")


def _sober() -> WorkerPlugin:
    """Makes workers that others started, now or later, share their cores and memory as our own do."""
    from distributed.diagnostics.plugin import WorkerPlugin

    class Sober(WorkerPlugin):
        def setup(self, worker: object) -> None:
            os.environ.update(WORKER_ENVIRONMENT)  # GDAL looks there when it is first used
            threadpool_limits(1, user_api="blas")
            keep_freed()
            _load()

    return Sober()
