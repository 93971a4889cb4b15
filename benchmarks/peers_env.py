"""The peers' own virtual environment: AROSICS, scikit-image and OpenCV are no dependency of Groundbreak.

AROSICS needs GDAL's Python bindings, built against the GDAL of the system and so of the very same version. On
Debian 12: `apt-get install libgdal-dev g++` gives 3.6.2. The bindings are built first, with NumPy at hand, so
that they can exchange arrays; every later step is held to that version, as AROSICS would take the newest.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.machine import REPO
from benchmarks.shared import MissingDataError

FOLDER = REPO / ".venv-peers"
PEERS = ("arosics==1.12.1", "scikit-image==0.26.0", "opencv-python-headless==5.0.0.93")
_BUILD = ("numpy", "setuptools>=77", "wheel")


def peers_python() -> Path:
    """The Python of the environment, made when it is not there. Raises MissingDataError."""
    python = FOLDER / "bin" / "python"
    done = FOLDER / ".installed"
    if done.is_file() and done.read_text(encoding="utf-8") == "\n".join(PEERS):
        return python
    gdal = _gdal()
    held = FOLDER / "constraints.txt"
    _run("make", sys.executable, "-m", "venv", "--clear", str(FOLDER))
    held.write_text(f"GDAL=={gdal}\n", encoding="utf-8")
    pip = (str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    _run("prepare", *pip, *_BUILD)
    _run("build GDAL for", *pip, "--no-build-isolation", "--no-cache-dir", f"GDAL=={gdal}")
    _run("check GDAL in", str(python), "-c", "import osgeo.gdal_array")
    _run("fill", *pip, "--constraint", str(held), *PEERS)
    done.write_text("\n".join(PEERS), encoding="utf-8")
    return python


def _gdal() -> str:
    """Version of the system's GDAL."""
    try:
        return subprocess.run(
            ["gdal-config", "--version"], capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        raise MissingDataError(
            "AROSICS needs the GDAL of the system with its headers: apt-get install libgdal-dev g++"
        ) from None


def _run(what: str, *command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise MissingDataError(f"could not {what} the peers' environment {FOLDER.name}: {last}")
