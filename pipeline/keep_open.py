"""Raster files kept open for the next window, with the tiles that GDAL has of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import rasterio

from pipeline.admit import open_raster

_MOST = 32  # files of this process that nobody is reading; each holds a last tile, some megabytes
_Key = tuple[str, int, int]
_lock = Lock()
_idle: list[tuple[_Key, rasterio.DatasetReader]] = []  # last used last
_of_parent: list[tuple[_Key, rasterio.DatasetReader]] = []


@contextmanager
def kept_open(path: str | Path) -> Iterator[rasterio.DatasetReader]:
    """A reader of a file on this machine, for this thread alone until the block ends; not to be closed.

    One that has been replaced since is opened anew, and so is one whose reading failed. Raises OSError where
    there is none, RasterioIOError where it cannot be read, NotAllowedError where it may not be.
    """
    told = os.stat(path)  # noqa: PTH116
    key = str(path), told.st_ino, told.st_mtime_ns
    reader = _taken(key) or open_raster(path)
    try:
        yield reader
    except BaseException:
        reader.close()
        raise
    with _lock:
        _idle.append((key, reader))
        surplus = [_idle.pop(0)] if len(_idle) > _MOST else []
    for _, oldest in surplus:
        oldest.close()


def close_kept() -> None:
    """Close all that nobody is reading: at the end of a run, as the room that a removed file takes on a disk
    is given back only once it is closed.
    """
    with _lock:
        closing = [reader for _, reader in _idle]
        _idle.clear()
    for reader in closing:
        reader.close()


def _taken(key: _Key) -> rasterio.DatasetReader | None:
    """A reader that nobody uses, from now on the caller's."""
    with _lock:
        found = next((at for at in reversed(range(len(_idle))) if _idle[at][0] == key), None)
        return None if found is None else _idle.pop(found)[1]


def _forget() -> None:
    """In a forked process, whose readers would share their place in each file with those of its parent.

    They are not closed, as a thread that is not there any more may have held GDAL's locks.
    """
    _of_parent.extend(_idle)
    _idle.clear()
    _lock.release()


os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_forget)
