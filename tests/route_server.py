"""A web server in this process that answers each path as it is told, on any loopback address."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Answer:
    """What a path gives: JSON, text or bytes; `slowly`: seconds between its bytes."""

    body: Any = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    slowly: float = 0.0

    def data(self) -> bytes:
        """The bytes."""
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


Route = Answer | Callable[[str], Answer]


def redirect(url: str) -> Answer:
    """To another address."""
    return Answer(status=302, headers={"Location": url})


@dataclass
class Routes:
    """`url`: of the server; `routes`: by path, "" for all others; `asked`: paths with their headers."""

    url: str = ""
    routes: dict[str, Route] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def paths(self) -> list[str]:
        """That were asked for, in order."""
        return [path for path, _ in self.asked]


@contextmanager
def route_server(host: str = "127.0.0.1") -> Iterator[Routes]:
    """A server on a free port."""
    known = Routes()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known.asked.append((self.path, dict(self.headers)))
            route = known.routes.get(self.path.split("?")[0]) or known.routes.get("") or Answer(status=404)
            answer = route if isinstance(route, Answer) else route(self.path)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            data = answer.data()
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self._give(data, answer.slowly)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.do_GET()

        def _give(self, data: bytes, slowly: float) -> None:
            try:
                for start in range(0, len(data), 1 if slowly else len(data) or 1):
                    self.wfile.write(data[start : start + 1] if slowly else data)
                    if slowly and closing.wait(slowly):
                        return
            except OSError:  # whoever asked has gone
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Nothing."""

    closing = threading.Event()
    server = ThreadingHTTPServer((host, 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    known.url = f"http://{host}:{server.server_port}"
    try:
        yield known
    finally:
        closing.set()
        server.shutdown()
        server.server_close()
