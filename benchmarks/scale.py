"""Time, memory and accuracy on large scenes, against the least that any tool can take on the same machine.

The floor (read both images, write one mask) is run right before every measurement, so that ratios hold on a
machine that is busy or slow.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from matplotlib.figure import Figure

from benchmarks.command import Measured, groundbreak, python
from benchmarks.machine import REPO
from benchmarks.options import Options
from benchmarks.report import Row, Table
from benchmarks.shared import shared

TITLE = "time, memory and residual on large scenes"
COMMANDS = ("align", "compare")
PLOT = REPO / "benchmarks" / "growth.svg"
_NOTES = (
    "`x floor`: against the floor run right before, the median of the repeats. Memory is the largest sum "
    "over all processes, Python included. Residual: error of shift.tif against the known field, clouds "
    "included.",
    "Others on these scenes, by the floor of their own machine (PEERS.md beside make_scene.py): local shifts "
    "by AROSICS 21 x floor at 1024 px and 145 x at 4096, RMSE 0.40 and 0.21 px; a plain script for the whole "
    "job 11 x and 53 x, with 5 x the floor's memory.",
)


def tables(options: Options) -> list[Table]:
    """By size, with the defaults."""
    bench = shared("bench")
    sizes = (1024,) if options.quick else (1024, 4096, *([10980] if options.large else []))
    by_size = [
        row(bench, options.scratch, size, command, (), 1 if options.quick else 3)
        for size in sizes
        for command in COMMANDS
    ]
    if not options.quick:
        plot(by_size, PLOT)
    return [Table("By size, defaults", by_size, [*_NOTES, f"![By size]({PLOT.name})"])]


def plot(rows: Sequence[Row], path: Path) -> None:
    """Time a pixel and memory by size, a line a command."""
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    for axes, column, title in zip(
        figure.subplots(1, 2),
        ("us a px", "peak MB"),
        ("microseconds a pixel", "peak memory, MB"),
        strict=True,
    ):
        for command in COMMANDS:
            of = [row for row in rows if row["command"] == command]
            axes.plot([row["px"] for row in of], [row[column] for row in of], marker="o", label=command)
        axes.set(title=title, xlabel="pixels a side", xscale="log", ylim=(0, None))
        axes.set_xticks([row["px"] for row in of], [str(row["px"]) for row in of])
        axes.minorticks_off()
        axes.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})


def row(bench: Path, scratch: Path, size: int, command: str, extra: tuple[str, ...], repeats: int) -> Row:
    """A command's figures on a scene: the medians of so many runs, each beside a run of the floor."""
    folder = scene(bench, size)
    out = scratch / "result"
    floors, runs = [], []
    for _ in range(repeats):
        floors.append(python(bench / "floor.py", str(size), folder))
        runs.append(_once(command, folder, size, extra, out))
    residual = json.loads(python(bench / "residual.py", str(size), out).stdout)
    return {
        "px": size,
        "command": " ".join((command, *extra)),
        "s": _middle(runs, "seconds"),
        "x floor": median(run.seconds / floor.seconds for run, floor in zip(runs, floors, strict=True)),
        "us a px": _middle(runs, "seconds") / size**2 * 1e6,
        "peak MB": round(_middle(runs, "peak_mb")),
        "x floor's": _middle(runs, "peak_mb") / _middle(floors, "peak_mb"),
        "median px": residual["median_px"],
        "RMSE px": residual["rmse_px"],
        "unknown": residual["unknown"],
    }


def _once(command: str, scene: Path, size: int, extra: tuple[str, ...], out: Path) -> Measured:
    shutil.rmtree(out, ignore_errors=True)
    images = (scene / f"before_{size}.tif", scene / f"after_{size}.tif")
    done = groundbreak(command, *images, "--bands", "blue,green,red,nir", "--out", out, "--quiet", *extra)
    if done.status:
        raise RuntimeError(f"{command} at {size} px: {done.reason}")
    return done


def scene(bench: Path, size: int) -> Path:
    """Made once a machine, in a cache folder."""
    folder = Path(tempfile.gettempdir()) / "groundbreak-bench"
    if not (folder / f"invalid_{size}.tif").exists():
        folder.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as partial:
            python(bench / "make_scene.py", str(size), partial)
            for name in ("before", "after", "truth", "invalid"):
                (Path(partial) / f"{name}_{size}.tif").replace(folder / f"{name}_{size}.tif")
    return folder


def _middle(runs: Sequence[Measured], what: str) -> float:
    return float(median(getattr(run, what) for run in runs))
