"""Dask traffic under TLS, as docs/cluster.md tells to set it up: certificates of one's own, on loopback."""

from __future__ import annotations

import operator
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dask
import pytest
import trustme
from distributed import get_client
from servers import free_port

from pipeline.cluster import connect
from pipeline.compute import compute
from pipeline.errors import ClusterError

ROLES = ("SCHEDULER", "WORKER", "CLIENT")


def environment(folder: Path, authority: trustme.CA) -> dict[str, str]:
    """The variables of the docs, and the files that they name."""
    folder.mkdir()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    node = authority.issue_cert("127.0.0.1")
    node.private_key_pem.write_to_path(str(folder / "node.key"))
    node.cert_chain_pems[0].write_to_path(str(folder / "node.pem"))
    prefix = "DASK_DISTRIBUTED__COMM__"
    told = {f"{prefix}REQUIRE_ENCRYPTION": "True", f"{prefix}TLS__CA_FILE": str(folder / "ca.pem")}
    for role in ROLES:
        told[f"{prefix}TLS__{role}__CERT"] = str(folder / "node.pem")
        told[f"{prefix}TLS__{role}__KEY"] = str(folder / "node.key")
    return told


@contextmanager
def configured(told: dict[str, str]) -> Iterator[None]:
    """Dask as it is when it starts under these variables."""
    keys = {name.removeprefix("DASK_").replace("__", ".").lower(): value for name, value in told.items()}
    with dask.config.set({key: True if value == "True" else value for key, value in keys.items()}):
        yield


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return environment(tmp_path_factory.mktemp("tls") / "ours", trustme.CA())


@pytest.fixture(scope="module")
def address(ours: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A scheduler with one worker."""
    port, quiet = str(free_port()), {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    place = f"tls://127.0.0.1:{port}"
    scheduler = ["scheduler", "--protocol", "tls", "--host", "127.0.0.1", "--port", port, "--no-dashboard"]
    spill = str(tmp_path_factory.mktemp("spill"))
    worker = ["worker", place, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", spill]
    started = [
        subprocess.Popen([sys.executable, "-m", "dask", *words], env={**os.environ, **ours}, **quiet)  # type: ignore[call-overload]
        for words in (scheduler, worker)
    ]
    yield place
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.cluster.CONNECT_SECONDS", 60)  # the scheduler may still be starting


def test_work_is_done_over_tls(address: str, ours: dict[str, str]) -> None:
    with configured(ours), connect(address):
        get_client().wait_for_workers(1, timeout=60)
        (worker,) = get_client().scheduler_info(n_workers=-1)["workers"]
        assert worker.startswith("tls://")
        assert compute(dask.delayed(operator.mul)(6, 7)) == (42,)


def test_who_has_no_certificate_is_not_talked_to(
    address: str, ours: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with configured(ours), connect(address):
        pass  # the scheduler is up
    monkeypatch.setattr("pipeline.cluster.CONNECT_SECONDS", 3)
    stranger = environment(tmp_path / "theirs", trustme.CA())
    with (
        configured(stranger),
        pytest.raises(ClusterError, match="no Dask scheduler answers"),
        connect(address),
    ):
        pass
    with (
        pytest.raises(ClusterError, match="no Dask scheduler answers"),
        connect(address.replace("tls:", "tcp:")),
    ):
        pass
    with pytest.raises(ClusterError, match="no certificates are set"), connect(address):
        pass


def test_encryption_that_is_required_is_not_left_out(ours: dict[str, str]) -> None:
    with (
        configured(ours),
        pytest.raises(ClusterError, match="encryption is required"),
        connect("tcp://127.0.0.1:9"),
    ):
        pass


def test_certificates_that_are_not_there(ours: dict[str, str]) -> None:
    lost = {**ours, "DASK_DISTRIBUTED__COMM__TLS__CA_FILE": "/nowhere/ca.pem"}
    with configured(lost), pytest.raises(ClusterError, match="cannot be read"), connect("tls://127.0.0.1:9"):
        pass
