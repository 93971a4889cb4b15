"""Many small sites in one batch, two of them broken: what a site costs, and so what very many would."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from benchmarks.command import groundbreak
from benchmarks.options import Options
from benchmarks.report import Row, Table
from pipeline.simulate import PairStyle, simulate_pair

TITLE = "many small sites, two of them broken"
SITES, SIZE, METRES = 500, 256, 0.5
SCENES = 10  # different ones; sites are copies of them
NIGHT = 100_000  # sites
_SEED = 931_000
_DATES = {"before": "2021-03-01", "after": "2021-03-15"}


def tables(options: Options) -> list[Table]:
    """One batch with two local processes, and then again, when all is done."""
    count = 24 if options.quick else SITES
    folder = options.scratch / "sites"
    write_sites(folder, count - 2)
    (folder / "broken.yaml").write_text("id: [\n")
    (folder / "empty.yaml").write_text("id: empty\nsource:\n  files: nothing/{date}/*.tif\n")
    out = options.scratch / "results"
    shutil.rmtree(out, ignore_errors=True)
    rows: list[Row] = []
    failures = []
    for name in ("first", "again"):
        done = groundbreak("monitor", folder, "--out", out, "--workers", "2", "--quiet", "--json")
        told = json.loads(done.stdout)
        counts = {status: int(told[status]) for status in ("done", "skipped", "refused", "failed")}
        rows.append({"round": name, **counts, "s": done.seconds, "peak MB": round(done.peak_mb)})
        if counts["failed"] != 2 or counts["done"] + counts["skipped"] != count - 2:
            failures.append(f"{name}: {counts}")
    return [
        Table(f"{count} sites of {SIZE} px, two processes", rows, [_NOTE], failures),
        _on_paper(rows[0], folder, out, count),
    ]


_NOTE = (
    f"Made pairs of {SIZE} x {SIZE} px of {METRES:g} m, the whole job each, report included. One site file is"
    " not YAML, and one names no images. `again`: nothing has changed since."
)


def write_sites(folder: Path, count: int) -> None:
    """Site files, and the scenes that they share."""
    shutil.rmtree(folder, ignore_errors=True)
    for number in range(SCENES):
        scene = folder / "scenes" / str(number)
        simulate_pair(scene, _SEED + number, SIZE, METRES, PairStyle(town="growing"))
        for delivered, date in _DATES.items():
            (scene / delivered).rename(scene / date)
    for number in range(count):
        text = f"id: site-{number:04}\nsource:\n  files: scenes/{number % SCENES}/{{date}}/*.tif\n"
        (folder / f"site-{number:04}.yaml").write_text(text)


def _on_paper(first: Row, folder: Path, out: Path, count: int) -> Table:
    seconds = 2 * float(str(first["s"])) / count
    written = _bytes(out) / count
    images = _bytes(folder / "scenes") / SCENES
    night = NIGHT * seconds / (8 * 3600)
    rows: list[Row] = [
        {"what": "core seconds a site", "value": seconds},
        {"what": "MB of images a site", "value": images / 1e6},
        {"what": "MB of results a site", "value": written / 1e6},
        {"what": f"cores for {NIGHT:,} sites in a night of 8 hours", "value": night},
        {"what": f"GB of results of {NIGHT:,} sites", "value": NIGHT * written / 1e9},
        {"what": f"range requests a second, at {_REQUESTS} a site", "value": NIGHT * _REQUESTS / (8 * 3600)},
    ]
    note = (
        "From the first round. Requests, were the images in an object store: for each date one for the header"
        " and one a block of 512 px, for each of the three times that it is decoded."
    )
    return Table(f"On paper: {NIGHT:,} sites a night", rows, [note])


_REQUESTS = 2 * (1 + 3)


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
