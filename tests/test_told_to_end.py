"""SIGTERM and SIGINT: the command ends within seconds, says so, and the next one goes on from there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from jobs import SAME_BYTES, checksums, compare

from pipeline.verify import verify

BLOCKS = ("--detector", "classic", "--chunk-size", "64")
SECONDS = 20.0  # of patience with a machine that does other things too


def start(tiny: Path, out: Path, *options: str) -> subprocess.Popen[str]:
    """A run in small blocks, as a process of its own."""
    words = ["compare", str(tiny / "before"), str(tiny / "after"), "--out", str(out), *BLOCKS]
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline", *words, "--quiet", *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )  # fmt: skip


@pytest.mark.parametrize(("number", "options"), [(signal.SIGTERM, ()), (signal.SIGINT, ("--workers", "1"))])
def test_a_run_that_is_told_to_end(
    tiny: Path, tiny_result: Path, tmp_path: Path, number: signal.Signals, options: tuple[str, ...]
) -> None:
    out = tmp_path / "out"
    process = start(tiny, out, *options)
    while not list(out.glob(".groundbreak-*/blocks-*")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(number)
    told = time.monotonic()
    _, said = process.communicate(timeout=SECONDS)
    assert time.monotonic() - told < SECONDS
    assert process.returncode == 128 + number
    assert said.splitlines()[-1] == "groundbreak: stopped; the same command goes on from here"
    assert "Traceback" not in said
    assert [path.name[:13] for path in out.iterdir()] == [".groundbreak-"]
    compare(tiny / "before", tiny / "after", out, *BLOCKS)
    (verdict,) = verify(str(out))
    assert verdict.ok
    assert checksums(out, SAME_BYTES) == checksums(tiny_result, SAME_BYTES)
