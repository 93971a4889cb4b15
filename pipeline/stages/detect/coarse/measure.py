"""Measure a scene: first its bands, then how rare each surprise is in it, at a pixel and in windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pipeline.pair import Float, Pair
from pipeline.stages.detect.coarse import maps, windows
from pipeline.stages.detect.coarse.scene import BANDS, LEVELS, Scene, fit_scene

_WINDOWS = 12  # of the sample that are looked at
_PIXELS = 60_000  # and as many of their pixels
_SHARES = 1 - 0.5 ** np.arange(LEVELS)


def measure(sample: Sequence[Pair], bands: Sequence[str], use: Sequence[str] = BANDS) -> Scene:
    """All that is to be known of a scene from sample windows; raises as `fit_scene`."""
    scene = fit_scene(sample, bands, use)
    seen = [pair for pair in sample if pair.observed.any()]
    some = [seen[i] for i in np.unique(np.linspace(0, len(seen) - 1, _WINDOWS).round().astype(int))]
    surprise = np.concatenate([_surprise(pair, scene) for pair in some])
    scene = replace(scene, rarity=np.quantile(surprise, _SHARES).astype(np.float32))
    every = max(1, sum(int(pair.observed.sum()) for pair in some) // _PIXELS)
    columns = np.concatenate([_columns(pair, scene, every) for pair in some])
    return replace(scene, scales=np.quantile(columns, _SHARES, axis=0).T.astype(np.float32).copy())


def _surprise(pair: Pair, scene: Scene) -> maps.Whole:
    """The surprise of every observed pixel (n,), in whole numbers."""
    return maps.maps(pair, scene)[pair.observed][:, maps.SURPRISE]


def _columns(pair: Pair, scene: Scene, every: int) -> Float:
    """The columns `SCALED`, before they are, at some pixels (n, column)."""
    whole = maps.maps(pair, scene)
    rows, cols = (places[every // 2 :: every] for places in np.nonzero(pair.observed))
    return windows.evidence(whole, windows.totals(whole), rows, cols, scene.scales)[:, windows.scaled()]
