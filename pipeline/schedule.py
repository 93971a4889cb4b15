"""Work that is done again and again on a steady schedule, until the process is told to end."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from pipeline.errors import StoppedError

_UNITS = {"m": 60, "h": 3600, "d": 86400}


def interval_s(text: str) -> int:
    """Seconds of an interval such as 30m, 6h or 1d. Raises ValueError."""
    match = re.fullmatch(r"([1-9]\d{0,5})([mhd])", text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no interval; write minutes, hours or days, as 30m, 6h or 1d")
    return int(match[1]) * _UNITS[match[2]]


def next_due(first: float, now: float, every: float) -> float:
    """The first moment after `now` of those that lie `every` seconds apart, counted from `first`: one that
    passed while work was being done is left out, and the schedule does not drift.
    """
    return first + every * (max(now - first, 0.0) // every + 1)


def repeat(work: Callable[[], None], every: float) -> None:
    """Do the work now and then every so many seconds, for ever: until an exception ends it."""
    first = time.monotonic()
    while True:
        work()
        time.sleep(next_due(first, now := time.monotonic(), every) - now)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGINT break off what is done inside, by StoppedError. For the main thread.

    Also as the first process of a container, where SIGTERM does nothing of itself.
    """

    def stop(number: int, _: FrameType | None) -> None:
        raise StoppedError(number)

    previous = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
