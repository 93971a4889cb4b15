"""How the work is cut and spread: blocks of other sizes, and more and more processes."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.batch import METRES, SIZE, write_sites
from benchmarks.command import groundbreak
from benchmarks.options import Options
from benchmarks.report import Row, Table
from benchmarks.scale import COMMANDS, row
from benchmarks.shared import shared

TITLE = "how the work is cut and spread"
CHUNKS = (512, 1024, 2048)
WORKERS = (0, 1, 2, 4)
SITES = 60


def tables(options: Options) -> list[Table]:
    """One scene by chunk size, one by workers; and small sites spread over processes."""
    bench = shared("bench")
    size = 1024 if options.quick else 4096
    large = 10980 if options.large else size
    return [
        _varied(bench, options, size, "chunk size", [("--chunk-size", str(n)) for n in CHUNKS]),
        _beside_one(_varied(bench, options, large, "workers", [("--workers", str(n)) for n in WORKERS])),
        _sites(options.scratch / "sites", 12 if options.quick else SITES),
    ]


def _varied(bench: Path, options: Options, size: int, what: str, how: Sequence[tuple[str, ...]]) -> Table:
    rows = [row(bench, options.scratch, size, command, extra, 1) for command in COMMANDS for extra in how]
    return Table(f"By {what}, {size} px", rows)


def _beside_one(table: Table) -> Table:
    """With how many times faster each is than one worker process at the same command."""
    seconds = {str(row["command"]): float(str(row["s"])) for row in table.rows}
    rows: list[Row] = [
        {**row, "x faster": seconds[f"{name.split()[0]} --workers 1"] / seconds[name]}
        for row in table.rows
        for name in [str(row["command"])]
    ]
    return replace(
        table, rows=rows, notes=["`x faster`: than one worker process (0: threads of one process)."]
    )


def _sites(scratch: Path, count: int) -> Table:
    """The same batch with more and more processes, each time from nothing."""
    folder, out = scratch / "files", scratch / "results"
    write_sites(folder, count)
    rows: list[Row] = []
    failures = []
    for workers in WORKERS[1:]:
        shutil.rmtree(out, ignore_errors=True)
        done = groundbreak("monitor", folder, "--out", out, "--workers", str(workers), "--quiet")
        failures += [f"{workers} workers: {done.reason}"] if done.status else []
        rows.append({"workers": workers, "s": done.seconds, "peak MB": round(done.peak_mb)})
    alone = float(str(rows[0]["s"]))
    rows = [{**row, "x faster": alone / float(str(row["s"]))} for row in rows]
    return Table(f"{count} sites of {SIZE} px, by workers", rows, [_NOTE], failures)


_NOTE = (
    f"Made pairs of {SIZE} x {SIZE} px of {METRES:g} m, the whole job each, report included; the start of"
    " Python and of the processes is part of the time."
)
