"""Files of a folder over HTTP, whole or in part: GDAL and QGIS read images so from where they are."""

from __future__ import annotations

import io
import re
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any, BinaryIO

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_CHUNK = 1 << 18


class RangeHandler(SimpleHTTPRequestHandler):
    """GET and HEAD, with one range of bytes (RFC 9110, 14); all of a file where more are asked for."""

    protocol_version = "HTTP/1.1"
    sent = 0  # bytes of the last answer
    _left: int | None = None  # bytes of a part that are still to be sent

    def send_head(self) -> io.BytesIO | BinaryIO | None:
        """Headers; what is to be sent after them, None where nothing is."""
        self._left = None
        path, wanted = Path(self.translate_path(self.path)), self.headers.get("Range", "")
        match = _RANGE.fullmatch(wanted.strip())
        if match is None or not any(match.groups()) or not path.is_file():
            return super().send_head()
        return self._part(path, *match.groups())

    def _part(self, path: Path, first: str, last: str) -> BinaryIO | None:
        """The bytes from `first` to `last`; the last so many where there is no `first`."""
        size = path.stat().st_size
        start = int(first) if first else max(size - int(last), 0)
        stop = min(int(last) + 1, size) if first and last else size
        if start >= size or stop <= start:
            self.send_response(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
            self.send_header("Content-Range", f"bytes */{size}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None
        file = path.open("rb")
        file.seek(start)
        self._left = stop - start
        self.send_response(HTTPStatus.PARTIAL_CONTENT)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{size}")
        self.send_header("Content-Length", str(self._left))
        self.end_headers()
        return file

    def copyfile(self, source: Any, outputfile: Any) -> None:
        """Send all of `source`, or what is left of the part asked for."""
        self.sent = 0
        while self._left is None or self._left > 0:
            chunk = source.read(min(self._left or _CHUNK, _CHUNK))
            if not chunk:
                break
            outputfile.write(chunk)
            self.sent += len(chunk)
            self._left = None if self._left is None else self._left - len(chunk)

    def end_headers(self) -> None:
        """What goes with every answer."""
        self.send_header("Accept-Ranges", "bytes")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing: whoever started the server knows."""
