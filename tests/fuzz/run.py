"""Read many inputs that are nearly right, and report those that do harm: python tests/fuzz/run.py [KIND ...]

Each process of a pool reads one after another. It may take 10 seconds of processor time for one and 1 GB of
memory more than it began with; one that takes more, or crashes, dies, and another one goes on after it.
Inputs that do harm are written to --keep, to be looked at and moved to tests/fuzz/found.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import resource
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from kinds import KINDS, Kind

SECONDS = 10  # of processor time for one input
MEMORY = 10**9  # bytes
_WALL = 300  # seconds after which a process that does nothing is given up, too


@dataclass(frozen=True)
class Harm:
    """An input that was neither read nor refused, and what happened instead."""

    number: int
    what: str


@dataclass
class Report:
    """What became of many inputs."""

    read: int = 0
    refused: int = 0
    slowest: float = 0.0  # seconds of processor time
    peak_mb: float = 0.0
    harms: list[Harm] = field(default_factory=list)


def fuzz(name: str, numbers: Sequence[int]) -> Report:
    """Try all inputs of a kind with these numbers, in child processes one after another."""
    kind, report, left = KINDS[name], Report(), list(numbers)
    while left:
        for told in _child(kind, left):
            if "begun" in told:
                left = [number for number in left if number != told["begun"]]
                current = told["begun"]
            elif "harm" in told:
                report.harms.append(Harm(current, told["harm"]))
            else:
                report.read += told["read"]
                report.refused += not told["read"]
                report.slowest = max(report.slowest, told["seconds"])
                report.peak_mb = max(report.peak_mb, told["peak_mb"])
    return report


def _child(kind: Kind, numbers: Sequence[int]) -> Iterator[dict[str, Any]]:
    """What a child says of each input; last of all how it died, if it did."""
    reads, writes = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reads)
        _try_all(kind, numbers, writes)
    os.close(writes)
    begun = False
    with os.fdopen(reads, encoding="utf-8") as lines:
        for line in lines:
            told = json.loads(line)
            begun = "begun" in told
            yield told
    _, status = os.waitpid(pid, 0)
    if begun:
        how = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else f"exit {status >> 8}"
        slow = (
            f"took more than {SECONDS} s" if how in {"SIGPROF", "SIGALRM"} else f"the process died of {how}"
        )
        yield {"harm": slow}


def _try_all(kind: Kind, numbers: Sequence[int], writes: int) -> None:
    """In the child, which ends here."""
    _limit()

    def tell(**told: object) -> None:
        os.write(writes, (json.dumps(told) + "\n").encode())

    with TemporaryDirectory() as folder:
        for number in numbers:
            tell(begun=number)
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            signal.setitimer(signal.ITIMER_REAL, _WALL)
            start = time.process_time()
            try:
                read = kind.try_out(kind.input(number), Path(folder))
            except BaseException as error:
                tell(harm=_told(error))
                continue
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
            tell(read=read, seconds=time.process_time() - start, peak_mb=peak)
    os._exit(0)


def _told(error: BaseException) -> str:
    """The error, and the last places of ours on the way to it."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "pipeline" in frame.filename]
    places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames[-4:]]
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]} ({' > '.join(places)})"


def _limit() -> None:
    for number in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    logging.disable()
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)  # GDAL's own words


def quiet() -> None:
    """No network, and no second try: of a file that is spoilt there is nothing to wait for."""
    from pipeline.scenes import opening

    opening.PAUSES = ()
    os.environ |= {"GDAL_HTTP_PROXY": "127.0.0.1:9", "GDAL_HTTP_MAX_RETRY": "0"}


def main() -> int:
    """Exit status 1 where an input did harm."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "kinds", nargs="*", metavar="KIND", help=f"{', '.join(KINDS)}; all when none is named"
    )
    parser.add_argument("--inputs", type=int, default=10_000, metavar="N", help="of each kind")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="the number of the first one")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, metavar="N")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-found"), metavar="DIR")
    given = parser.parse_args()
    quiet()
    harmed = False
    for name in given.kinds or KINDS:
        kind = KINDS[name]
        numbers = range(given.first, given.first + given.inputs)
        shares = [numbers[share :: given.processes] for share in range(given.processes)]
        with get_context("fork").Pool(given.processes) as pool:
            reports = pool.starmap(fuzz, [(name, share) for share in shares])
        harms = [harm for report in reports for harm in report.harms]
        print(
            f"{name}: {sum(r.read for r in reports)} read, {sum(r.refused for r in reports)} refused,"
            f" {len(harms)} did harm; slowest {max(r.slowest for r in reports):.2f} s,"
            f" at most {max(r.peak_mb for r in reports):.0f} MB"
        )
        for harm in harms:
            given.keep.mkdir(parents=True, exist_ok=True)
            (given.keep / f"{name}-{harm.number}").write_bytes(kind.input(harm.number))
            print(f"--- {name} {harm.number}: {harm.what}")
        harmed |= bool(harms)
    return 1 if harmed else 0


if __name__ == "__main__":
    sys.exit(main())
