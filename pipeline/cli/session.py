"""What commands need around their work: progress, a scheduler, errors as one line, a result on stdout."""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import typer
from rich.console import Console, RenderableType

from pipeline.cli.usage import STOPPED
from pipeline.errors import GroundbreakError, StoppedError
from pipeline.progress import LoggedProgress, PlainProgress, Progress, RichProgress
from pipeline.schedule import ended_by_signals
from pipeline.secrecy import SecretiveFormatter, without_secrets

_BLAS = ("MKL_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""One thread within a library: Dask has one a core, and the last bits of matrix products hang on how many."""

PIPE_WIDTH = 140  # columns of a table that is not printed to a terminal


@contextmanager
def reporting(verbose: bool = False) -> Iterator[None]:
    """Turn what goes wrong inside into one line on standard error and exit status 1; Ctrl-C into 130."""
    log_to(PlainProgress(), verbose)
    try:
        yield
    except GroundbreakError as error:
        fail(str(error))
    except KeyboardInterrupt:
        print_to_stderr("groundbreak: stopped")
        raise typer.Exit(STOPPED) from None
    except (typer.Exit, typer.Abort, typer.BadParameter, BrokenPipeError):
        raise
    except Exception as error:
        if verbose:
            print(without_secrets(traceback.format_exc()), file=sys.stderr)
        what = " ".join(f"{type(error).__name__}: {error}".split())
        fail(f"this is a bug in Groundbreak: {what}; run again with --verbose for the traceback")


@contextmanager
def stoppable() -> Iterator[None]:
    """SIGTERM and SIGINT (Ctrl-C) end the command, exit status 143 and 130; what is done is kept."""
    try:
        with ended_by_signals():
            yield
    except StoppedError as stopped:
        leave(128 + stopped.number)


def leave(status: int) -> NoReturn:
    """End the process because it was told to, without waiting for what its threads are at."""
    print_to_stderr("groundbreak: stopped; the same command goes on from here")
    sys.stdout.flush()
    os._exit(status)


def fail(message: str) -> None:
    """The one line that a failed command leaves on standard error. Raises typer.Exit(1)."""
    print(f"groundbreak: error: {without_secrets(message)}", file=sys.stderr)
    raise typer.Exit(1)


@contextmanager
def computing(scheduler: str | None, workers: int, verbose: bool, quiet: bool) -> Iterator[Progress]:
    """`reporting`, with progress on standard error and the chosen Dask scheduler active; told to end, it does
    so at once.
    """
    with reporting(verbose), stoppable():
        os.environ.update(dict.fromkeys(_BLAS, "1"))  # before NumPy is loaded, which reads it once
        from pipeline.cluster import connect
        from pipeline.remote import share_endpoint

        share_endpoint()

        progress = make_progress(quiet, verbose)
        log_to(progress, verbose, quiet)
        with connect(scheduler, workers) as where:
            logging.getLogger("pipeline").debug("computing with %s", where)
            yield progress


def make_progress(quiet: bool, verbose: bool = False) -> Progress:
    """A bar on a terminal that can move one, short lines in a pipe or a log, nothing where that was asked
    for.
    """
    if verbose:
        return LoggedProgress()
    if quiet:
        return Progress()
    moving = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    return RichProgress(Console(stderr=True)) if moving else PlainProgress()


class _Lines(logging.Handler):
    """Log lines where progress is shown, so that they do not break a moving bar; without secrets."""

    def __init__(self, progress: Progress, every: bool) -> None:
        super().__init__()
        self._every, self._warned = every, set[tuple[str, str, str]]()
        self._say = progress.note if isinstance(progress, RichProgress) else print_to_stderr
        self.setFormatter(SecretiveFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))

    def filter(self, record: logging.LogRecord) -> bool:
        """Leave out a warning that differs but in its first part, the file: one says it for all."""
        if record.levelno != logging.WARNING or self._every:
            return True
        arguments = record.args[1:] if isinstance(record.args, tuple) else ()
        mark = (record.name, str(record.msg), str(arguments))
        new = mark not in self._warned
        self._warned.add(mark)
        return new

    def emit(self, record: logging.LogRecord) -> None:
        """A warning as an error looks: one line that names the program; the rest as a log has it."""
        try:
            said = self.format(record)
            if record.levelno == logging.WARNING and not self._every:
                said = f"groundbreak: warning: {without_secrets(record.getMessage())}"
            self._say(said)
        except Exception:  # as every handler of the standard library does: a log never fails the work
            self.handleError(record)


def print_to_stderr(text: str) -> None:
    """One line, at once."""
    print(text, file=sys.stderr, flush=True)


def log_to(progress: Progress, verbose: bool, quiet: bool = False) -> None:
    """The project's own log, from debug on where it was asked for; of everyone's, errors only."""
    logging.basicConfig(level=logging.ERROR, handlers=[_Lines(progress, verbose)], force=True)
    level = logging.DEBUG if verbose else logging.ERROR if quiet else logging.WARNING
    logging.getLogger("pipeline").setLevel(level)
    if not verbose:
        warnings.simplefilter("ignore")  # libraries' notes to programmers


def show(*parts: RenderableType) -> None:
    """Print tables and lines for people on standard output."""
    console = Console(highlight=False)
    if not sys.stdout.isatty():
        console.width = PIPE_WIDTH
    for part in parts:
        console.print(part, soft_wrap=isinstance(part, str), markup=False)


def near(place: str) -> str:
    """A path as short as it can be from here; jobs have absolute ones, as workers may run in any folder."""
    path = Path(place)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else place


def show_json(value: Any) -> None:
    """Print one JSON object on standard output."""
    from pipeline.outputs.provenance import plain

    print(json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False))
