"""Data that lies beside the repository and never in it: real pairs, and the yardsticks of speed."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.machine import REPO


class MissingDataError(Exception):
    """Data that a benchmark needs is not on this machine."""


def shared(name: str) -> Path:
    """A folder of the shared data: under $GROUNDBREAK_SHARED, else ../shared. Raises MissingDataError."""
    root = Path(os.environ.get("GROUNDBREAK_SHARED") or REPO.parent / "shared")
    if not (root / name).is_dir():
        raise MissingDataError(
            f"needs the folder {name} of ../shared; name its place with GROUNDBREAK_SHARED"
        )
    return (root / name).resolve()
