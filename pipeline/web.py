"""HTTP with limits: whom it talks to, how often, how much it takes, and who gets the credentials."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Retry
from urllib3.connection import HTTPConnection, HTTPSConnection

from pipeline.errors import NotAllowedError
from pipeline.hosts import check_address, check_host
from pipeline.trust import trust, variable

REDIRECTS = 5
LONGEST_S = 300.0  # one answer, however slowly it trickles
_CHUNK = 1 << 16
_PROBE_TIMEOUT = (10.0, 10.0)


class _Checked(HTTPConnection):
    """Looks at whom it has reached before it says a word: what a name stands for may change in between."""

    def _new_conn(self) -> socket.socket:
        reached: socket.socket = super()._new_conn()
        try:
            check_address(self.host, str(reached.getpeername()[0]))
        except NotAllowedError:
            reached.close()
            raise
        return reached


class _CheckedTLS(_Checked, HTTPSConnection):
    """The same for https."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Checked


class _PoolTLS(HTTPSConnectionPool):
    ConnectionCls = _CheckedTLS


class _Adapter(HTTPAdapter):
    """Sends each request of a session, those that redirects lead to as well."""

    def __init__(self, home: str, credentials: Mapping[str, str], retry: Retry | None) -> None:
        self._home, self._credentials, self._sent = _origin(home), dict(credentials), 0
        super().__init__(max_retries=retry if retry is not None else 0)

    def init_poolmanager(self, *args: Any, **given: Any) -> None:
        """With connections that are checked. Those through a proxy are the proxy's to check."""
        super().init_poolmanager(*args, **given)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _PoolTLS}

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float | None, float | None] | None = None,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        proxies: dict[str, str] | None = None,
    ) -> requests.Response:
        """Raises NotAllowedError."""
        limits, url = trust(), request.url or ""
        self._sent += 1
        if self._sent > limits.max_requests:
            raise NotAllowedError(
                f"{url.split('?')[0]}: there is no end of it after {limits.max_requests} requests; "
                f"narrow the search, or set {variable('max_requests')} higher"
            )
        for name, value in self._credentials.items():
            if _origin(url) == self._home:
                request.headers[name] = value
            else:
                request.headers.pop(name, None)
        response = super().send(request, True, timeout, verify, cert, proxies)
        if not stream or response.is_redirect:  # of which requests reads all
            response._content = _bounded(response, limits.max_answer_mb)
        return response


def session(
    home: str = "", credentials: Mapping[str, str] | None = None, retry: Retry | None = None
) -> requests.Session:
    """A session that reaches public addresses and those allowed, for http and https only.

    `credentials`: headers that the server of the URL `home` gets, and no other.
    """
    made = requests.Session()
    made.max_redirects = REDIRECTS
    adapter = _Adapter(home, credentials or {}, retry)
    for scheme in ("http://", "https://"):
        made.mount(scheme, adapter)
    return made


def check_reach(url: str) -> None:
    """Raises NotAllowedError where a web address, or one that it redirects to, is not to be talked to.

    For GDAL, which looks at no address and follows every redirect: asked once a process and URL. A server
    that redirects GDAL alone, or a name that stands for another address a moment later, is not held by this.
    """
    check_host(url)
    _follow(url, trust().allow_hosts)


@lru_cache(maxsize=65536)
def _follow(url: str, _allowed: tuple[str, ...]) -> None:
    try:
        with session().get(url, headers={"Range": "bytes=0-0"}, timeout=_PROBE_TIMEOUT, stream=True):
            pass
    except (requests.RequestException, ValueError):
        return  # GDAL will tell


def _bounded(response: requests.Response, most_mb: int) -> bytes:
    """The answer's body, decompressed. Raises NotAllowedError where there is too much of it."""
    end, parts, size = time.monotonic() + LONGEST_S, [], 0
    for part in response.iter_content(_CHUNK):
        parts.append(part)
        size += len(part)
        if size > most_mb * 1_000_000:
            response.close()
            raise NotAllowedError(
                f"{response.url.split('?')[0]}: answers more than {most_mb} MB; "
                f"check the address, or set {variable('max_answer_mb')} higher"
            )
        if time.monotonic() > end:
            response.close()
            raise requests.ReadTimeout(f"no end of the answer after {LONGEST_S:g} s")
    return b"".join(parts)


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme)
