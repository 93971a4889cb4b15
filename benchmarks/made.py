"""Made scenes compared and scored: the sample sites, and random pairs that nothing was fitted on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.command import groundbreak
from benchmarks.machine import REPO
from benchmarks.reliability import judged
from pipeline.evaluate import evaluate
from pipeline.simulate import PairStyle, simulate_pair
from pipeline.simulate.light import Sun

FIRST_SEED = 900_000  # seeds below it are what the detector was fitted on
SIZE = 512  # pixels a side


@dataclass(frozen=True)
class Score:
    """One comparison and what `groundbreak score` says of it; `scores` is None where it was refused."""

    name: str
    scores: Mapping[str, Any] | None
    km2: float = 0.0
    reason: str = ""
    findings: tuple[tuple[float, bool], ...] = ()  # confidence, and whether it is real


def compare_site(site: str, before: str, after: str, scratch: Path) -> Score:
    """Two dates of a sample site."""
    out = scratch / "sites"
    done = groundbreak(
        "run", f"configs/{site}.yaml", "--before", before, "--after", after, "--out", out, "--quiet"
    )
    name = f"{site} {before} to {after}"
    if done.status:
        return Score(name, None, reason=done.reason)
    tiles = REPO / "sample_tiles" / site
    return _scored(
        name, out / site / f"{before}_{after}", tiles / "truth.geojson", tiles / "shift_truth.json"
    )


def compare_made(resolution: float, index: int, built: bool, scratch: Path) -> Score:
    """A random pair of its own seed, with works or without."""
    seed = FIRST_SEED + index + (0 if built else 50)
    folder = scratch / f"{resolution:g}m_{seed}"
    simulate_pair(folder, seed, SIZE, resolution, _style(seed, built))
    done = groundbreak("compare", folder / "before", folder / "after", "--out", folder / "result", "--quiet")
    name = f"{resolution:g} m, seed {seed}"
    if done.status:
        return Score(name, None, reason=done.reason)
    return _scored(name, folder / "result", folder / "truth.geojson", folder / "shift_truth.tif")


def _style(seed: int, built: bool) -> PairStyle:
    """Other light, haze and shift for every seed."""
    rng = np.random.default_rng([seed, 31])
    first, turn = Sun(float(rng.uniform(30, 60)), float(rng.uniform(120, 220))), rng.normal(0, (6, 10))
    later = Sun(float(np.clip(first.elevation + turn[0], 25, 65)), float(first.azimuth + turn[1]))
    return PairStyle(
        works=None if built else (),
        suns=(first, later),
        haze=(float(rng.uniform(0, 0.15)), float(rng.uniform(0, 0.3))),
        shift_px=(float(rng.uniform(-3, 3)), float(rng.uniform(-3, 3))),
    )


def _scored(name: str, result: Path, truth: Path, shift: Path) -> Score:
    told = json.loads((result / "run.json").read_text(encoding="utf-8"))
    rows, cols = told["grid"]["shape"]
    transform = told["grid"]["transform"]
    km2 = rows * cols * abs(transform[0] * transform[4]) * told["observed"]["both"] / 1e6
    scores = evaluate(result, truth, shift)
    return Score(name, scores, km2, findings=tuple(judged(result, scores["objects"])))
