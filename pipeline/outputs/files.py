"""Files that appear under their name only when they are whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rasterio._err import CPLE_BaseError
from rasterio.errors import RasterioError

from pipeline.errors import OutputError

_FULL = 64 * 1024  # bytes; where less is free, that is why GDAL could not write, which does not say so


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Whatever writes `path` inside, be it Python or GDAL: a full disk, a read-only folder, a broken drive.

    Raises OutputError.
    """
    try:
        yield
    except (OSError, RasterioError, CPLE_BaseError) as error:
        raise OutputError(
            f"{path}: cannot be written ({_reason(path, error)}); free it or choose another --out"
        ) from error


def _reason(path: Path, error: Exception) -> str:
    if getattr(error, "strerror", None):
        return str(error.strerror)  # type: ignore[attr-defined]
    with suppress(OSError):
        if shutil.disk_usage(path.parent).free < _FULL:
            return "No space left on device"
    return " ".join(str(error).split()) or type(error).__name__


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`; on success it takes the place of `path`, on failure it goes.

    The temporary name keeps the suffix, since some writers choose their format by it.
    Raises OutputError where the folder cannot be written to.
    """
    part = path.with_name(f".part-{os.getpid()}-{path.name}")
    try:
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield part
            part.replace(path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text with Unix line ends, whole or not at all."""
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")
