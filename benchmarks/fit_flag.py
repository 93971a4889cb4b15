"""Fit what the flag stage knows: pipeline/stages/flag/weights.json.

usage: python -m benchmarks.fit_flag [SET ...] [--pairs N] [--coarse-pairs N] [--samples FOLDER ...]

Sets, all of them unless named:
  fine-classic    where a detector gives change alone, 0.3 to 3 m: `real`, `kind` and `direction` over
                  measures, from random made pairs of any sun, haze, sensor and band set.
  coarse-classic  the same at 5 to 10 m: kinds from made pairs; whether an object is real from the 14 training
                  cities of OSCD, each judged by a fit without it.
  coarse-learned  the same of the trees' probability, each city seen by trees grown without it.
  fine-layers     where there is a layer for each kind: `new`, `kind` and `removed` over the statistics of
                  layers, from made pairs and towns as `learned` sees them, and from samples in folders
                  (`--samples`, files as the network's training has them, none of which it was trained on).

Seeds from `HELD_OUT_SEED` on are never fitted on; what is printed of them is a fair measure.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import fit_coarse, fit_layers, oscd
from benchmarks.examples import Example, from_sample, from_samples
from benchmarks.fit_pairs import ALTERED, COARSE, FINE, examples
from benchmarks.fit_sure import fit, fit_kind
from benchmarks.networks import Floats, fit_network, judge
from benchmarks.shared import shared
from pipeline.shipped import write_list
from pipeline.stages.detect import Detect
from pipeline.stages.detect.coarse.model import MODELS
from pipeline.stages.detect.detector import CHANGE, KINDS, REMOVED
from pipeline.stages.flag.candidates import Candidate, find_patches
from pipeline.stages.flag.known import CLASSIC_LEVELS, LEARNED_LEVELS
from pipeline.stages.flag.measure import Measures
from pipeline.stages.flag.network import FINDING, NOTHING
from pipeline.stages.flag.segment import Levels
from pipeline.train.coarse.labelled import labelled
from pipeline.train.coarse.table import table

FIRST_SEED, LAYERS_SEED, HELD_OUT_SEED = 100_000, 800_000, 900_000
WEIGHTS = Path(__file__).parents[1] / "pipeline" / "stages" / "flag" / "weights.json"
PARTS = ("fine-classic", "coarse-classic", "coarse-learned", "fine-layers")
COARSE_RIDGE = 1e-2
ALTERED_WEIGHT = 4  # how often each altered building counts: made places hold few


@dataclass(frozen=True)
class Objects:
    """Measured objects (n, m) of a detector that gives change alone; kind and direction as truth has them."""

    vectors: Floats
    kinds: list[str]
    directions: list[str]


def measured(seen: Iterable[Example], levels: Levels) -> Objects:
    """All objects of all examples; what lies on nothing of truth's is `nothing`, of no direction."""
    vectors: list[Floats] = []
    names: list[tuple[str, str]] = []
    for example in seen:
        patches = find_patches(example.layers, example.pair.window, example.grid, example.bands, levels)
        for each in chain.from_iterable((patch.whole, *patch.parts) for patch in patches):
            vectors.append(each.measures.vector())
            names.append(_name(each, example))
    table = np.array(vectors).reshape(-1, len(Measures.names()))
    return Objects(table, [kind for kind, _ in names], [direction for _, direction in names])


def _name(each: Candidate, example: Example) -> tuple[str, str]:
    shares = {name: float(mask[each.window][each.inside].mean()) for name, mask in example.truth.items()}
    new, gone = sum(shares[kind] for kind in KINDS), shares[REMOVED]
    if max(new, gone) < fit_layers.MATCHED:
        return NOTHING, ""
    if gone > new:
        return "building", REMOVED
    kind = max(KINDS, key=lambda name: shares[name])
    return kind, ALTERED if shares[ALTERED] > new / 2 else "new"


def fit_names(seen: Objects) -> dict[str, Any]:
    """The models `kind` and `direction`, from objects that are real."""
    real = [i for i, direction in enumerate(seen.directions) if direction]
    rare = [i for i in real if seen.directions[i] == ALTERED]
    balanced = real + rare * (ALTERED_WEIGHT - 1)
    return {
        "kind": fit_network(seen.vectors[real], [seen.kinds[i] for i in real]),
        "direction": fit_network(seen.vectors[balanced], [seen.directions[i] for i in balanced]),
    }


def reality(kinds: Sequence[str]) -> list[str]:
    """`finding` or `nothing` for each object."""
    return [NOTHING if kind == NOTHING else FINDING for kind in kinds]


