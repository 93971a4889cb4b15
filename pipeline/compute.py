"""Work done on whatever `connect` made active: in one go, in groups, beside other work, item by item."""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

import dask.array as da
import numpy as np
import psutil
from dask.base import annotate
from dask.base import compute as dask_compute
from dask.callbacks import Callback
from dask.delayed import delayed
from dask.system import CPU_COUNT
from numpy.typing import NDArray

from pipeline.errors import ClusterError, StoppedError
from pipeline.progress import Progress
from pipeline.scratch import release

if TYPE_CHECKING:
    from distributed import Client
    from distributed import Future as Task

Item = TypeVar("Item")
Result = TypeVar("Result")

_SHARE = 0.9  # of the memory that is free
_AHEAD = 3  # items a worker that are under way, so that none waits for the client
_ALONE: ContextVar[bool] = ContextVar("alone", default=False)


def compute(
    *values: Any, progress: Progress | None = None, names: Mapping[str, str] | None = None
) -> tuple[Any, ...]:
    """`dask.compute` on whatever `connect` made active, telling `progress` how far it is.

    With threads the parts counted are Dask's tasks; with processes or a cluster they are `values`. Raises
    ClusterError where workers died under it, saying under which part (`names` of Dask's keys, in words), and
    what the work itself raises.
    """
    if _ALONE.get():
        return tuple(dask_compute(*values, scheduler="synchronous"))
    client = active_client()
    if client is None:
        counting = (None, None, None, partial(_counted, progress or Progress()), None)
        results = tuple(dask_compute(*values, callbacks=[*Callback.active, counting]))
        release()
        return results
    from distributed import as_completed

    futures = client.compute(list(values))
    waiting = [future for future in futures if hasattr(future, "add_done_callback")]
    for done, _ in enumerate(as_completed(waiting), start=1):
        if progress is not None:
            progress.advance(done, len(waiting))
    with _told_as_ours(names or {}):
        return tuple(client.gather(futures))


def compute_groups(
    lazy: Callable[[list[Item]], list[Any]],
    groups: Sequence[list[Item]],
    progress: Progress | None = None,
    named: Callable[[list[Item]], str] = lambda group: f"{len(group)} parts",
) -> list[Any]:
    """What `lazy` makes of the items of all groups, computed and given in their order.

    With processes each group is done by one of them, from `lazy` on: what its items share does not travel.
    `named`: a group in words, for who must know which one workers died under (ClusterError).
    """
    if not has_processes():
        return list(compute(*lazy([item for group in groups for item in group]), progress=progress))
    shared = delayed(partial(_within, lazy))  # partial, as Dask looks not into it
    names = {f"group-{uuid4().hex}": named(group) for group in groups}  # alike, so that Dask queues them
    tasks = []
    for number, (group, key) in enumerate(zip(groups, names, strict=True)):
        with annotate(priority=-number):
            tasks.append(shared(group, dask_key_name=key))
    parts = compute(*tasks, progress=progress, names=names)
    return [result for part in parts for result in part]


def _within(lazy: Callable[[list[Item]], list[Any]], group: list[Item]) -> list[Any]:
    with alone():
        return list(compute(*lazy(group)))


def in_few(array: da.Array) -> da.Array:
    """The same array, but with processes in a few bands of rows, each computed by one of them by itself:
    thousands of small tasks would keep the client busy.
    """
    if not has_processes():
        return array
    edges = np.concatenate([[0], np.cumsum(array.chunks[-2])])
    bands = [array[..., edges[i[0]] : edges[i[-1] + 1], :] for i in even_groups(range(len(edges) - 1))]
    parts = [
        da.from_delayed(delayed(partial(_by_itself, band), pure=False)(), band.shape, band.dtype)
        for band in bands
    ]
    joined: da.Array = da.concatenate(parts, axis=array.ndim - 2)
    return joined


def _by_itself(array: da.Array) -> NDArray[Any]:
    return np.asarray(array.compute(scheduler="synchronous"))


