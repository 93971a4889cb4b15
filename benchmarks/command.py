"""Run a command as a user would, and measure it from outside: wall time, and memory with all its children."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.machine import REPO

_EVERY = 0.1  # seconds between two looks at memory, each of which takes milliseconds of a core


@dataclass(frozen=True)
class Measured:
    """A finished command. `peak_mb`: the largest sum of resident memory over its processes, in MB of 10^6."""

    status: int
    seconds: float
    peak_mb: float
    stdout: str
    stderr: str

    @property
    def reason(self) -> str:
        """The last line on standard error: why it failed."""
        return (self.stderr.strip().splitlines() or ["no message"])[-1].removeprefix("groundbreak: error: ")


def environment() -> dict[str, str]:
    """This checkout, wherever a command is started; PAM would leave .aux.xml beside images that are read."""
    return os.environ | {"PYTHONPATH": str(REPO), "GDAL_PAM_ENABLED": "NO"}


def measure(*command: str | Path) -> Measured:
    """Run to the end, whatever the exit status; a start of Python is part of the time."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        start = time.perf_counter()
        process = psutil.Popen(
            [str(word) for word in command], stdout=out, stderr=err, cwd=REPO, env=environment()
        )
        peak = 0
        while True:
            peak = max(peak, _resident(process))
            try:
                status = int(process.wait(_EVERY))
                break
            except psutil.TimeoutExpired:
                continue
        seconds = time.perf_counter() - start
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read())
    return Measured(status, seconds, peak / 1e6, texts[0], texts[1])


def groundbreak(*words: str | Path) -> Measured:
    """The command `groundbreak` of this checkout."""
    return measure(sys.executable, "-m", "pipeline", *words)


def python(script: Path, *words: str | Path) -> Measured:
    """A script in this Python. Raises RuntimeError where it fails."""
    done = measure(sys.executable, script, *words)
    if done.status:
        raise RuntimeError(f"{script.name}: {done.reason}")
    return done


def _resident(process: psutil.Popen) -> int:
    total = 0
    try:
        for one in (process, *process.children(recursive=True)):
            try:
                total += one.memory_info().rss
            except psutil.Error:
                continue  # it ended between the two looks
    except psutil.Error:
        pass
    return total
