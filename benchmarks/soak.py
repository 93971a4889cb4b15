"""Months of nights in one sitting: a monitor among killed processes, broken files, failing servers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, Self

import numpy as np

from benchmarks.command import environment
from benchmarks.machine import REPO
from benchmarks.options import Options
from benchmarks.report import Row, Table
from benchmarks.soak_world import SEED, Place, Server, make_world
from pipeline.simulate.series import monthly
from pipeline.verify import verify

TITLE = "a monitor among faults, night after night"
SITES, CYCLES, DATES = 20, 200, 4
FILES = ("timeline.geojson", "timeline.csv", "phases.csv", "zones.csv")
_WARM = 0.5  # share of the cycles after which every date has come, and memory and handles must be flat
_MORE_MB, _MORE_HANDLES = 100.0, 10


def tables(options: Options) -> list[Table]:
    """All cycles, and what it came to beside a run without faults."""
    cycles = options.cycles or (20 if options.quick else CYCLES)
    places, server, files = make_world(options.scratch, 4 if options.quick else SITES, monthly(DATES))
    faults: Counter[str] = Counter()
    told: list[dict[str, float]] = []
    rng = np.random.default_rng(SEED)
    with Loop(files, options.scratch / "out") as loop:
        for cycle in range(cycles):
            happen(cycle / cycles, places, server, rng, faults)
            if rng.random() < 0.08:
                faults["processes killed"] += kill_one(files, options.scratch / "out", rng)
            told.append(loop.cycle())
            if cycle % 10 == 9:
                print(f"  soak: {cycle + 1} of {cycles}, {told[-1]}", file=sys.stderr, flush=True)
        calm(places, server)
        told.append(loop.cycle())
        told.append(loop.cycle())
    faults["requests failed"] = server.failed
    with Loop(files, options.scratch / "calm") as loop:
        whole = loop.cycle()
    wrong = differing(options.scratch, places) + unlike(told[-1], whole)
    return [_summary(places, told, faults, wrong), _memory(told)]


def happen(
    share: float, places: list[Place], server: Server, rng: np.random.Generator, faults: Counter[str]
) -> None:
    """What befalls the world before a cycle; most dates have come by half of all cycles."""
    due = min(share / (0.8 * _WARM), 1.0) * DATES
    for place in places:
        if rng.random() < 0.4:
            place.heal()
        while place.come < min(2, DATES) or (place.come < due and rng.random() < 0.5):
            place.deliver()
            faults["dates come"] += 1
        if rng.random() < 0.05:
            before = len(place.broken)
            place.spoil(rng)
            faults["images broken"] += len(place.broken) - before
    server.failing = float(rng.choice((0.0, 0.0, 0.0, 0.3, 1.0)))


def calm(places: list[Place], server: Server) -> None:
    """No faults any more, and all dates there."""
    server.failing = 0.0
    for place in places:
        place.heal()
        while place.come < DATES:
            place.deliver()


class Loop:
    """The process that does one round after the other."""

    def __init__(self, files: Path, out: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.soak_loop", str(files), str(out)],
            cwd=REPO, env=_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def cycle(self) -> dict[str, float]:
        """One round, and what it told. Raises RuntimeError where the process died."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the monitor ended with status {self._process.wait()}")
        told: dict[str, float] = json.loads(line)
        return told

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.wait()


def kill_one(files: Path, out: Path, rng: np.random.Generator) -> int:
    """Another monitor of the same sites, killed at some moment; 1."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "monitor", str(files), "--out", str(out), "--quiet"],
        cwd=REPO, env=_environment(), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    time.sleep(float(rng.uniform(1, 10)))
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return 1


def _environment() -> dict[str, str]:
    patience = {"GDAL_HTTP_MAX_RETRY": "0", "GDAL_HTTP_RETRY_DELAY": "0.01"}
    return environment() | patience | {"GROUNDBREAK_ALLOW_HOSTS": "127.0.0.1"}


def differing(scratch: Path, places: list[Place]) -> list[str]:
    """Files of timelines that are not those of the run without faults; results that are not whole."""
    wrong = []
    for place in places:
        for name in FILES:
            ended, expected = (_content(scratch / out / place.name / name) for out in ("out", "calm"))
            if ended != expected:
                wrong.append(f"{place.name}/{name} is not as without faults")
        results = scratch / "out" / place.name
        for verdict in verify(str(results)) if any(results.glob("*/run.json")) else ():
            current = (scratch / "calm" / place.name / Path(verdict.result).name).is_dir()
            wrong += [f"{verdict.result}: {problem}" for problem in verdict.problems if current]
    return wrong


def _content(path: Path) -> bytes | None:
    """None of a file that is not there, as a timeline where no two dates show enough."""
    return path.read_bytes() if path.is_file() else None


def unlike(last: dict[str, float], whole: dict[str, float]) -> list[str]:
    """The last cycle skips what it has, and has what a run without faults makes."""
    had, made = last.get("skipped", 0), whole.get("done", 0)
    alike = all(last.get(name, 0) == whole.get(name, 0) for name in ("refused", "failed"))
    if had != made or last.get("done") or not alike:
        return [f"the last cycle ended in {last}, a run without faults in {whole}"]
    return []


def _summary(
    places: list[Place], told: list[dict[str, float]], faults: Counter[str], wrong: list[str]
) -> Table:
    comparisons = sum(int(one.get("done", 0)) for one in told)
    rows: list[Row] = [
        {"what": "sites", "count": len(places)},
        {"what": "cycles", "count": len(told)},
        {"what": "comparisons done", "count": comparisons},
        {"what": "outcomes failed meanwhile", "count": sum(int(one.get("failed", 0)) for one in told)},
        *({"what": name, "count": count} for name, count in sorted(faults.items())),
        {"what": "files of timelines that differ from a run without faults", "count": len(wrong)},
    ]
    note = (
        "Sites of 96 x 96 px, half of them read from a server on loopback. Dates come in random order."
        " The last two cycles are without faults."
    )
    return Table(f"{len(told)} cycles over {len(places)} sites", rows, [note], wrong)


def _memory(told: list[dict[str, float]]) -> Table:
    """Of the process that lived through all cycles."""
    warm = told[int(_WARM * len(told)) :]
    fifth = max(len(warm) // 5, 1)
    first, last = warm[:fifth], warm[-fifth:]
    rows: list[Row] = [
        {"when": when, **{name: float(np.median([one[name] for one in part])) for name in _MEASURED}}
        for when, part in (("at first", told[:fifth]), ("once warm", first), ("in the end", last))
    ]
    peak: dict[str, Any] = {name: max(one[name] for one in told) for name in _MEASURED}
    rows.append({"when": "most", **peak})
    grown = float(rows[2]["rss_mb"]) - float(rows[1]["rss_mb"])  # type: ignore[arg-type]
    more = float(rows[2]["handles"]) - float(rows[1]["handles"])  # type: ignore[arg-type]
    failures = [f"memory grew by {grown:.0f} MB"] if grown > _MORE_MB else []
    failures += [f"{more:.0f} handles more"] if more > _MORE_HANDLES else []
    note = f"Medians over {fifth} cycles each; warm: after half of all."
    return Table("Memory and handles of one process over all cycles", rows, [note], failures)


_MEASURED = ("rss_mb", "handles", "threads")
