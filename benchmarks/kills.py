"""A run killed at random moments and started again: the same bytes, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import numpy as np

from benchmarks.command import environment, groundbreak
from benchmarks.machine import REPO
from benchmarks.options import Options
from benchmarks.report import Row, Table
from pipeline.simulate import PairStyle, simulate_pair

TITLE = "SIGKILL at random moments, each followed by a second start"
KILLS = 20
_SEED, _SIZE, _METRES = 930_500, 640, 0.5
_TOLD_WHEN = {"run.json", "report.html", "item.json"}  # these say when they were made


def tables(options: Options) -> list[Table]:
    """With threads, and with two local processes."""
    made = options.scratch / "made"
    simulate_pair(made, _SEED, _SIZE, _METRES, PairStyle(town="growing"))
    kills = 4 if options.quick else KILLS
    return [
        _killed(made, options.scratch / name, extra, kills, f"With {name}")
        for name, extra in (("threads", ()), ("two processes", ("--workers", "2")))
    ]


def _killed(made: Path, folder: Path, extra: tuple[str, ...], kills: int, title: str) -> Table:
    words: tuple[str | Path, ...] = (
        "compare",
        made / "before",
        made / "after",
        "--quiet",
        "--chunk-size",
        "512",
        *extra,
    )
    whole, runs = folder / "whole", []
    for _ in range(3):
        runs.append(groundbreak(*words, "--out", whole))
        if runs[-1].status:
            raise RuntimeError(runs[-1].reason)
    full, expected = max(run.seconds for run in runs), _contents(whole)
    rng = np.random.default_rng(_SEED)
    rows: list[Row] = []
    failures = []
    for number in range(kills):
        out = folder / str(number)
        after = float(rng.uniform(0, 1)) * min(run.seconds for run in runs)
        left = _kill((*words, "--out", out), after, out)
        again = groundbreak(*words, "--out", out)
        same = again.status == 0 and _contents(out) == expected
        rows.append({"killed after s": after, **left, "second start s": again.seconds, "the same": same})
        if not same:
            failures.append(
                f"kill {number} after {after:.1f} s: {again.reason or _difference(out, expected)}"
            )
    longest = max(float(str(row["second start s"])) for row in rows)
    notes = [
        f"A whole run took {min(r.seconds for r in runs):.1f} to {full:.1f} s; the longest second start"
        f" {longest:.1f} s. The same: bytes of all files but those that tell when they were made, and no"
        " other file in the folder, hidden ones included."
    ]
    return Table(title, rows, notes, failures)


def _kill(words: tuple[str | Path, ...], after: float, out: Path) -> Row:
    """Start a run in a session of its own, kill all of it, and tell what it left."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", *map(str, words)],
        cwd=REPO, env=environment(), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    time.sleep(after)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return {
        "blocks done": len(list(out.glob(".groundbreak-*/blocks-*/*.json"))),
        "files in place": len([path for path in out.glob("[!.]*") if path.is_file()]),
    }


def _contents(folder: Path) -> dict[str, str]:
    """Of every file below, hidden or not: its checksum, or that it is there."""
    return {
        str(path.relative_to(folder)): ""
        if path.name in _TOLD_WHEN
        else sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def _difference(out: Path, expected: dict[str, str]) -> str:
    found = _contents(out)
    names = sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))
    return f"not the same: {', '.join(names)}"
