"""A folder of results over HTTP, for the browser and QGIS: to be read only, and from this machine only."""

from __future__ import annotations

import io
import os
import sys
from functools import partial
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from pipeline.errors import OutputError
from pipeline.ranges import RangeHandler

_NAMES = {"127.0.0.1", "localhost", "::1"}
"""Of this machine, to itself."""
_TYPES = {
    ".geojson": "application/geo+json", ".gpkg": "application/geopackage+sqlite3", ".tif": "image/tiff",
    ".kml": "application/vnd.google-earth.kml+xml", ".parquet": "application/vnd.apache.parquet",
    ".webp": "image/webp", ".mp4": "video/mp4", ".csv": "text/csv; charset=utf-8",
}  # fmt: skip


def server(folder: Path, port: int = 0, host: str = "127.0.0.1") -> ThreadingHTTPServer:
    """A server of `folder` that listens (port 0: any that is free), to be run with `serve_forever`.

    Raises OutputError where there are no results in `folder`, or the port is taken.
    """
    if page(folder) is None:
        raise OutputError(f"{folder}: holds no results; name the folder that was given to --out")
    try:
        return _Server((host, port), partial(_Handler, directory=str(folder.resolve())))
    except OSError as error:
        raise OutputError(
            f"{host}:{port}: cannot listen there ({error.strerror}); choose another --port"
        ) from error


def page(folder: Path) -> str | None:
    """What to open first: the index of sites, else the report of one comparison; None where neither is."""
    return next((name for name in ("index.html", "report.html") if (folder / name).is_file()), None)


class _Server(ThreadingHTTPServer):
    """A browser that hangs up is no fault to be told of."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Of one request; the server goes on."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(RangeHandler):
    """GET and HEAD of files within the folder, whole or in part.

    Hidden files, and what a link leads out of the folder to, are not there. Requests under a name that is not
    this machine's are refused, so that a page elsewhere cannot read results by a name it had pointed here.
    """

    server_version, sys_version = "groundbreak", ""
    extensions_map = RangeHandler.extensions_map | _TYPES

    def send_head(self) -> io.BytesIO | BinaryIO | None:
        """Headers; what is to be sent after them, None where nothing is."""
        if not self._asked_of_us():
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST, "not the name of this server")
            return None
        path = Path(self.translate_path(self.path))
        if not self._within(path):
            self.send_error(HTTPStatus.NOT_FOUND)
            return None
        return super().send_head()

    def _asked_of_us(self) -> bool:
        name = urlsplit(f"//{self.headers.get('Host', '')}").hostname or ""
        return self.connection.getsockname()[0] not in _NAMES or name in _NAMES

    def _within(self, path: Path) -> bool:
        """Whether a path, links followed, lies in the folder, and no part of it is hidden."""
        root = Path(self.directory)
        try:
            real = path.resolve()
        except ValueError:  # no name of a file, as one with a zero byte in it
            return False
        if not real.is_relative_to(root):
            return False
        return not any(part.startswith(".") for part in path.relative_to(root).parts)

    def end_headers(self) -> None:
        """What goes with every answer."""
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def list_directory(self, path: str | os.PathLike[str]) -> None:
        """No lists: there is a page, or there is nothing."""
        report = Path(path) / "report.html"
        if not report.is_file():
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self.send_response(HTTPStatus.FOUND)
        self.send_header("Location", "report.html")
        self.send_header("Content-Length", "0")
        self.end_headers()
