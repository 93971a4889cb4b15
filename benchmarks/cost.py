"""What detecting and flagging cost, a pixel and core: on arrays, one thread, CPU time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np
from affine import Affine
from odc.geo.geobox import GeoBox

from benchmarks.options import Options
from benchmarks.report import Row, Table
from pipeline.grid import blocks
from pipeline.pair import Pair
from pipeline.simulate import PairStyle, made_pair
from pipeline.stages.detect import Detect
from pipeline.stages.detect.detector import Detector
from pipeline.stages.flag import Flag
from pipeline.stages.flag.layers import ArrayLayers

TITLE = "CPU time of detect and flag, a pixel"
BANDS = ("blue", "green", "red", "nir")
Result = TypeVar("Result")
_SEED, _TILE, _BLOCK = 930_000, 512, 1024
_CASES = (("classic", 0.5), ("learned", 0.5), ("classic", 10.0), ("learned", 10.0))
_NOTE = (
    "Microseconds of one core, on arrays in memory: four bands, made scenes of 512 px laid side by side,"
    " blocks of about 1024 px with their overlap; the sample that a detector is fitted on is not counted."
    " `change`: the share of pixels at 50 % or more."
)


def tables(options: Options) -> list[Table]:
    """Each detector on fine and on coarse pixels."""
    side = 2 if options.quick else 4
    return [Table("Detect and flag", [_row(name, metres, side) for name, metres in _CASES], [_NOTE])]


def _row(name: str, metres: float, side: int) -> Row:
    pair, grid = _scene(metres, side)
    detector = Detect(name).fit([pair.window(slice(0, _TILE), slice(0, _TILE))], BANDS, metres)
    detector(pair.window(slice(0, 256), slice(0, 256)))  # compiles what is compiled
    stack, detect = _timed(lambda: _layers(detector, pair, grid))
    layers = ArrayLayers(detector.layers, stack, detector.name)
    findings, flag = _timed(lambda: Flag()(layers, pair.window, grid, BANDS).findings)
    findings, flag = _timed(lambda: Flag()(layers, pair.window, grid, BANDS).findings)
    pixels = float(np.prod(grid.shape)) / 1e6
    return {
        "detector": name,
        "m": metres,
        "px": int(grid.shape[0]),
        "change": float((stack[0] >= 50).mean()),
        "findings": len(findings),
        "detect us/px": detect / pixels,
        "flag us/px": flag / pixels,
        "both": (detect + flag) / pixels,
    }


def _scene(metres: float, side: int) -> tuple[Pair, GeoBox]:
    """Four different scenes, laid side by side until there are `side` of them each way."""
    style = PairStyle(shift_px=(0.0, 0.0), warp_px=0.0)
    styles = [style, replace(style, town="infill"), style, replace(style, town="quiet")]
    made = [
        made_pair(_SEED + n, _TILE, metres, one)
        for n, one in enumerate(styles if metres < 5 else [style] * 4)
    ]
    rows = [[made[(row + col) % len(made)] for col in range(side)] for row in range(side)]
    before, after = (
        np.concatenate(
            [np.concatenate([getattr(one, date).image for one in row], axis=2) for row in rows], axis=1
        )
        for date in ("before", "after")
    )
    size = side * _TILE
    grid = GeoBox((size, size), Affine(metres, 0, 600_000, 0, -metres, 3_800_000), "EPSG:32637")
    return Pair.of(before.astype(np.float32), after.astype(np.float32)), grid


def _layers(detector: Detector, pair: Pair, grid: GeoBox) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """All layers, block by block as a run does it."""
    stack = np.zeros((len(detector.layers), *pair.observed.shape), np.uint8)
    for rows, cols in blocks(grid, -(-_BLOCK // detector.tile) * detector.tile):
        top, left = (max(0, part.start - detector.reach) for part in (rows, cols))
        wide = slice(top, rows.stop + detector.reach), slice(left, cols.stop + detector.reach)
        found = detector(pair.window(*wide), (top, left))
        inner = slice(rows.start - top, rows.stop - top), slice(cols.start - left, cols.stop - left)
        stack[:, rows, cols] = found[:, *inner]
    return stack


def _timed(work: Callable[[], Result]) -> tuple[Result, float]:
    start = time.process_time()
    return work(), time.process_time() - start
