"""Small sites spread over processes: how much faster more of them are."""

from __future__ import annotations

import shutil

from benchmarks.batch import METRES, SIZE, write_sites
from benchmarks.command import groundbreak
from benchmarks.options import Options
from benchmarks.report import Row, Table

TITLE = "small sites spread over 1, 2 and 4 processes"
SITES = 60
_WORKERS = (1, 2, 4)


def tables(options: Options) -> list[Table]:
    """The same batch with more and more processes, each time from nothing."""
    count = 12 if options.quick else SITES
    folder, out = options.scratch / "sites", options.scratch / "results"
    write_sites(folder, count)
    rows: list[Row] = []
    failures = []
    for workers in _WORKERS:
        shutil.rmtree(out, ignore_errors=True)
        done = groundbreak("monitor", folder, "--out", out, "--workers", str(workers), "--quiet")
        failures += [f"{workers} workers: {done.reason}"] if done.status else []
        rows.append({"workers": workers, "s": done.seconds, "peak MB": round(done.peak_mb)})
    alone = float(str(rows[0]["s"]))
    rows = [{**row, "x faster": alone / float(str(row["s"]))} for row in rows]
    return [Table(f"{count} sites of {SIZE} px", rows, [_NOTE], failures)]


_NOTE = (
    f"Made pairs of {SIZE} x {SIZE} px of {METRES:g} m, the whole job each, report included; the start of"
    " Python and of the processes is part of the time."
)
