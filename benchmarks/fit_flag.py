"""Fit what the detector and the flag stage know of made scenes.

usage: python -m benchmarks.fit_flag [--pairs N]

Draws random pairs (0.3 to 3 m, any sun, haze, sensor and band set), runs detection with the true shift off
by a little, matches the objects with truth, and fits the pixel calibration and the two softmax models of
the flag stage. Seeds from `FIRST_SEED` on are fitted on; those from `HELD_OUT_SEED` on are for measuring.
Writes pipeline/stages/flag/weights.json and prints the calibration constants and the held-out figures.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rasterio.features import rasterize
from scipy import ndimage
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from pipeline.pair import Pair
from pipeline.simulate.light import Sun
from pipeline.simulate.pair import MadePair, PairStyle, made_pair
from pipeline.stages.detect import ChangeModel, Detect
from pipeline.stages.flag import Flag
from pipeline.stages.flag.classify import LIMIT, NOTHING
from pipeline.stages.flag.measure import Measures
from pipeline.stages.normalize import Normalize

FIRST_SEED, HELD_OUT_SEED = 100_000, 900_000
WEIGHTS = Path(__file__).parents[1] / "pipeline" / "stages" / "flag" / "weights.json"
RESOLUTIONS = (0.3, 0.5, 0.5, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0)
BAND_SETS = (("blue", "green", "red", "nir"),) * 3 + (("red", "green", "blue"),)
SIZE = 384
MATCHED = 0.2  # share of an object's ground that truth must cover
RIDGE = 1e-3

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Objects:
    """Objects of one pair: measures (n, m), kind and direction as truth has them; and a sample of pixels."""

    vectors: Floats
    kinds: list[str]
    directions: list[str]
    scores: Floats
    changed: NDArray[np.bool_]


def style(seed: int) -> tuple[float, PairStyle]:
    """A random resolution and difficulty."""
    rng = np.random.default_rng([seed, 7])
    first = Sun(float(rng.uniform(25, 65)), float(rng.uniform(110, 240)))
    second = Sun(
        float(np.clip(first.elevation + rng.normal(0, 8), 22, 70)), float(first.azimuth + rng.normal(0, 14))
    )
    return float(rng.choice(RESOLUTIONS)), PairStyle(
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


def look(seed: int) -> Objects:
    """Make one pair, detect, and name every object by truth."""
    resolution, how = style(seed)
    made = made_pair(seed, SIZE, resolution, how)
    rng = np.random.default_rng([seed, 8])
    pair = co_registered(made, rng)
    model: ChangeModel = Detect().fit([pair], how.bands, resolution)
    grid, score = made.before.geobox, model.score(pair)
    found = Flag(min_area_m2=0).candidates(
        model.percent(pair),
        lambda r, c: Pair(pair.before[:, r, c], pair.after[:, r, c], pair.observed[r, c]),
        grid,
        how.bands,
    )
    names = [_name(candidate.geometry, made) for candidate in found]
    truth = _raster(made, pair.observed.shape)
    take = np.flatnonzero(pair.observed.ravel())[:: int(rng.integers(15, 30))]
    return Objects(
        np.array([c.measures.vector() for c in found]).reshape(-1, len(Measures.names())),
        [kind for kind, _ in names],
        [direction for _, direction in names],
        score.ravel()[take].astype(np.float64),
        truth.ravel()[take],
    )


def _raster(made: MadePair, shape: tuple[int, int]) -> NDArray[np.bool_]:
    shapes = list(made.truth.geometry)
    if not shapes:
        return np.zeros(shape, bool)
    return np.asarray(rasterize(shapes, shape, transform=made.before.geobox.transform) == 1)


def _name(outline: object, made: MadePair) -> tuple[str, str]:
    shares = made.truth.geometry.intersection(outline).area / outline.area  # type: ignore[attr-defined]
    if len(shares) == 0 or shares.max() < MATCHED:
        return NOTHING, ""
    row = made.truth.iloc[int(np.argmax(shares))]
    return str(row["kind"]), str(row["direction"])


def looks(first: int, count: int) -> Iterator[Objects]:
    """Objects of `count` pairs, in the order of their seeds."""
    with ProcessPoolExecutor() as pool:
        yield from pool.map(look, range(first, first + count), chunksize=4)


def fit_linear(vectors: Floats, names: list[str], weight: Floats) -> dict[str, object]:
    """Ridge softmax regression by L-BFGS; the scale and the limit are those that `classify` applies."""
    classes = sorted(set(names))
    mean, scale = vectors.mean(axis=0), vectors.std(axis=0) + 1e-6
    design = np.concatenate(
        [np.ones((len(vectors), 1)), np.clip((vectors - mean) / scale, -LIMIT, LIMIT)], axis=1
    )
    goal = np.array([[name == c for c in classes] for name in names], float)
    shape = design.shape[1], len(classes)

    def loss(flat: Floats) -> tuple[float, Floats]:
        w = flat.reshape(shape)
        logits = design @ w
        value = -(weight[:, None] * goal * log_softmax(logits, axis=1)).sum() / weight.sum()
        slope = design.T @ (weight[:, None] * (softmax(logits, axis=1) - goal)) / weight.sum()
        return value + RIDGE * (w[1:] ** 2).sum(), (
            slope + 2 * RIDGE * np.r_[np.zeros((1, shape[1])), w[1:]]
        ).ravel()

    best = minimize(loss, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 3000})
    rounded = {"mean": mean, "scale": scale, "weights": best.x.reshape(shape)}
    return {"classes": classes} | {key: np.round(value, 5).tolist() for key, value in rounded.items()}


def fit_curve(scores: Floats, changed: NDArray[np.bool_]) -> tuple[float, float]:
    """`even` and `slope` of the pixel calibration."""
    s, sign = np.log(np.maximum(scores, 1e-6)), np.where(changed, 1.0, -1.0)
    best = minimize(lambda w: np.logaddexp(0, -w[0] * (s - w[1]) * sign).mean(), [2.0, 1.0])
    return float(np.exp(best.x[1])), float(best.x[0])


def main() -> None:
    """Fit on made pairs, write the weights, and say how they do on pairs that were kept out."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=600)
    count = parser.parse_args().pairs
    seen = list(looks(FIRST_SEED, count))
    even, slope = fit_curve(
        np.concatenate([o.scores for o in seen]), np.concatenate([o.changed for o in seen])
    )
    print(f"pixel calibration: even={even:.3f}, slope={slope:.3f}")
    vectors = np.concatenate([o.vectors for o in seen])
    kinds = [k for o in seen for k in o.kinds]
    directions = [d for o in seen for d in o.directions]
    real = np.array([bool(d) for d in directions])
    models = {
        "kind": fit_linear(vectors, kinds, np.ones(len(kinds))),
        "direction": fit_linear(vectors[real], [d for d in directions if d], np.ones(int(real.sum()))),
    }
    WEIGHTS.write_text(json.dumps(models, indent=0) + "\n", encoding="utf-8")
    print(f"{len(kinds)} objects of {count} pairs, {int(real.sum())} of them real")


if __name__ == "__main__":
    main()
