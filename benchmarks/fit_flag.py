"""Fit what the detector and the flag stage know: weights.json and the constants of detect/calibration.py.

usage: python -m benchmarks.fit_flag [--pairs N] [--coarse-pairs N]

fine (0.3 to 3 m): random made pairs of any sun, haze, sensor and band set, aligned but for a tenth of a
pixel; objects take their names from truth. coarse (5 to 10 m): kinds and directions from made pairs;
whether an object is real at all from the 14 training cities of OSCD, by ten measures only, so that there is
little to overfit (what leaving each city out in turn gives is printed). Seeds from `HELD_OUT_SEED` on are
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

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from scipy import ndimage
from shapely.geometry.base import BaseGeometry

from benchmarks import oscd_objects
from benchmarks.networks import fit_network, judge
from pipeline.grid import pixel_size
from pipeline.pair import Pair
from pipeline.simulate.light import Sun
from pipeline.simulate.pair import MadePair, PairStyle, made_pair
from pipeline.stages.detect import Detect
from pipeline.stages.flag.candidates import find_patches
from pipeline.stages.flag.classify import FINDING, NOTHING
from pipeline.stages.flag.measure import Measures
from pipeline.stages.normalize import Normalize

FIRST_SEED, HELD_OUT_SEED = 100_000, 900_000
WEIGHTS = Path(__file__).parents[1] / "pipeline" / "stages" / "flag" / "weights.json"
FINE = (0.3, 0.5, 0.5, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0)
COARSE = (5.0, 10.0, 10.0)
BAND_SETS = (("blue", "green", "red", "nir"),) * 3 + (("red", "green", "blue"),)
SIZE = 384
ALTERED_WEIGHT = 4  # how often each altered building counts: made places hold few
MATCHED = 0.2  # share of an object's ground that truth must cover

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Objects:
    """Objects of one pair: measures (n, m), kind and direction as truth has them."""

    vectors: Floats
    kinds: list[str]
    directions: list[str]


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


def look(seed: int, resolutions: Sequence[float] = FINE) -> Objects:
    """Make one pair, compare it in both orders of its dates, and name every object by truth."""
    resolution, how = style(seed, resolutions)
    made = made_pair(seed, SIZE, resolution, how)
    pair = co_registered(made, np.random.default_rng([seed, 8]))
    swapped = Pair(pair.after, pair.before, pair.observed)
    return joined(
        [
            _objects(pair, made.truth, made.before.geobox, how.bands),
            _objects(swapped, _reversed(made.truth), made.before.geobox, how.bands),
        ]
    )


def _objects(pair: Pair, truth: gpd.GeoDataFrame, grid: GeoBox, bands: tuple[str, ...]) -> Objects:
    model = Detect().fit([pair], bands, pixel_size(grid))
    patches = find_patches(model.percent(pair), pair.window, grid, bands)
    found = [each for patch in patches for each in (patch.whole, *patch.parts)]
    names = [_name(each.outline, truth) for each in found]
    vectors = np.array([each.measures.vector() for each in found]).reshape(-1, len(Measures.names()))
    return Objects(vectors, [kind for kind, _ in names], [direction for _, direction in names])


def _reversed(truth: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """What the truth is when the dates are exchanged; machines that leave are no construction."""
    truth = truth[truth["kind"] != "equipment"].reset_index(drop=True)
    return truth.assign(direction=truth["direction"].replace({"new": "removed", "removed": "new"}))


def _name(outline: BaseGeometry, truth: gpd.GeoDataFrame) -> tuple[str, str]:
    shares = truth.geometry.intersection(outline).area / outline.area
    if len(shares) == 0 or shares.max() < MATCHED:
        return NOTHING, ""
    row = truth.iloc[int(np.argmax(shares))]
    return str(row["kind"]), str(row["direction"])


def looks(first: int, count: int, resolutions: Sequence[float] = FINE) -> Iterator[Objects]:
    """Objects of `count` pairs, in the order of their seeds."""
    with ProcessPoolExecutor() as pool:
        yield from pool.map(partial(look, resolutions=resolutions), range(first, first + count), chunksize=4)


def joined(pairs: Sequence[Objects]) -> Objects:
    """All objects of several pairs."""
    return Objects(
        np.concatenate([each.vectors for each in pairs]),
        [kind for each in pairs for kind in each.kinds],
        [direction for each in pairs for direction in each.directions],
    )


def fit_names(seen: Objects) -> dict[str, dict[str, object]]:
    """The models `kind` and `direction`, from objects that are real."""
    real = [i for i, direction in enumerate(seen.directions) if direction]
    rare = [i for i in real if seen.directions[i] == "altered"]
    balanced = real + rare * (ALTERED_WEIGHT - 1)
    return {
        "kind": fit_network(seen.vectors[real], [seen.kinds[i] for i in real]),
        "direction": fit_network(seen.vectors[balanced], [seen.directions[i] for i in balanced]),
    }


def reality(kinds: Sequence[str]) -> list[str]:
    """`finding` or `nothing` for each object."""
    return [NOTHING if kind == NOTHING else FINDING for kind in kinds]


def fit_fine(pairs: int) -> dict[str, object]:
    """Models for 0.3 to 3 m; prints how they do on pairs that were kept out."""
    seen = joined(list(looks(FIRST_SEED, pairs)))
    models = {"real": fit_network(seen.vectors, reality(seen.kinds)), **fit_names(seen)}
    kept_out = joined(list(looks(HELD_OUT_SEED, max(pairs // 4, 1))))
    print(f"fine: {len(seen.kinds)} objects of {pairs} pairs; kept out: {len(kept_out.kinds)}")
    real = np.array([bool(direction) for direction in kept_out.directions])
    judge("real", models["real"], kept_out.vectors, reality(kept_out.kinds))
    judge("kind", models["kind"], kept_out.vectors[real], [k for k in kept_out.kinds if k != NOTHING])
    judge("direction", models["direction"], kept_out.vectors[real], [d for d in kept_out.directions if d])
    return {**models, "card": f"made pairs only, in both orders: {pairs} of seeds from {FIRST_SEED}; MIT"}


def fit_coarse(pairs: int) -> dict[str, object]:
    """Models for 5 to 10 m; prints what leaving each OSCD city out gives."""
    cities = oscd_objects.cities()
    oscd_objects.leave_one_out(cities)
    seen = joined(list(looks(FIRST_SEED, pairs, COARSE)))
    return {
        "real": oscd_objects.fit(list(cities.values())),
        "kind": fit_names(seen)["kind"],
        "direction": oscd_objects.one_direction(),
        "card": (
            "real: ten measures of the objects in the 14 OSCD training cities (Caye Daudt et al. 2018; "
            "modified Copernicus Sentinel data 2015-2018; truth CC BY-NC-SA). "
            f"kind: {pairs} made pairs of seeds from {FIRST_SEED}; MIT"
        ),
    }


def main() -> None:
    """Fit both regimes and write the weights."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=260, help="made pairs at 0.3 to 3 m")
    parser.add_argument("--coarse-pairs", type=int, default=30, help="made pairs at 5 to 10 m")
    asked = parser.parse_args()
    models = {"fine": fit_fine(asked.pairs), "coarse": fit_coarse(asked.coarse_pairs)}
    WEIGHTS.write_text(json.dumps(models, indent=0, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
