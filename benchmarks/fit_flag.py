"""Fit what the detector and the flag stage know: weights.json and the constants of detect/calibration.py.

usage: python -m benchmarks.fit_flag [--pairs N] [--coarse-pairs N]

fine (0.3 to 3 m): random made pairs of any sun, haze, sensor and band set, aligned but for a tenth of a
pixel; objects take their names from truth. coarse (5 to 10 m): kinds and directions from made pairs;
whether an object is real at all from the 14 training cities of OSCD, by two measures only, so that there is
next to nothing to overfit (leaving each city out in turn is printed). Seeds from `HELD_OUT_SEED` on are
never fitted on; what is printed of them is a fair measure.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rasterio.features import rasterize
from scipy import ndimage
from shapely.geometry.base import BaseGeometry

from benchmarks import oscd_objects
from benchmarks.softmax import fit_curve, fit_linear, judge
from pipeline.pair import Pair
from pipeline.simulate.light import Sun
from pipeline.simulate.pair import MadePair, PairStyle, made_pair
from pipeline.stages.detect import Detect
from pipeline.stages.flag.candidates import find_candidates
from pipeline.stages.flag.classify import FINDING, NOTHING
from pipeline.stages.flag.measure import Measures
from pipeline.stages.normalize import Normalize

FIRST_SEED, HELD_OUT_SEED = 100_000, 900_000
WEIGHTS = Path(__file__).parents[1] / "pipeline" / "stages" / "flag" / "weights.json"
FINE = (0.3, 0.5, 0.5, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0)
COARSE = (5.0, 10.0, 10.0)
BAND_SETS = (("blue", "green", "red", "nir"),) * 3 + (("red", "green", "blue"),)
SIZE = 384
MATCHED = 0.2  # share of an object's ground that truth must cover

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Objects:
    """Objects of one pair: measures (n, m), kind and direction as truth has them; and a sample of pixels."""

    vectors: Floats
    kinds: list[str]
    directions: list[str]
    scores: Floats
    changed: NDArray[np.bool_]


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
    radiometry = Normalize()(*pair.pixels(), bands)
    return Pair(pair.before, radiometry.apply_array(pair.after), pair.observed)


def look(seed: int, resolutions: Sequence[float] = FINE) -> Objects:
    """Make one pair, detect, and name every object by truth."""
    resolution, how = style(seed, resolutions)
    made = made_pair(seed, SIZE, resolution, how)
    rng = np.random.default_rng([seed, 8])
    pair = co_registered(made, rng)
    model = Detect().fit([pair], how.bands, resolution)
    _, found = find_candidates(model.percent(pair), pair.window, made.before.geobox, how.bands)
    names = [_name(candidate.outline, made) for candidate in found]
    take = np.flatnonzero(pair.observed.ravel())[:: int(rng.integers(15, 30))]
    return Objects(
        np.array([c.measures.vector() for c in found]).reshape(-1, len(Measures.names())),
        [kind for kind, _ in names],
        [direction for _, direction in names],
        model.score(pair).ravel()[take].astype(np.float64),
        _raster(made, pair.observed.shape).ravel()[take],
    )


def _raster(made: MadePair, shape: tuple[int, int]) -> NDArray[np.bool_]:
    shapes = list(made.truth.geometry)
    if not shapes:
        return np.zeros(shape, bool)
    return np.asarray(rasterize(shapes, shape, transform=made.before.geobox.transform) == 1)


def _name(outline: BaseGeometry, made: MadePair) -> tuple[str, str]:
    shares = made.truth.geometry.intersection(outline).area / outline.area
    if len(shares) == 0 or shares.max() < MATCHED:
        return NOTHING, ""
    row = made.truth.iloc[int(np.argmax(shares))]
    return str(row["kind"]), str(row["direction"])


def looks(first: int, count: int, resolutions: Sequence[float] = FINE) -> Iterator[Objects]:
    """Objects of `count` pairs, in the order of their seeds."""
    with ProcessPoolExecutor() as pool:
        yield from pool.map(partial(look, resolutions=resolutions), range(first, first + count), chunksize=4)


def joined(pairs: Sequence[Objects]) -> tuple[Floats, list[str], list[str]]:
    """Measures, kinds and directions of all objects."""
    return (
        np.concatenate([each.vectors for each in pairs]),
        [kind for each in pairs for kind in each.kinds],
        [direction for each in pairs for direction in each.directions],
    )


def fit_names(vectors: Floats, kinds: list[str], directions: list[str]) -> dict[str, dict[str, object]]:
    """The models `kind` and `direction`, from objects that are real."""
    real = np.array([bool(direction) for direction in directions])
    return {
        "kind": fit_linear(vectors[real], [kind for kind in kinds if kind != NOTHING]),
        "direction": fit_linear(vectors[real], [direction for direction in directions if direction]),
    }


def reality(kinds: Sequence[str]) -> list[str]:
    """`finding` or `nothing` for each object."""
    return [NOTHING if kind == NOTHING else FINDING for kind in kinds]


def fit_fine(pairs: int) -> dict[str, object]:
    """Models for 0.3 to 3 m; prints how they do on pairs that were kept out."""
    seen = list(looks(FIRST_SEED, pairs))
    vectors, kinds, directions = joined(seen)
    models = {"real": fit_linear(vectors, reality(kinds)), **fit_names(vectors, kinds, directions)}
    even, slope = fit_curve(
        np.concatenate([each.scores for each in seen]), np.concatenate([each.changed for each in seen])
    )
    print(f"fine: {len(kinds)} objects of {pairs} pairs; pixel curve even={even:.2f} slope={slope:.2f}")
    vectors, kinds, directions = joined(list(looks(HELD_OUT_SEED, max(pairs // 4, 1))))
    real = np.array([bool(direction) for direction in directions])
    judge("real", models["real"], vectors, reality(kinds))
    judge("kind", models["kind"], vectors[real], [kind for kind in kinds if kind != NOTHING])
    judge("direction", models["direction"], vectors[real], [d for d in directions if d])
    return {**models, "card": f"made pairs only: {pairs} of seeds from {FIRST_SEED}; MIT"}


def fit_coarse(pairs: int) -> dict[str, object]:
    """Models for 5 to 10 m; prints what leaving each OSCD city out gives."""
    cities = oscd_objects.cities()
    oscd_objects.leave_one_out(cities)
    names = fit_names(*joined(list(looks(FIRST_SEED, pairs, COARSE))))
    return {
        "real": oscd_objects.fit(list(cities.values())),
        **names,
        "card": (
            "real: two measures of the objects in the 14 OSCD training cities (Caye Daudt et al. 2018; "
            "modified Copernicus Sentinel data 2015-2018; truth CC BY-NC-SA). "
            f"kind, direction: {pairs} made pairs of seeds from {FIRST_SEED}; MIT"
        ),
    }


def main() -> None:
    """Fit both regimes and write the weights."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=250, help="made pairs at 0.3 to 3 m")
    parser.add_argument("--coarse-pairs", type=int, default=80, help="made pairs at 5 to 10 m")
    asked = parser.parse_args()
    models = {"fine": fit_fine(asked.pairs), "coarse": fit_coarse(asked.coarse_pairs)}
    WEIGHTS.write_text(json.dumps(models, indent=0, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
