"""`groundbreak serve`: whole files and parts of them, of this folder alone, to this machine alone."""

from __future__ import annotations

import http.client
import socket
import sys
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
import rasterio
from jobs import groundbreak
from outputs_fixture import make_rasters
from servers import served

from pipeline.errors import OutputError
from pipeline.serve import server

BYTES = bytes(range(256)) * 4


@pytest.fixture
def running(tmp_path: Path) -> Iterator[ThreadingHTTPServer]:
    """Over tmp_path/out, which holds an index, a file of 1024 bytes, a hidden one, and a link out of it."""
    out = tmp_path / "out"
    (out / "yard" / "pair").mkdir(parents=True)
    (tmp_path / "secret.txt").write_text("secret")
    (out / "index.html").write_text("<p>sites</p>")
    (out / "data.bin").write_bytes(BYTES)
    (out / ".hidden").write_text("secret")
    (out / "link.txt").symlink_to(tmp_path / "secret.txt")
    (out / "yard" / "pair" / "report.html").write_text("<p>report</p>")
    with server(out) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield serving
        serving.shutdown()
        thread.join()


def ask(
    running: ThreadingHTTPServer, path: str, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Sent as it stands: no client tidies the path."""
    connection = http.client.HTTPConnection("127.0.0.1", running.server_address[1], timeout=20)
    connection.putrequest(method, path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    told = answer.status, {k.title(): v for k, v in answer.getheaders()}, answer.read()
    connection.close()
    return told


def test_pages_are_given_with_their_types(running: ThreadingHTTPServer) -> None:
    status, headers, body = ask(running, "/")
    assert (status, body) == (200, b"<p>sites</p>")
    assert headers["Content-Type"].startswith("text/html")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert ask(running, "/yard/pair/")[:2][1]["Location"] == "report.html"
    assert ask(running, "/yard/")[0] == 404  # no list of files


@pytest.mark.parametrize(
    ("wanted", "status", "body"),
    [
        ("bytes=0-3", 206, BYTES[:4]),
        ("bytes=1000-", 206, BYTES[1000:]),
        ("bytes=-10", 206, BYTES[-10:]),
        ("bytes=-5000", 206, BYTES),
        ("bytes=1020-9999", 206, BYTES[1020:]),
        ("bytes=1024-", 416, b""),
        ("bytes=9-3", 416, b""),
        ("bytes=-0", 416, b""),
        ("bytes=0-1,4-5", 200, BYTES),
        ("bytes=-", 200, BYTES),
        ("lines=0-1", 200, BYTES),
    ],
)
def test_parts_of_files(running: ThreadingHTTPServer, wanted: str, status: int, body: bytes) -> None:
    got = ask(running, "/data.bin", Range=wanted)
    assert (got[0], got[2]) == (status, body)
    if status == 206:
        first = len(BYTES) - len(body) if not wanted.startswith("bytes=0") else 0
        assert got[1]["Content-Range"] == f"bytes {first}-{first + len(body) - 1}/1024"
    head = ask(running, "/data.bin", "HEAD", Range=wanted)
    assert (head[0], head[1].get("Content-Length"), head[2]) == (status, got[1].get("Content-Length"), b"")


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/yard/../../secret.txt", "//secret.txt",
        "/link.txt", "/.hidden", "/%2ehidden", "/yard/%2e%2e/.hidden", "/data.bin/../../secret.txt",
        "/\\..\\secret.txt", "/nothing", "/data.bin%00.html",
    ],
)  # fmt: skip
def test_nothing_else_is_there(running: ThreadingHTTPServer, path: str) -> None:
    for headers in ({}, {"Range": "bytes=0-2"}):
        status, _, body = ask(running, path, **headers)
        assert status == 404
        assert b"secret" not in body.lower().replace(path.encode(), b"")


def test_only_reading_and_only_under_this_machines_name(running: ThreadingHTTPServer) -> None:
    for method in ("POST", "PUT", "DELETE"):
        assert ask(running, "/data.bin", method)[0] == 501
    assert ask(running, "/", Host="rebound.example.org")[0] == 421
    assert ask(running, "/", Host="localhost:8642")[0] == 200
    assert running.server_address[0] == "127.0.0.1"


def test_an_image_is_opened_by_url(tmp_path: Path) -> None:
    """By the command itself, as QGIS would ask."""
    make_rasters(tmp_path, 600, 700)
    (tmp_path / "report.html").write_text("x")
    part = ((100, 120), (50, 90))
    with (
        served(sys.executable, "-m", "pipeline", "serve", str(tmp_path), "--port") as address,
        rasterio.open(f"{address}/after.tif") as far,
        rasterio.open(tmp_path / "after.tif") as near,
    ):
        assert (far.read(1, window=part) == near.read(1, window=part)).all()


def test_what_cannot_be_served_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="holds no results"):
        server(tmp_path)
    told = groundbreak("serve", tmp_path)
    assert told.exit_code == 1
    assert told.output.count("\n") == 1
    (tmp_path / "report.html").write_text("x")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OutputError, match="--port"):
            server(tmp_path, taken.getsockname()[1])
