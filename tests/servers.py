"""Servers that tests start for themselves, each in a process of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from urllib.request import Request, urlopen


def free_port() -> int:
    """A loopback port that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@contextmanager
def served(*command: str, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """The address of a server, its port the last word of its command.

    It is a process of its own, since while GDAL waits for answers, Python stands still.
    """
    port = free_port()
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(  # type: ignore[call-overload]
        [*command, str(port)], env={**os.environ, **(environment or {})}, **quiet
    )
    try:
        for _ in range(600):
            assert process.poll() is None, f"{' '.join(command)}: ended with status {process.returncode}"
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.1):
                break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def misbehave(proxy: str, match: str, *faults: str, skip: int = 0) -> None:
    """Have a `faulty_proxy.py` meet requests whose path holds `match` with these faults, after `skip`
    good ones.
    """
    body = json.dumps({"match": match, "skip": skip, "faults": faults}).encode()
    urlopen(Request(f"{proxy}/faults", body, method="PUT")).read()


def faults_left(proxy: str) -> list[str]:
    """Those that it was not asked for yet."""
    faults: list[str] = _told(proxy)["faults"]
    return faults


def headers_seen(proxy: str) -> dict[str, str]:
    """Headers of the last request that it passed on."""
    headers: dict[str, str] = _told(proxy)["headers"]
    return headers


def _told(proxy: str) -> Any:
    return json.loads(urlopen(f"{proxy}/faults").read())
