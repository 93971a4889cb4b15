"""Made pairs of any difficulty, aligned and normalised as a run does, to fit what the flag stage knows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import geopandas as gpd
import numpy as np
from odc.geo.geobox import GeoBox
from rasterio.features import rasterize
from scipy import ndimage

from benchmarks.examples import Example, seen
from pipeline.pair import Mask, Pair
from pipeline.simulate.light import Sun
from pipeline.simulate.pair import MadePair, PairStyle, made_pair
from pipeline.stages.detect import Detect
from pipeline.stages.detect.detector import KINDS, REMOVED
from pipeline.stages.normalize import Normalize

FINE = (0.3, 0.5, 0.5, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0)
COARSE = (5.0, 10.0, 10.0)
BAND_SETS = (("blue", "green", "red", "nir"),) * 3 + (("red", "green", "blue"),)
SIZE = 384
ALTERED = "altered"


def style(seed: int, resolutions: Sequence[float]) -> tuple[float, PairStyle]:
    """A random resolution and difficulty."""
    rng = np.random.default_rng([seed, 7])
    first = Sun(float(rng.uniform(25, 65)), float(rng.uniform(110, 240)))
    second = Sun(
        float(np.clip(first.elevation + rng.normal(0, 8), 22, 70)), float(first.azimuth + rng.normal(0, 14))
    )
    return float(rng.choice(resolutions)), PairStyle(
        works=() if rng.random() < 0.2 else None,
        suns=(first, second),
        haze=(float(rng.uniform(0, 0.2)), float(rng.uniform(0, 0.3))),
        gain=float(rng.uniform(0.85, 1.15)),
        noise=float(rng.uniform(0.001, 0.004)),
        shift_px=(float(rng.uniform(-3, 3)), float(rng.uniform(-3, 3))),
        bands=BAND_SETS[int(rng.integers(len(BAND_SETS)))],
        dtype="uint8" if rng.random() < 0.3 else "uint16",
    )


def co_registered(made: MadePair, rng: np.random.Generator) -> Pair:
    """Both images on one grid, by the true shift and a little error, the light brought together."""
    pixel = made.before.geobox.resolution.x
    error = rng.normal(0, 0.12, 2)
    rows, cols = np.indices(made.before.image.shape[1:], dtype=np.float64)
    at = rows - made.shift[1] / pixel + error[0], cols + made.shift[0] / pixel + error[1]
    after = np.stack(
        [
            ndimage.map_coordinates(band, at, order=3, cval=np.nan, mode="constant")
            for band in made.after.image
        ]
    )
    pair = Pair.of(made.before.image.astype(np.float32), after.astype(np.float32))
    bands = tuple(str(i) for i in range(len(after)))
    shape = int(after.shape[1]), int(after.shape[2])
    seen_rows, seen_cols = np.nonzero(pair.observed)
    radiometry = Normalize()(*pair.pixels(), bands, seen_rows, seen_cols, shape)
    whole = slice(0, shape[0]), slice(0, shape[1])
    return Pair(pair.before, radiometry.apply_array(pair.after, *whole), pair.observed)


def examples(
    detect: Detect, seeds: Sequence[int], resolutions: Sequence[float], swapped: bool = True
) -> Iterator[Example]:
    """Pairs as `detect` sees them; swapped: also with their dates exchanged."""
    for seed in seeds:
        resolution, how = style(seed, resolutions)
        made = made_pair(seed, SIZE, resolution, how)
        pair, grid = co_registered(made, np.random.default_rng([seed, 8])), made.before.geobox
        yield seen(detect, pair, how.bands, grid, masks(made.truth, grid), str(seed))
        if swapped:
            back = Pair(pair.after, pair.before, pair.observed)
            yield seen(detect, back, how.bands, grid, masks(exchanged(made.truth), grid), str(seed))


def exchanged(truth: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """What the truth is when the dates are exchanged; machines that leave are no construction."""
    truth = truth[truth["kind"] != "equipment"].reset_index(drop=True)
    return truth.assign(direction=truth["direction"].replace({"new": "removed", "removed": "new"}))


def masks(truth: gpd.GeoDataFrame, grid: GeoBox) -> dict[str, Mask]:
    """Pixels (y, x) of each kind that is new or altered, of what is removed, and of what is altered."""
    gone, altered = (truth["direction"] == way for way in (REMOVED, ALTERED))
    named: dict[str, gpd.GeoDataFrame] = {kind: truth[(truth["kind"] == kind) & ~gone] for kind in KINDS}
    named |= {REMOVED: truth[gone], ALTERED: truth[altered]}
    return {name: _drawn(rows, grid) for name, rows in named.items()}


def _drawn(rows: gpd.GeoDataFrame, grid: GeoBox) -> Mask:
    shape = int(grid.shape.y), int(grid.shape.x)
    if rows.empty:
        return np.zeros(shape, bool)
    return np.asarray(rasterize(list(rows.geometry), shape, transform=grid.transform) == 1)
