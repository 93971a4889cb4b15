"""What a run tells the person who waits for it, and what each stage cost.

A `Progress` times the stages of one run at a time and measures their memory; how that is shown is up to the
subclass: nothing (`Progress` itself, for tests and `--quiet`), short lines (`PlainProgress`, for pipes and
logs; `LoggedProgress`, for `--verbose`), or a live bar (`RichProgress`, for a terminal). All of it goes to
standard error.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Self, TextIO

import psutil
from rich.console import Console
from rich.progress import (
    BarColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars
from rich.text import Text

SAMPLE_SECONDS = 0.5

log = logging.getLogger(__name__)


def resident_mb() -> float:
    """Memory held by this process and all that it started, in MB (10^6 bytes)."""
    process = psutil.Process()
    total = process.memory_info().rss
    for child in process.children(recursive=True):
        try:
            total += child.memory_info().rss
        except psutil.Error:  # it ended while being counted
            continue
    return total / 1e6


class PeakMemory:
    """Samples the memory of this process and its children; `mb` is the most seen since it was entered.

    Workers behind a `--scheduler` address are not this process's children and are not counted.
    """

    def __init__(self, interval: float = SAMPLE_SECONDS) -> None:
        self.mb = 0.0
        self._interval = interval
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self.mb = resident_mb()
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()
        self.mb = max(self.mb, resident_mb())

    def _watch(self) -> None:
        while not self._stop.wait(self._interval):
            self.mb = max(self.mb, resident_mb())


class Progress:
    """Times the stages of a run and shows nothing.

    `stages` holds, for the run begun last, {stage: {"seconds": s, "peak_mb": MB}} in the order they ended;
    a stage entered twice adds its seconds up.
    """

    def __init__(self) -> None:
        self.stages: dict[str, dict[str, float]] = {}

    def begin(self, title: str) -> None:
        """A new run starts: the costs of the one before are forgotten."""
        self.stages = {}
        self.note(title)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Work inside belongs to the stage `name`; its cost is kept only if it ends without an error."""
        self._started(name)
        start = time.perf_counter()
        try:
            with PeakMemory() as peak:
                yield
        except BaseException:
            self._left(name)
            raise
        cost = self.stages[name] = self._cost(name, time.perf_counter() - start, peak.mb)
        self._left(name)
        self._ended(name, cost["seconds"], cost["peak_mb"])

    def advance(self, done: int, total: int) -> None:
        """`done` of `total` parts of the stage under way are finished."""

    def note(self, text: str) -> None:
        """One line for the person."""

    def now(self) -> datetime:
        """The moment (UTC) that a result says it was made at."""
        return datetime.now(UTC)

    def _cost(self, name: str, seconds: float, peak_mb: float) -> dict[str, float]:
        """Of a stage so far, the part that has just ended added."""
        before = self.stages.get(name, {"seconds": 0.0, "peak_mb": 0.0})
        return {
            "seconds": round(before["seconds"] + seconds, 3),
            "peak_mb": round(max(before["peak_mb"], peak_mb), 1),
        }

    def _started(self, name: str) -> None: ...

    def _left(self, name: str) -> None: ...

    def _ended(self, name: str, seconds: float, peak_mb: float) -> None: ...


class Replay(Progress):
    """Tells the times of an earlier run, by its run.json, instead of its own: so that whatever is made again
    with them can be the same to the byte.
    """

    def __init__(self, created: str, stages: Mapping[str, Mapping[str, float]]) -> None:
        super().__init__()
        self._created, self._told = created, stages

    def now(self) -> datetime:
        return datetime.fromisoformat(self._created)

    def _cost(self, name: str, seconds: float, peak_mb: float) -> dict[str, float]:
        return dict(self._told[name]) if name in self._told else super()._cost(name, seconds, peak_mb)


class PartOf(Progress):
    """Some of the parts of a stage: `size` of `total`, after `before` others."""

    def __init__(self, whole: Progress, before: int, size: int, total: int) -> None:
        super().__init__()
        self._whole, self._before, self._size, self._total = whole, before, size, total

    def advance(self, done: int, total: int) -> None:
        self._whole.advance(self._before + self._size * done // max(total, 1), self._total)


class PlainProgress(Progress):
    """One short line when a stage ends: what a log or a pipe wants."""

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__()
        self._stream = stream or sys.stderr

    def note(self, text: str) -> None:
        print(text, file=self._stream, flush=True)

    def _ended(self, name: str, seconds: float, peak_mb: float) -> None:
        self.note(f"  {name}: {seconds:.1f} s, {peak_mb:.0f} MB")


class LoggedProgress(PlainProgress):
    """The same lines in the project's log, which gives each its time."""

    def note(self, text: str) -> None:
        log.info("%s", text.strip())


class _Left(TimeRemainingColumn):
    """How much is done, and the time that the rest will take, by the pace so far; nothing until both are
    known.
    """

    def render(self, task: Task) -> Text:
        """As `40 %, 0:01:10 left`."""
        if not task.total or task.time_remaining is None:
            return Text()
        return Text.assemble(f"{task.percentage:.0f} %, ", super().render(task), " left")


class RichProgress(Progress):
    """A bar for the stage under way, and a line for each that ended."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._bars: Bars | None = None
        self._task: TaskID | None = None

    def note(self, text: str) -> None:
        self._console.print(text, highlight=False, markup=False)

    def advance(self, done: int, total: int) -> None:
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, completed=done, total=total)

    def _started(self, name: str) -> None:
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            _Left(),
            TimeElapsedColumn(),
        )
        self._bars = Bars(*columns, console=self._console, transient=True)
        self._task = self._bars.add_task(name, total=None)
        self._bars.start()

    def _left(self, name: str) -> None:
        if self._bars is not None:
            self._bars.stop()
        self._bars = self._task = None

    def _ended(self, name: str, seconds: float, peak_mb: float) -> None:
        self._console.print(
            f"  [green]✓[/] {name} [dim]{seconds:.1f} s, {peak_mb:.0f} MB[/]", highlight=False
        )
