"""Images that are read from, and results that are written to, an object store or a web server.

Images are never fetched whole: GDAL reads the windows that are needed, by range requests. Names of remote
files are GDAL's own (https://gdal.org/user/virtual_file_systems.html), which pass for paths.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote, urlsplit

from pipeline.errors import OutputError, SourceNotFoundError
from pipeline.outputs.provenance import RUN_FILE
from pipeline.secrecy import without_secrets

_BUCKETS = {"s3": "/vsis3/"}
_WEB = ("http", "https")
_WEB_SECONDS = 30  # without an answer

_HTTP_OPTIONS = {
    "GDAL_HTTP_MAX_RETRY": "3",
    "GDAL_HTTP_RETRY_DELAY": "0.5",  # seconds, twice as long each time
    "GDAL_HTTP_CONNECTTIMEOUT": "10",
    "GDAL_HTTP_TIMEOUT": "300",  # seconds for one request
    "GDAL_HTTP_LOW_SPEED_LIMIT": "100",  # bytes a second; a server that gives less for so long has stalled
    "GDAL_HTTP_LOW_SPEED_TIME": "30",
}


def is_url(text: str) -> bool:
    """Whether this names something on another machine."""
    return urlsplit(text).scheme in {*_BUCKETS, *_WEB}


def absolute(place: str | Path) -> str:
    """A folder or file as an absolute path, as workers may run anywhere; a URL as it is, but for a last /."""
    text = str(place)
    return text.rstrip("/") if is_url(text) else str(Path(text).expanduser().absolute())


def is_remote(name: str) -> bool:
    """Whether GDAL reads this file over a network: a URL, or its name for one."""
    return is_url(name) or name.startswith(("/vsicurl", "/vsis3/"))


def http_options() -> dict[str, str]:
    """How patient GDAL is with servers, where the environment does not say."""
    return {name: value for name, value in _HTTP_OPTIONS.items() if name not in os.environ}


def gdal_path(url: str, *, alone: bool = False) -> Path:
    """The name under which GDAL opens a remote file; `alone` where it need not look for files beside it."""
    scheme, rest = url.split("://", 1)
    if scheme in _BUCKETS:
        return Path(_BUCKETS[scheme] + rest)
    options = "empty_dir=yes&" if alone else ""
    return Path(f"/vsicurl?{options}url={quote(url, safe='')}")  # as a path, // would become /


def fetched_info(url: str) -> dict[str, Any]:
    """`{bytes, etag}` of an object in a bucket; None where it cannot be asked for."""
    try:
        told = _store(urlsplit(url).scheme).info(url)
    except _faults():
        told = {}
    return {"bytes": told.get("size"), "etag": told.get("ETag")}


def find_remote(url: str) -> list[str]:
    """URLs of what lies in a bucket's folder, or matches a pattern there; a file's own. Raises
    SourceNotFoundError.
    """
    scheme = urlsplit(url).scheme
    if scheme in _WEB:
        return [url]
    store = _store(scheme)
    try:
        found = store.glob(url) if "*" in url else [url] if store.isfile(url) else store.find(url, maxdepth=1)
    except _faults() as error:
        raise SourceNotFoundError(f"{url}: cannot be listed ({error}); check name and credentials") from error
    if not found:
        raise SourceNotFoundError(f"{url}: nothing is there; check the name")
    return [name if is_url(name) else f"{scheme}://{name}" for name in found]


def fetch(place: str) -> bytes:
    """All of a file, by its path or URL. Raises SourceNotFoundError, NotAllowedError."""
    try:
        if not is_url(place):
            return Path(place).read_bytes()
        if urlsplit(place).scheme in _BUCKETS:
            return bytes(_store(urlsplit(place).scheme).cat_file(place))
        return _download(place)
    except _faults() as error:
        reason = without_secrets(" ".join(str(error).split()) or type(error).__name__)
        raise SourceNotFoundError(
            f"{without_secrets(place)}: cannot be read ({reason}); check that it is there"
        ) from error


def _download(url: str) -> bytes:
    from pipeline.web import session

    answer = session(url).get(url, timeout=_WEB_SECONDS)
    answer.raise_for_status()
    return bytes(answer.content)


@contextmanager
def delivered(out: str | Path) -> Iterator[Path]:
    """The folder `out`; or, where that is a URL, one of this machine whose files go there at the end.

    run.json is taken away first and comes last, so that no mixture of two results looks whole. Raises
    OutputError.
    """
    if not is_url(str(out)):
        yield Path(out)
        return
    url = str(out).rstrip("/")
    if urlsplit(url).scheme not in _BUCKETS:
        raise OutputError(f"{url}: results can be written to folders and to s3:// only")
    store = _store(urlsplit(url).scheme)
    with TemporaryDirectory(prefix="groundbreak-") as folder:
        yield Path(folder)
        try:
            _upload(store, Path(folder), url)
        except _faults() as error:
            raise OutputError(f"{url}: cannot write there ({error}); check bucket and credentials") from error


def _upload(store: Any, folder: Path, url: str) -> None:
    files = sorted((p for p in folder.rglob("*") if p.is_file()), key=lambda p: (p.name == RUN_FILE, p))
    for file in files:
        if file.name == RUN_FILE and store.exists(marked := f"{url}/{file.relative_to(folder).as_posix()}"):
            store.rm_file(marked)
    for file in files:
        store.put_file(str(file), f"{url}/{file.relative_to(folder).as_posix()}")


def _store(scheme: str) -> Any:
    """The object store, its endpoint and credentials from the environment, as everywhere (AWS_...)."""
    import fsspec  # slow to import, and seldom needed

    return fsspec.filesystem(scheme, use_listings_cache=False, skip_instance_cache=True)


def _faults() -> tuple[type[Exception], ...]:
    """How an object store says no: no such bucket, no credentials, no answer."""
    from botocore.exceptions import BotoCoreError, ClientError

    return OSError, BotoCoreError, ClientError


def share_endpoint() -> None:
    """Tell GDAL of the endpoint that other tools are told of by AWS_ENDPOINT_URL, where it was not told."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if endpoint and "AWS_S3_ENDPOINT" not in os.environ:
        parts = urlsplit(endpoint)
        os.environ["AWS_S3_ENDPOINT"] = parts.netloc
        os.environ["AWS_HTTPS"] = "YES" if parts.scheme == "https" else "NO"
        os.environ["AWS_VIRTUAL_HOSTING"] = "FALSE"
