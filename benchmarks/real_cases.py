"""The real pairs under ../shared/real, compared and scored."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from itertools import combinations, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray

from benchmarks.command import groundbreak
from benchmarks.reliability import judged
from pipeline.evaluate import evaluate

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Case:
    """Two dates of one place. `truth` is the folder that score.py reads; naip_quiet's holds no truth.tif."""

    name: str
    before: Path
    after: Path
    dates: tuple[str, str]
    truth: Path


def cases(folder: Path) -> Iterator[Case]:
    """Every folder of a set, by name."""
    for path in sorted(p for p in folder.iterdir() if p.is_dir()):
        told = json.loads((path / "case.json").read_text(encoding="utf-8"))
        yield Case(path.name, path / "before", path / "after", (told["before"], told["after"]), path)


def dates(folder: Path, every: bool) -> Iterator[Case]:
    """Pairs of successive dates, or every pair there is."""
    images = sorted(folder.glob("*.tif"))
    for before, after in combinations(images, 2) if every else pairwise(images):
        yield Case(f"{before.stem}_{after.stem}", before, after, (before.stem, after.stem), folder)


@dataclass(frozen=True)
class Outcome:
    """What became of one case; where it was refused, only `reason` and `built_px` say anything.

    `counts` is what score.py says, `buildings` the same of findings called building alone, `objects` what
    `groundbreak score` says (with truth only). `built` and `all`: pixels by percent of change.tif, of
    construction and of all; `findings`: confidence, is it real.
    """

    case: Case
    reason: str = ""
    built_px: int = 0
    alignment: str = ""
    total: int = 0  # findings, those of what was removed too
    counts: Any = None
    buildings: Any = None
    objects: Any = None
    built: Counts | None = None
    all: Counts | None = None
    findings: tuple[tuple[float, bool], ...] = ()


def outcome(case: Case, scratch: Path, score: ModuleType) -> Outcome:
    """Compare as a user would, then score the files that are left behind."""
    print(f"  {scratch.name}/{case.name}", file=sys.stderr, flush=True)
    out, truth = scratch / case.name, case.truth / "truth.tif"
    days = ("--before-date", case.dates[0], "--after-date", case.dates[1])
    done = groundbreak("compare", case.before, case.after, *days, "--out", out, "--json", "--quiet")
    if done.status:
        return Outcome(case, done.reason, _built_px(truth))
    summary = json.loads(done.stdout)
    told, total = summary["alignment"], int(summary["findings"]["count"])
    how = f"{told['status']}, {_px(told['residual_before_px'])} to {_px(told['residual_px'])} px"
    counts = score.counts(case.truth, out)
    if not truth.exists():
        return Outcome(case, alignment=how, total=total, counts=counts)
    objects = evaluate(out, truth)["objects"]
    built, everything = _by_percent(truth, out / "change.tif", score)
    findings = tuple(judged(out, objects, removed=False))
    buildings = _buildings(case, out, score)
    return Outcome(
        case, "", int(built.sum()), how, total, counts, buildings, objects, built, everything, findings
    )


def _buildings(case: Case, result: Path, score: ModuleType) -> Any:
    """What score.py says of a result that holds buildings alone, where truth knows nothing else."""
    told = json.loads((result / "changes.geojson").read_text(encoding="utf-8"))
    told["features"] = [each for each in told["features"] if each["properties"]["kind"] == "building"]
    with TemporaryDirectory() as folder:
        (Path(folder) / "changes.geojson").write_text(json.dumps(told), encoding="utf-8")
        (Path(folder) / "change.tif").symlink_to(result.absolute() / "change.tif")
        return score.counts(case.truth, folder)


def _px(value: float | None) -> str:
    return "?" if value is None else f"{value:.2f}"


def _by_percent(truth: Path, change: Path, score: ModuleType) -> tuple[Counts, Counts]:
    """Pixels of construction, and all pixels, for every percent of change.tif."""
    with rasterio.open(truth) as grid:
        built, percent = grid.read(1) == 1, score.on_grid(change, grid)
    return np.bincount(percent[built], minlength=101)[:101], np.bincount(percent.ravel(), minlength=101)[:101]


def _built_px(truth: Path) -> int:
    if not truth.exists():
        return 0
    with rasterio.open(truth) as source:
        return int((source.read(1) == 1).sum())


def score_module(path: Path) -> ModuleType:
    """A script as a module: the data's own score.py."""
    spec = spec_from_file_location("shared_score", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path}: no Python file")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
