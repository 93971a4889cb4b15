"""What a command costs that has little to do: the CPU time of whole processes, imports and all."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.options import Options
from benchmarks.report import Table
from pipeline.simulate import PairStyle, simulate_pair

TITLE = "what a command costs that has little to do"
_SEED = 930_000
_NOTE = (
    "User and system time of a process of its own, the least and the most of the repeats; a first round,"
    " which compiles what is compiled, is not counted. `monitor`: two dates that were compared before."
)


def tables(options: Options) -> list[Table]:
    """From the lightest command to a whole comparison of two images of 512 px."""
    times = 2 if options.quick else 5
    site = _site(options.scratch)
    out = str(options.scratch / "out")
    pair = [str(options.scratch / "yard" / day) for day in ("2024-05-01", "2024-06-01")]
    commands = {
        "--version": ["--version"],
        "compare --help": ["compare", "--help"],
        "check": ["check", str(site)],
        "monitor, nothing new": ["monitor", str(site), "--out", out, "--quiet"],
        "compare": ["compare", *pair, "--out", str(options.scratch / "result"), "--quiet"],
    }
    rows = []
    for name, words in commands.items():
        _seconds(words)
        spent = sorted(_seconds(words) for _ in range(times))
        rows.append({"command": name, "repeats": times, "CPU s": spent[0], "most": spent[-1]})
    return [Table("CPU time of a process", rows, [_NOTE])]


def _site(folder: Path) -> Path:
    """A made site of two dates."""
    simulate_pair(folder / "made", _SEED, 512, style=PairStyle(works=("building", "road")))
    for side, day in (("before", "2024-05-01"), ("after", "2024-06-01")):
        shutil.copytree(folder / "made" / side, folder / "yard" / day, dirs_exist_ok=True)
    site = folder / "yard.yaml"
    site.write_text("id: yard\nname: Yard\nsource: {files: 'yard/{date}/*.tif'}\n", encoding="utf-8")
    return site


def _seconds(words: list[str]) -> float:
    """CPU time of a command, which must succeed."""
    before = _spent()
    subprocess.run([sys.executable, "-m", "pipeline", *words], check=True, capture_output=True)
    return _spent() - before


def _spent() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
