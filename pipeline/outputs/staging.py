"""A result appears in its folder only when all of it is there; what a killed run had done is used again."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import ClusterError, OutputError, StoppedError
from pipeline.keep_open import close_kept
from pipeline.outputs.files import writing
from pipeline.outputs.provenance import RUN_FILE

_PREFIX = ".groundbreak-"
_LOCK = f"{_PREFIX}lock"
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EIO}


@contextmanager
def staging(out: Path, mark: str) -> Iterator[Path]:
    """A hidden folder in `out` to build the result in; moved into place at the end, run.json last, or
    removed.

    `mark`: the fingerprint of the run. Where a run of the same mark was killed or stopped, or its workers
    died or had too little memory, its folder is still there and goes on being filled; what runs of other
    marks left is removed. Raises OutputError where `out` cannot be written to (the disk is full, say), or
    another run writes there now; ClusterError where memory was lacking.
    """
    first = next(p for p in (out, *out.parents) if p.exists())
    try:
        with _writable(out):
            out.mkdir(parents=True, exist_ok=True)
        with locked(out):
            folder = out / f"{_PREFIX}{mark[:16]}"
            for other in out.glob(f"{_PREFIX}*"):
                if other != folder and other.is_dir():
                    shutil.rmtree(other, ignore_errors=True)
            with _writable(out):
                folder.mkdir(exist_ok=True)
            try:
                with _room(out), _memory():
                    yield folder
                    publish(folder, out)
            except (ClusterError, StoppedError):
                raise
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        close_kept()
        _remove_empty(out, first)


@contextmanager
def _room(out: Path) -> Iterator[None]:
    """A disk that is full, or that lets nothing be written: whoever noticed it first, it is the result's."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        with writing(out):
            raise


@contextmanager
def _memory() -> Iterator[None]:
    """Raises ClusterError where there is not."""
    try:
        yield
    except MemoryError as error:
        what = " ".join(str(error).split()) or "not enough memory"
        raise ClusterError(
            f"out of memory ({what}): use a smaller --chunk-size or fewer --workers"
        ) from error


@contextmanager
def _writable(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{out}: cannot write there ({error.strerror}); name another folder with --out"
        ) from error


@contextmanager
def locked(folder: Path, wait: bool = False) -> Iterator[None]:
    """Hold `folder` against other processes; the system lets go of it where a process dies.

    Where another one holds it: raises OutputError, or waits for it.
    """
    path = folder / _LOCK
    with _writable(folder):
        folder.mkdir(parents=True, exist_ok=True)
    while True:
        with _writable(folder):
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except OSError as error:
            os.close(handle)
            raise OutputError(
                f"{folder}: another run is writing there; wait for it, or name another folder with --out"
            ) from error
        if _is(path, handle):
            break
        os.close(handle)  # whoever held it before took the file away meanwhile
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


def _is(path: Path, handle: int) -> bool:
    """Whether an open file still has this name; looked at once, as others may take it away at any time."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def settle(file: Path) -> None:
    """Have all of a file on the disk. Raises OSError."""
    with file.open("rb") as written:
        os.fsync(written.fileno())


def publish(folder: Path, out: Path) -> None:
    """While files are being replaced there is no run.json, so a mixture never looks complete; and all of them
    are on the disk before they have their names, so neither does what a power cut leaves.
    """
    files = sorted(
        (p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")),
        key=lambda p: (p.name == RUN_FILE, p.name),
    )
    for file in files:
        settle(file)
    (out / RUN_FILE).unlink(missing_ok=True)
    for old in out.glob("finding-*.png"):  # there may be fewer now
        old.unlink()
    for file in files:
        file.replace(out / file.name)


def _remove_empty(folder: Path, stop: Path) -> None:
    """Folders that a failed run made and left empty."""
    while folder != stop and folder.exists() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
