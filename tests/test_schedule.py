"""Work on a schedule: when it is due, and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pipeline.errors import StoppedError
from pipeline.outputs.staging import staging
from pipeline.schedule import ended_by_signals, interval_s, next_due, repeat


@pytest.mark.parametrize(("text", "seconds"), [("30m", 1800), ("6h", 21600), ("1d", 86400), (" 2h ", 7200)])
def test_intervals(text: str, seconds: int) -> None:
    assert interval_s(text) == seconds


@pytest.mark.parametrize("text", ["", "6", "h", "0h", "-1h", "1.5h", "6 hours", "10s", "1h30m"])
def test_what_is_no_interval(text: str) -> None:
    with pytest.raises(ValueError, match="30m, 6h or 1d"):
        interval_s(text)


@pytest.mark.parametrize(
    ("now", "due"), [(100, 110), (103, 110), (109.9, 110), (110, 120), (125, 130), (99, 110)]
)
def test_the_schedule_neither_drifts_nor_catches_up(now: float, due: float) -> None:
    assert next_due(100, now, 10) == due


def test_rounds_follow_each_other_until_a_signal() -> None:
    rounds: list[float] = []

    def work() -> None:
        rounds.append(time.monotonic())
        if len(rounds) == 3:
            threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGTERM)).start()

    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with pytest.raises(StoppedError, match="signal 15"), ended_by_signals():
        repeat(work, 0.05)
    assert len(rounds) == 3
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_a_signal_breaks_work_off_and_keeps_what_is_done(tmp_path: Path) -> None:
    def work() -> None:
        with staging(tmp_path / "result", "0" * 64) as folder:
            (folder / "block").touch()
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(10)

    start = time.monotonic()
    with pytest.raises(StoppedError), ended_by_signals():
        repeat(work, 0.05)
    assert time.monotonic() - start < 5
    assert [path.name for path in (tmp_path / "result").rglob("block")] == ["block"]


def test_being_told_to_end_is_taken_for_no_fault() -> None:
    assert not issubclass(StoppedError, Exception)


def test_monitor_every_ends_on_sigterm_with_the_state_kept(tmp_path: Path) -> None:
    (tmp_path / "yard.yaml").write_text("id: yard\nsource:\n  files: none/{date}/*.tif\n")
    words = [sys.executable, "-m", "pipeline", "monitor", str(tmp_path / "yard.yaml"), "--every", "1d"]
    process = subprocess.Popen(
        [*words, "--out", str(tmp_path / "out")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    first = ""
    while "1 failed" not in first:  # the round is over, and the next is a day away
        line = process.stdout.readline()
        assert line, process.communicate()
        first += line
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "two dates with images are needed" in told
    assert told.rstrip().endswith("stopped; the same command goes on from here")
