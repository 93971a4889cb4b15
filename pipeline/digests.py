"""Checksums of files, each made once: an image is named by a run's fingerprint and by its run.json, and a
date belongs to two pairs.

Nothing but the standard library is loaded, so that a command can begin with it while it loads the rest.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread

_MOST = 4096  # files that are remembered
_Key = tuple[str, int, int, int, int]
_made: dict[_Key, Future[str]] = {}
_lock = Lock()


def sha256(path: Path) -> str:
    """Of a file as it is now, in hexadecimal. Raises OSError.

    Remembered until the file is another: by its inode, size and times, also where its clock was set back.
    """
    key, new = _key(path), Future[str]()
    future = _kept(key, new)
    if future is new:
        try:
            with path.open("rb") as stream:
                future.set_result(hashlib.file_digest(stream, "sha256").hexdigest())
        except BaseException as error:
            with _lock:
                _made.pop(key, None)
            future.set_exception(error)
    return future.result()


def remember(path: Path, digest: str) -> None:
    """What another process made of a file as it is now. Raises OSError."""
    new = Future[str]()
    new.set_result(digest)
    _kept(_key(path), new)


def _key(path: Path) -> _Key:
    status = path.stat()
    return str(path), status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _kept(key: _Key, new: Future[str]) -> Future[str]:
    """What is known by a key, `new` from now on if nothing was."""
    with _lock:
        if len(_made) >= _MOST:
            _made.clear()
        return _made.setdefault(key, new)


def begin(paths: Iterable[str | None]) -> None:
    """Make those of files among `paths` in other threads, for whoever asks later."""
    for path in paths:
        if path and os.path.isfile(path):  # noqa: PTH113 (which says no to names that no file can have)
            Thread(target=_quietly, args=(Path(path).absolute(),), daemon=True).start()


def _quietly(path: Path) -> None:
    with suppress(OSError):  # who asks is told
        sha256(path)
