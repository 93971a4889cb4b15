"""A result appears in its folder only when all of it is there."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import OutputError
from pipeline.outputs.provenance import RUN_FILE


@contextmanager
def staging(out: Path) -> Iterator[Path]:
    """A hidden folder in `out` to build the result in; moved into place at the end, run.json last, or
    removed.
    """
    try:
        first = next(p for p in (out, *out.parents) if p.exists())
        out.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".groundbreak-", dir=out))
    except OSError as error:
        raise OutputError(
            f"{out}: cannot write there ({error.strerror}); name another folder with --out"
        ) from error
    try:
        yield folder
        publish(folder, out)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _remove_empty(out, first)


def publish(folder: Path, out: Path) -> None:
    """While files are being replaced there is no run.json, so a mixture never looks complete."""
    (out / RUN_FILE).unlink(missing_ok=True)
    for file in sorted(
        (p for p in folder.iterdir() if p.is_file()), key=lambda p: (p.name == RUN_FILE, p.name)
    ):
        file.replace(out / file.name)


def _remove_empty(folder: Path, stop: Path) -> None:
    """Folders that a failed run made and left empty."""
    while folder != stop and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