def fine_classic(pairs: int) -> dict[str, Any]:
    """`real`, `kind` and `direction` for 0.3 to 3 m; prints how they do on pairs that were kept out."""
    classic = Detect("classic")
    seen = measured(examples(classic, range(FIRST_SEED, FIRST_SEED + pairs), FINE), CLASSIC_LEVELS)
    models = {"real": fit_network(seen.vectors, reality(seen.kinds)), **fit_names(seen)}
    kept_out = measured(
        examples(classic, range(HELD_OUT_SEED, HELD_OUT_SEED + max(pairs // 4, 1)), FINE), CLASSIC_LEVELS
    )
    print(f"fine: {len(seen.kinds)} objects of {pairs} pairs; kept out: {len(kept_out.kinds)}")
    real = np.array([bool(direction) for direction in kept_out.directions])
    judge("real", models["real"], kept_out.vectors, reality(kept_out.kinds))
    judge("kind", models["kind"], kept_out.vectors[real], [k for k in kept_out.kinds if k != NOTHING])
    judge("direction", models["direction"], kept_out.vectors[real], [d for d in kept_out.directions if d])
    return {**models, "card": f"change alone: made pairs in both orders, {pairs} from seed {FIRST_SEED}; MIT"}


def coarse(pairs: int, detector: str) -> dict[str, Any]:
    """The same for 5 to 10 m, for `classic` or `learned`; prints what leaving out cities gives."""
    cities = list(labelled(shared("real") / "oscd"))
    if detector == "classic":
        levels, percents = CLASSIC_LEVELS, [oscd.classic(city) for city in cities]
    else:
        rows = table(cities, MODELS["six"], 0)
        levels, percents = LEARNED_LEVELS, oscd.left_out(cities, rows, oscd.groups(len(cities)))
    found = fit_coarse.judged(fit_coarse.city_examples(cities, percents, detector), levels)
    made = range(FIRST_SEED, FIRST_SEED + pairs)
    seen = measured(examples(Detect(detector), made, COARSE, swapped=False), levels)
    return {
        "real": fit(found, fit_coarse.USED, hidden=0, ridge=COARSE_RIDGE),
        "kind": fit_names(seen)["kind"],
        "direction": one_direction(),
        "card": (
            "change alone: real, measures of the objects in the 14 OSCD training cities (Caye Daudt et al. "
            "2018; modified Copernicus Sentinel data 2015-2018; truth CC BY-NC-SA); "
            f"kind, {pairs} made pairs from seed {FIRST_SEED}; MIT"
        ),
    }


def one_direction() -> dict[str, Any]:
    """Always `new`: at ten metres, what a fit on made scenes called removed was as often real construction in
    the OSCD cities as the rest (67 % against 66 %).
    """
    return {"classes": ["new"], "inputs": [], "mean": [], "scale": [], "layers": [[[0.0]]]}


def fine_layers(pairs: int, folders: Sequence[Path]) -> dict[str, Any]:
    """`new` and `removed` for 0.3 to 3 m, from what `learned` sees."""
    detect = Detect("learned")
    made = range(LAYERS_SEED, LAYERS_SEED + pairs)
    files = sorted(file for folder in folders for file in folder.glob("*.npz"))
    seen = [*examples(detect, made, FINE), *towns(detect, made), *from_samples(detect, files)]
    card = f"layers: {len(seen)} pairs that `learned` was not trained on, made ones from seed {LAYERS_SEED}"
    return {**_over_layers(seen), "card": card}


def towns(detect: Detect, seeds: Sequence[int]) -> Iterator[Example]:
    """Made towns and arid sites of many lights and seasons, as the fine network's training has them."""
    from pipeline.train.fine.made import made_sample

    for seed in seeds:
        sample = made_sample(seed, town=seed % 3 > 0)
        yield from_sample(detect, sample.images, sample.labels, 0.5, f"town {seed}")


def _over_layers(seen: Sequence[Example]) -> dict[str, Any]:
    new, removed = (fit_layers.judged(seen, found_in) for found_in in (CHANGE, REMOVED))
    return {
        "new": fit(new, fit_layers.USED),
        "kind": fit_kind(new, fit_layers.USED),
        "removed": fit(removed, fit_layers.USED, hidden=0, ridge=COARSE_RIDGE),
    }


def main() -> None:
    """Fit the parts that are asked for, and write them into the weights."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="SET", help=", ".join(PARTS))
    parser.add_argument("--pairs", type=int, default=260, help="made pairs at 0.3 to 3 m")
    parser.add_argument("--coarse-pairs", type=int, default=30, help="made pairs at 5 to 10 m")
    parser.add_argument("--samples", type=Path, nargs="*", default=[], help="folders of samples")
    asked = parser.parse_args()
    unknown = sorted(set(asked.parts) - set(PARTS))
    if unknown:
        parser.error(f"{', '.join(unknown)}: choose from {', '.join(PARTS)}")
    for part in asked.parts or PARTS:
        if part == "fine-classic":
            fitted = fine_classic(asked.pairs)
        elif part == "fine-layers":
            fitted = fine_layers(asked.pairs, asked.samples)
        else:
            fitted = coarse(asked.coarse_pairs, part.partition("-")[2])
        write(part.replace("-", " "), fitted)


def write(name: str, fitted: dict[str, Any]) -> None:
    """Put one set into the weights, and leave the others as they are."""
    known = json.loads(WEIGHTS.read_text(encoding="utf-8")) | {name: fitted}
    WEIGHTS.write_text(json.dumps(known, indent=0, sort_keys=True) + "\n", encoding="utf-8")
    write_list()


if __name__ == "__main__":
    main()
