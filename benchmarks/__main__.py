"""Measure accuracy and speed, and write the figures to RESULTS.md.

usage: python -m benchmarks [NAME ...] [--quick] [--large] [--scratch DIR] [--cycles N]

A benchmark is a module of this package with `TITLE` and `tables(options)`, entered in BENCHMARKS.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path

from benchmarks.machine import REPO, provenance
from benchmarks.options import Options
from benchmarks.report import Table, write_section
from benchmarks.shared import MissingDataError

BENCHMARKS = (
    "samples",
    "conditions",
    "real",
    "oscd",
    "cost",
    "start",
    "alignment",
    "radiometry",
    "screen",
    "series",
    "another_date",
    "scale",
    "workers",
    "equal",
    "kills",
    "batch",
    "page",
    "soak",
    "peers",
)
RESULTS = REPO / "benchmarks" / "RESULTS.md"


def main() -> int:
    """Exit status 0, or 1 where something that must hold does not."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure accuracy and speed.")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"{', '.join(BENCHMARKS)}; all when none is named"
    )
    parser.add_argument("--quick", action="store_true", help="fewer and smaller cases, to see that it runs")
    parser.add_argument(
        "--large",
        action="store_true",
        help="a whole Sentinel-2 tile (scale, workers), all pairs of dates (real) too",
    )
    parser.add_argument("--scratch", type=Path, metavar="DIR", help="keep the results that are scored, here")
    parser.add_argument("--cycles", type=int, metavar="N", help="of soak, instead of 200")
    given = parser.parse_args()
    for name in given.names:
        if name not in BENCHMARKS:
            parser.error(f"no benchmark {name!r}; there are {', '.join(BENCHMARKS)}")
    failures = []
    for name in given.names or BENCHMARKS:
        with nullcontext(given.scratch) if given.scratch else tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch).absolute() / name
            folder.mkdir(parents=True, exist_ok=True)
            failures += _run(name, Options(folder, given.quick, given.large, given.cycles))
    for text in failures:
        print(f"FAILED: {text}", file=sys.stderr)
    return 1 if failures else 0


def _run(name: str, options: Options) -> list[str]:
    """Run one benchmark and write its section; what failed."""
    module = import_module(f"benchmarks.{name}")
    about = provenance() + (" Quick: fewer and smaller cases." if options.quick else "")
    print(f"{name}: {module.TITLE}", file=sys.stderr, flush=True)
    try:
        tables: list[Table] = module.tables(options)
    except MissingDataError as missing:
        print(f"{name}: left out, {missing}", file=sys.stderr)
        return []
    write_section(RESULTS, name, module.TITLE, about, tables, BENCHMARKS)
    for table in tables:
        print(table.markdown())
    return [f"{name}: {text}" for table in tables for text in table.failures]


if __name__ == "__main__":
    sys.exit(main())
