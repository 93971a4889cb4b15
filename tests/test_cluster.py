"""A real scheduler with workers of its own, as a cluster has them: what dies, and what comes later."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from distributed import Client, get_client
from jobs import FILES, checksums
from slow_work import slow

from pipeline.batch import monitor
from pipeline.cluster import connect
from pipeline.compute import spread
from pipeline.config import Settings
from pipeline.errors import ClusterError
from pipeline.progress import Progress


class Cluster:
    """`dask scheduler` and `dask worker` processes on loopback."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address, self.folder = f"tcp://127.0.0.1:{port}", folder
        self.processes = [
            self._dask("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
        ]

    def add_worker(self, *options: str) -> subprocess.Popen[bytes]:
        worker = self._dask(
            "worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard",
            "--local-directory", str(self.folder), *options,
        )  # fmt: skip
        self.processes.append(worker)
        return worker

    def stop(self) -> None:
        for process in self.processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _dask(self, *words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *words],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )  # fmt: skip


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    started = Cluster(tmp_path / "spill")
    yield started
    started.stop()


def site_file(folder: Path, images: Path, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    links = folder / name
    links.mkdir()
    for date, delivered in (("2021-03-01", "before"), ("2021-03-15", "after")):
        (links / date).symlink_to(images / delivered, target_is_directory=True)
    file = folder / f"{name}.yaml"
    file.write_text(f"id: {name}\nsource:\n  files: {name}/{{date}}/*.tif\ndetector: classic\n")
    return file


def test_sites_on_a_cluster_that_loses_a_worker_and_gets_another(
    tiny: Path, cluster: Cluster, tmp_path: Path
) -> None:
    sites = [site_file(tmp_path / "sites", tiny, name) for name in ("a", "b", "c", "d")]
    here = list(monitor(sites[:1], tmp_path / "here", Progress()))
    assert [one.status for one in here] == ["done"]
    doomed, _ = cluster.add_worker(), cluster.add_worker()
    statuses = {}
    with connect(cluster.address):
        for outcome in monitor(sites, tmp_path / "there", Progress()):
            statuses[outcome.site] = outcome.status
            if doomed.poll() is None:
                doomed.kill()
                cluster.add_worker()
    assert statuses.keys() == set("abcd")
    assert set(statuses.values()) <= {"done", "skipped"}  # a worker may die with a site that it has just done
    (first,) = (tmp_path / "here" / "a").glob("*_*/")
    for name in "abcd":
        (folder,) = (tmp_path / "there" / name).glob("*_*/")
        assert {path.name for path in folder.iterdir()} == FILES
        assert checksums(folder) == checksums(first)


def test_a_large_site_is_spread_block_by_block(made: Path, cluster: Cluster, tmp_path: Path) -> None:
    site = site_file(tmp_path / "sites", made, "a")
    results = {}
    for name, address in (("here", None), ("there", cluster.address)):
        if address:
            cluster.add_worker()
        with connect(address):
            (outcome,) = monitor([site], tmp_path / name, Progress(), small_blocks)
        assert outcome.status == "done"
        assert outcome.folder is not None
        results[name] = checksums(outcome.folder)
    assert results["here"] == results["there"]


def small_blocks(given: Settings) -> Settings:
    return replace(given, compute=replace(given.compute, chunk_size=64))


def test_spread_bounds_what_is_under_way_and_tells_what_failed(cluster: Cluster) -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(40):
            taken.append(item)
            yield item

    for _ in range(6):
        cluster.add_worker()
    results = {}
    with connect(cluster.address):
        get_client().wait_for_workers(6, timeout=60)
        for done, (item, result) in enumerate(spread(slow, items()), start=1):
            assert len(taken) <= done + 3 * 6
            results[item] = result
    assert isinstance(results.pop(5), LookupError)
    assert isinstance(results.pop(7), ClusterError)  # it took every worker down that tried
    assert results == {item: item * item for item in range(40) if item not in {5, 7}}


def test_without_workers_nothing_is_spread() -> None:
    with connect():
        assert list(spread(slow, [5, 7])) == [(5, None), (7, None)]


def test_workers_without_groundbreak_are_told_of(cluster: Cluster, tmp_path: Path) -> None:
    without = tmp_path / "without.py"
    without.write_text("import sys\nsys.modules['pipeline'] = None\n")
    cluster.add_worker("--preload", str(without))
    with Client(cluster.address, set_as_default=False) as client:
        client.wait_for_workers(1)
    with (
        pytest.raises(ClusterError, match=r"workers cannot load Groundbreak \(.*install the same version"),
        connect(cluster.address),
    ):
        pytest.fail("connected to workers that can do nothing")
