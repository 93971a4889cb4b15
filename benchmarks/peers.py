"""Groundbreak beside what else one could align two images with, all in one run on the same made scenes.

Every tool is a process of its own, and its whole life counts: start of Python, reading, matching. None writes
an aligned image. The floor is run right before each. What a peer finds is written as a `shift.tif` outside
the measured time, so that one yardstick measures all.
"""

from __future__ import annotations

import json
import shutil
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator

from benchmarks.command import Measured, groundbreak, measure, python
from benchmarks.machine import REPO, provenance
from benchmarks.options import Options
from benchmarks.peer_tools import PIXEL, TOOLS
from benchmarks.peers_env import peers_python
from benchmarks.report import Row, Table
from benchmarks.scale import scene
from benchmarks.shared import shared

TITLE = "Groundbreak beside other tools"
LIMIT = 600.0  # seconds a tool may take
US = "groundbreak align"
PAGE = REPO / "docs" / "alignment.md"
BEGIN, END = "<!-- peers: begin -->", "<!-- peers: end -->"
CORNER = (399960.0, 6200040.0)  # of make_scene.py
RIM = 48  # pixels that residual.py leaves out
NEIGHBOURS = 200  # tie points that a thin-plate spline looks at, where there are more

Floats = NDArray[np.float64]
_NOTES = (
    f"Whole processes, one at a time, ended after {LIMIT:.0f} s. `x floor`: "
    "against reading both images and writing one mask, right before. Memory: the largest sum over all "
    "processes. Residual: against the known field, clouds included; with no shift at all it is 1.59 px.",
    "The tie points that AROSICS keeps are joined by a thin-plate spline. Peers match the red band: of "
    "the four the one that AROSICS does best on (at 1024 px, half the RMSE of its default, the first).",
)


def tables(options: Options) -> list[Table]:
    """A table a size; unless the run is a quick one, the page in docs/ gets them too."""
    bench, peers = shared("bench"), peers_python()
    sizes = (1024,) if options.quick else (1024, 4096, *([10980] if options.large else []))
    made = [
        Table(
            f"{size} x {size} px",
            [_row(bench, peers, options, size, tool) for tool in (US, *TOOLS)],
            _NOTES if size == sizes[-1] else (),
        )
        for size in sizes
    ]
    if not options.quick:
        _to_page(made)
    return made


def _row(bench: Path, peers: Path, options: Options, size: int, tool: str) -> Row:
    folder, out = scene(bench, size), options.scratch / "result"
    runs: list[Measured] = []
    floors: list[Measured] = []
    for _ in range(1 if options.quick or size > 1024 else 3):
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        floors.append(python(bench / "floor.py", str(size), folder))
        runs.append(_once(tool, peers, folder, size, out))
        if runs[-1].status:
            return {"tool": tool, "version": _failed(runs[-1])}
    if tool == US:
        name = version("groundbreak")
    else:
        found = json.loads((out / "found.json").read_text(encoding="utf-8"))
        name = found["version"]
        write_shift(out / "shift.tif", size, found)
    residual = json.loads(python(bench / "residual.py", str(size), out).stdout)
    return {
        "tool": tool,
        "version": name,
        "s": float(median(run.seconds for run in runs)),
        "x floor": float(median(r.seconds / f.seconds for r, f in zip(runs, floors, strict=True))),
        "peak MB": round(median(run.peak_mb for run in runs)),
        "median px": residual["median_px"],
        "RMSE px": residual["rmse_px"],
    }


def _once(tool: str, peers: Path, scene: Path, size: int, out: Path) -> Measured:
    images = (scene / f"before_{size}.tif", scene / f"after_{size}.tif")
    if tool == US:
        return groundbreak("align", *images, "--bands", "blue,green,red,nir", "--out", out, "--quiet")
    script = Path(__file__).with_name("peer_tools.py")
    return measure(peers, script, tool, *images, out / "found.json", str(LIMIT))


def _failed(run: Measured) -> str:
    if run.seconds >= LIMIT:
        return f"did not finish in {LIMIT:.0f} s"
    return f"failed: {run.reason[:80]}"


def field_of(found: dict[str, Any], x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """How far the after image is off at pixels (x, y) of the before image, in pixels, y down."""
    if "affine" in found:
        (a, b, c), (d, e, f) = found["affine"]
        return a * x + b * y + c - x, d * x + e * y + f - y
    points = np.asarray(found["points"], np.float64)
    if len(points) == 1:
        return np.full_like(x, points[0, 2]), np.full_like(y, points[0, 3])
    near = NEIGHBOURS if len(points) > NEIGHBOURS else None
    spline = RBFInterpolator(points[:, :2], points[:, 2:], neighbors=near, kernel="thin_plate_spline")
    shift = spline(np.stack([x.ravel(), y.ravel()], axis=1))
    return shift[:, 0].reshape(x.shape), shift[:, 1].reshape(x.shape)


def write_shift(path: Path, size: int, found: dict[str, Any]) -> None:
    """A `shift.tif` whose pixels are centred on the points that residual.py looks at."""
    every = max(16, size // 128)
    at = np.arange(RIM, size - RIM, every, dtype=np.float64)
    dx, dy = field_of(found, *np.meshgrid(at, at))
    first = PIXEL * (RIM + 0.5 - every / 2)
    profile = {
        "driver": "GTiff",
        "height": len(at),
        "width": len(at),
        "count": 2,
        "dtype": "float32",
        "crs": "EPSG:32637",
        "transform": Affine(PIXEL * every, 0, CORNER[0] + first, 0, -PIXEL * every, CORNER[1] - first),
    }
    with rasterio.open(path, "w", **profile) as out:
        out.write(np.stack([dx * PIXEL, -dy * PIXEL]).astype(np.float32))


def _to_page(made: list[Table]) -> None:
    """The tables between the two marks of docs/alignment.md; the rest of the page stays."""
    text = PAGE.read_text(encoding="utf-8")
    head, rest = text.split(BEGIN, 1)
    tail = rest.split(END, 1)[1]
    inside = "\n".join((provenance(), "", *(table.markdown() for table in made)))
    partial = PAGE.with_name(f".{PAGE.name}.part")
    partial.write_text(f"{head}{BEGIN}\n{inside}\n{END}{tail}", encoding="utf-8")
    partial.replace(PAGE)
