"""By what it is known that a file on another machine is still the one that it was: its size and its ETag."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import requests

from pipeline.remote import fetched_info
from pipeline.web import session

_TIMEOUT = (5.0, 10.0)  # seconds to connect, and to wait for the next bytes
_TRIES = 3
_OPTIONS = re.compile(r"/vsicurl\?(?:.*&)?url=([^&]+)")


def remote_state(name: str) -> dict[str, Any]:
    """`{bytes, etag}` of a remote file (a URL, or GDAL's name for one), as far as its server tells them now;
    None for what it does not. A server without ETags may tell when the file was last changed instead.
    Raises NotAllowedError.
    """
    url = _url(name)
    return fetched_info(url) if url.startswith("s3://") else _asked(url)


def _url(name: str) -> str:
    if found := _OPTIONS.match(name):
        return unquote(found[1])
    return re.sub(r"^/vsis3/", "s3://", name.removeprefix("/vsicurl/"))


def _asked(url: str) -> dict[str, Any]:
    """By its first byte, since a signed URL may be good for GET alone."""
    for _ in range(_TRIES):
        try:
            with session().get(url, headers={"Range": "bytes=0-0"}, stream=True, timeout=_TIMEOUT) as answer:
                if answer.ok:
                    return _told(answer.headers)
                if answer.status_code < 500:
                    break
        except requests.RequestException:
            continue
    return {"bytes": None, "etag": None}


def _told(headers: Mapping[str, str]) -> dict[str, Any]:
    size = headers.get("Content-Range", "").rpartition("/")[2] or headers.get("Content-Length", "")
    return {
        "bytes": int(size) if size.isdigit() else None,
        "etag": headers.get("ETag") or headers.get("Last-Modified"),
    }
