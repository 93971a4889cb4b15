"""A web server that gives parts of files, as object stores and most others do: FOLDER PORT."""

from __future__ import annotations

import hashlib
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class WithRanges(SimpleHTTPRequestHandler):
    """Honours `Range: bytes=first-last`; tells each file's ETag, and at /served how many bytes it gave."""

    served = 0

    def do_GET(self) -> None:
        if self.path == "/served":
            self._give(str(self.served).encode())
            return
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        data = path.read_bytes()
        wanted = self.headers.get("Range", "").removeprefix("bytes=")
        first, _, last = wanted.partition("-")
        start, stop = int(first or 0), min(int(last or len(data)), len(data) - 1) + 1
        WithRanges.served += stop - start
        tag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
        self._give(data[start:stop], f"bytes {start}-{stop - 1}/{len(data)}" if wanted else None, tag)

    def _give(self, data: bytes, part: str | None = None, tag: str | None = None) -> None:
        self.send_response(206 if part else 200)
        if tag:
            self.send_header("ETag", tag)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(data)))
        if part:
            self.send_header("Content-Range", part)
        self.end_headers()
        self.wfile.write(data)


if __name__ == "__main__":
    folder, port = sys.argv[1], int(sys.argv[2])
    ThreadingHTTPServer(("127.0.0.1", port), partial(WithRanges, directory=folder)).serve_forever()
