"""A web server that passes requests on to another, and misbehaves when it is told to: UPSTREAM PORT.

PUT /faults with {"match": a part of the path, "skip": n, "faults": [...]}: after n requests for such a path,
each of the next ones meets a fault. GET /faults tells which are left, how many requests there were, and the
headers of the last one.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

UPSTREAM = sys.argv[1] if __name__ == "__main__" else ""
STALL = 5  # seconds


class Faulty(BaseHTTPRequestHandler):
    """Faults: a status such as 503; `half` an answer; `rubbish` of the same length; `empty`: {}; `stall`;
    `trickle`: a byte now and then.
    """

    plan: dict[str, Any] = {"match": "", "skip": 0, "faults": []}  # noqa: RUF012 (shared on purpose)
    requests = 0
    slowly = False
    seen: dict[str, str] = {}  # noqa: RUF012 (headers of the last request passed on)
    lock = threading.Lock()

    def do_PUT(self) -> None:
        length = int(self.headers["Content-Length"])
        Faulty.plan, Faulty.requests = json.loads(self.rfile.read(length)), 0
        self.answer(200, {}, b"{}")

    def do_GET(self) -> None:
        if self.path == "/faults":
            told = {"faults": self.plan["faults"], "requests": self.requests, "headers": self.seen}
            self.answer(200, {}, json.dumps(told).encode())
        else:
            self.passed_on(None)

    def do_HEAD(self) -> None:
        self.passed_on(None)

    def do_POST(self) -> None:
        self.passed_on(self.rfile.read(int(self.headers["Content-Length"])))

    def passed_on(self, body: bytes | None) -> None:
        fault, Faulty.seen = self.next_fault(), dict(self.headers)
        if fault == "stall":
            time.sleep(STALL)
            self.close_connection = True
            return
        if fault and fault.isdigit():
            self.answer(int(fault), {}, b"busy")
            return
        kept = {name: value for name, value in self.headers.items() if name.lower() != "accept-encoding"}
        try:
            got = urlopen(Request(UPSTREAM + self.path, body, kept, method=self.command))
        except HTTPError as error:
            got = error
        data = got.read()
        if fault == "rubbish":
            data = b"<" * len(data)
        elif fault == "empty":
            data = b"{}"
        headers = {name: got.headers[name] for name in ("Content-Type", "Content-Range") if got.headers[name]}
        length = got.headers["Content-Length"] if self.command == "HEAD" else str(len(data))
        self.slowly = fault == "trickle"
        self.answer(got.status, headers, data[: len(data) // 2] if fault == "half" else data, length)

    def next_fault(self) -> str | None:
        with self.lock:
            if self.plan["match"] not in self.path:
                return None
            Faulty.requests += 1
            if self.requests <= self.plan["skip"] or not self.plan["faults"]:
                return None
            return str(self.plan["faults"].pop(0))

    def answer(self, status: int, headers: dict[str, str], data: bytes, length: str | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", length or str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.trickle(data) if self.slowly else self.wfile.write(data)
        self.close_connection = True

    def trickle(self, data: bytes) -> None:
        with suppress(OSError):  # whoever asked has had enough
            for byte in data:
                self.wfile.write(bytes([byte]))
                time.sleep(0.5)

    def log_message(self, *args: object) -> None:
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Faulty).serve_forever()
