"""Where and on what a figure was measured: words for a reader, no names or paths of the machine."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil
import rasterio

REPO = Path(__file__).parents[1]
LIBRARIES = ("numpy", "scipy", "dask", "rasterio", "odc-geo", "scikit-image")


def provenance() -> str:
    """Date, commit, machine and library versions, as one line."""
    cores = psutil.cpu_count() or 1
    memory = psutil.virtual_memory().total / 2**30
    load = os.getloadavg()[0] / cores
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {_commit()}; {platform.system()} {platform.machine()}, "
        f"{cores} cores, {memory:.0f} GiB memory, busy {load:.1f} times over at the start; "
        f"Python {platform.python_version()}, {libraries}, GDAL {rasterio.__gdal_version__}."
    )


def _commit() -> str:
    try:
        head = _git("rev-parse", "--short", "HEAD")
        changed = _git("status", "--porcelain", "--", "pipeline", "configs", "sample_tiles")
    except (OSError, subprocess.CalledProcessError):
        return "no git checkout"
    return f"commit {head}{' with changes not committed' if changed else ''}"


def _git(*words: str) -> str:
    done = subprocess.run(["git", "-C", str(REPO), *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()
