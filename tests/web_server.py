"""A web server that gives parts of files, as object stores and most others do: FOLDER PORT."""

from __future__ import annotations

import hashlib
import sys
from functools import partial
from http.server import ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from pipeline.ranges import RangeHandler


class Counting(RangeHandler):
    """Tells each file's ETag, and at /served how many bytes of files it gave."""

    protocol_version = "HTTP/1.0"
    served = 0

    def send_head(self) -> BytesIO | BinaryIO | None:
        if self.path != "/served":
            return super().send_head()
        told = str(self.served).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        return BytesIO(told)

    def copyfile(self, source: Any, outputfile: Any) -> None:
        super().copyfile(source, outputfile)
        if self.path != "/served":
            Counting.served += self.sent

    def end_headers(self) -> None:
        path = Path(self.translate_path(self.path))
        if path.is_file():
            self.send_header("ETag", f'"{hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"')
        super().end_headers()


if __name__ == "__main__":
    folder, port = sys.argv[1], int(sys.argv[2])
    ThreadingHTTPServer(("127.0.0.1", port), partial(Counting, directory=folder)).serve_forever()