def even_groups(items: Sequence[Item]) -> list[list[Item]]:
    """A few groups of successive items a worker."""
    size = -(-len(items) // (_AHEAD * worker_count())) or 1
    return [list(items[start : start + size]) for start in range(0, len(items), size)]


@contextmanager
def meanwhile(*values: Any) -> Iterator[list[Any]]:
    """`compute` beside what is done inside: the list is filled at the end, or what went wrong raised."""
    client, results = None if _ALONE.get() else active_client(), list[Any]()
    if not values:
        yield results
    elif client is not None:
        from distributed import wait

        futures = client.compute(list(values))
        try:
            yield results
        except StoppedError:
            raise
        except BaseException:
            wait(futures)  # none may go on writing to a folder that is given up
            raise
        with _told_as_ours({}):
            results += client.gather(futures)
    elif _ALONE.get():
        yield results
        results += compute(*values)
    else:
        # Dask would take the callbacks of all threads, and fail where another one adds its own meanwhile
        given = {"callbacks": [], "num_workers": CPU_COUNT}  # it would have four threads more than that
        with aside(partial(dask_compute, *values, **given)) as future:
            yield results
        results += future.result()


@contextmanager
def aside(work: Callable[[], Result]) -> Iterator[Future[Result]]:
    """`work` by another thread of this process, beside what is done inside; done at the end, or what went
    wrong raised. A task that is a whole job does it when all else is done.
    """
    if _ALONE.get():
        future: Future[Result] = Future()
        yield future
        future.set_result(work())
        return
    beside, stopped = ThreadPoolExecutor(1), False
    future = beside.submit(work)
    try:
        yield future
    except StoppedError:
        stopped = True  # the work ends with the process
        raise
    finally:
        beside.shutdown(wait=not stopped)
    future.result()


def has_processes() -> bool:
    """Whether the work is done by other processes than this one."""
    return not _ALONE.get() and active_client() is not None


def worker_count() -> int:
    """Tasks that can be done at once."""
    if _ALONE.get():
        return 1
    client = active_client()
    if client is None:
        return CPU_COUNT
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    return max(sum(int(worker["nthreads"]) for worker in workers), 1)


def free_memory() -> float:
    """Bytes that the work may take: most of what is free here, or what the workers of a cluster have."""
    client = None if _ALONE.get() else active_client()
    here = _SHARE * psutil.virtual_memory().available
    if client is None or client.cluster is not None:
        return here
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    return _SHARE * sum(float(worker["memory_limit"] or here) for worker in workers)


def spread(
    work: Callable[[Item], Result], items: Iterable[Item]
) -> Iterator[tuple[Item, Result | Exception | None]]:
    """Each item with what `work` made of it in a worker, or what went wrong, as it is known.

    A few items a worker are under way at a time, however many there are. Without workers nothing is done,
    and each item comes with None.
    """
    client = active_client()
    if client is None:
        yield from ((item, None) for item in items)
        return
    from distributed import as_completed

    waiting, sent = iter(items), {}

    def send(count: int) -> list[Task[Any]]:
        futures = {client.submit(work, item, pure=False): item for item in islice(waiting, count)}
        sent.update(futures)
        return list(futures)

    under_way = as_completed(send(_AHEAD * worker_count()))
    for future in under_way:
        under_way.update(send(1))
        error = future.exception()
        yield sent.pop(future), _explained(error) if error is not None else future.result()


@contextmanager
def alone() -> Iterator[None]:
    """`compute` within this thread alone: for a task that is a whole job."""
    token = _ALONE.set(True)
    try:
        yield
    finally:
        _ALONE.reset(token)
        release()  # before the next one


@contextmanager
def _told_as_ours(names: Mapping[str, str]) -> Iterator[None]:
    """Raises ClusterError, saying under which part of the work, where Dask gave up as workers kept dying."""
    from distributed.scheduler import KilledWorker

    try:
        yield
    except KilledWorker as error:
        where = f" under {names[str(error.task)]}" if str(error.task) in names else ""
        raise ClusterError(
            f"workers died{where}, {error.allowed_failures + 1} times, most often for want of memory:"
            " use a smaller --chunk-size or fewer --workers"
        ) from error


def _explained(error: BaseException) -> Exception:
    from distributed.scheduler import KilledWorker

    if isinstance(error, KilledWorker):
        return ClusterError("its workers died under it, most often for want of memory; use fewer workers")
    return error if isinstance(error, Exception) else ClusterError(str(error))


def active_client() -> Client | None:
    """Without `distributed` imported there is none; importing it takes longer than aligning a small image.

    Another thread may be importing it just now, so nothing is imported here.
    """
    known = getattr(sys.modules.get("distributed.client"), "_get_global_client", None)
    client: Client | None = known() if known is not None else None
    return client


def _counted(
    progress: Progress, key: Hashable, result: object, dsk: object, state: Mapping[str, Any], worker: object
) -> None:
    done, left = len(state["finished"]), sum(len(state[what]) for what in ("running", "ready", "waiting"))
    progress.advance(done, done + left)
