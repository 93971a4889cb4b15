"""A service that alerts are posted to, in this process: it answers as it is told, and keeps what it took."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Hook:
    """`answers` are given one after the other, then 200. `asked`: every request, headers and JSON; `taken`:
    what was answered by 200, once an idempotency key, as such services do.
    """

    url: str = ""
    answers: list[int] = field(default_factory=list)
    asked: list[tuple[dict[str, str], Any]] = field(default_factory=list)
    taken: dict[str, Any] = field(default_factory=dict)


@contextmanager
def hook_server(answers: Sequence[int] = ()) -> Iterator[Hook]:
    """A server on a free port of this machine."""
    hook = Hook(answers=list(answers))
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                hook.asked.append((dict(self.headers), body))
                status = hook.answers.pop(0) if hook.answers else 200
                if status == 200:
                    hook.taken.setdefault(self.headers.get("Idempotency-Key", str(len(hook.taken))), body)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    hook.url = f"http://127.0.0.1:{server.server_port}/hook"
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()
