"""The same result for any chunk size and any number of workers: the files themselves, byte for byte."""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import numpy as np
import rasterio

from benchmarks.command import groundbreak
from benchmarks.machine import REPO
from benchmarks.options import Options
from benchmarks.report import Row, Table
from benchmarks.shared import MissingDataError, shared
from pipeline.simulate import simulate_pair

TITLE = "does the result hang on chunks or workers?"
FILES = ("changes.geojson", "changes.parquet", "change.tif", "before.tif", "after.tif", "shift.tif")
VARIANTS = (
    ("chunks of 256", ("--chunk-size", "256")),
    ("chunks of 512", ("--chunk-size", "512")),
    ("chunks of 2048", ("--chunk-size", "2048")),
    ("1 worker", ("--workers", "1")),
    ("2 workers", ("--workers", "2", "--chunk-size", "512")),
)
_SEED = 900_100


def tables(options: Options) -> list[Table]:
    """A sample site, a made pair and a city in degrees, each compared in every way and file by file."""
    made = options.scratch / "made"
    simulate_pair(made, _SEED, 700, 0.5)
    site = ("run", str(REPO / "configs" / "boukamal.yaml"))
    cases = [("sample site boukamal", site, "*/*"), ("a made pair", _compare(made), ".")]
    with suppress(MissingDataError):
        cases.append(("a real city, warped from degrees", _compare(shared("real") / "oscd" / "bercy"), "."))
    if options.quick:
        cases = cases[:1]
    return [_compared(name, words, options.scratch / str(i), at) for i, (name, words, at) in enumerate(cases)]


def _compare(folder: Path) -> tuple[str, ...]:
    return ("compare", str(folder / "before"), str(folder / "after"))


def _compared(title: str, words: tuple[str, ...], out: Path, inside: str) -> Table:
    """Each variant against the default: chunks of 1024, threads."""
    first = _result(words, (), out / "default", inside)
    rows: list[Row] = [{"how": "default"} | {name: _digest(first / name)[:8] for name in FILES}]
    failures = []
    for how, extra in VARIANTS:
        result = _result(words, extra, out / how.replace(" ", "_"), inside)
        row: dict[str, object] = {"how": how}
        for name in FILES:
            same = _digest(result / name) == _digest(first / name)
            row[name] = "same" if same else "DIFFERS"
            if not same:
                failures.append(f"{title}, {how}: {name} differs{_by_how_much(first / name, result / name)}")
        rows.append(row)
    return Table(title, rows, failures=failures)


def _result(words: tuple[str, ...], extra: tuple[str, ...], out: Path, inside: str) -> Path:
    done = groundbreak(*words, *extra, "--out", out, "--quiet")
    if done.status:
        raise RuntimeError(f"{' '.join(extra) or 'default'}: {done.reason}")
    return next(folder.parent for folder in out.glob(f"{inside}/run.json"))


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def _by_how_much(one: Path, other: Path) -> str:
    """Of rasters, how many pixels differ and by how much at most."""
    if one.suffix != ".tif":
        return ""
    with rasterio.open(one) as a, rasterio.open(other) as b:
        if a.shape != b.shape:
            return f": {a.shape} and {b.shape} pixels"
        off = np.nan_to_num(a.read().astype(np.float64)) - np.nan_to_num(b.read().astype(np.float64))
    return f": {np.count_nonzero(off.any(axis=0))} pixels, by {np.abs(off).max():.3g} at most"
