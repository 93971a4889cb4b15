"""Fit what the flag stage knows: pipeline/stages/flag/weights.json.

usage: python -m benchmarks.fit_flag [PART ...] [--pairs N] [--samples FOLDER ...]

Parts, all of them unless named:
  fine-change    where a detector gives change alone, 0.3 to 3 m: `real`, `kind` and `direction` over
                 measures, from random made pairs of any sun, haze, sensor and band set, seen by `classic`.
  coarse-change  the same at 5 to 10 m: kinds from made pairs; whether an object is real from the 14 training
                 cities of OSCD (what leaving each city out in turn gives is printed).
  fine-layers    where it gives a layer for each kind: `new` and `removed` over the statistics of layers,
                 from made pairs and towns as `learned` sees them, and from samples in folders (`--samples`,
                 files as the network's training has them, none of which it was trained on).
  coarse-layers  the same at 5 to 10 m, from made pairs.

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

from benchmarks import fit_layers, oscd_objects
from benchmarks.examples import Example, from_sample, from_samples
from benchmarks.fit_pairs import ALTERED, COARSE, FINE, examples
from benchmarks.networks import Floats, fit_network, judge
from pipeline.stages.detect import Detect
from pipeline.stages.detect.detector import CHANGE, KINDS, REMOVED
from pipeline.stages.flag.candidates import Candidate, find_patches
from pipeline.stages.flag.known import CLASSIC_LEVELS
from pipeline.stages.flag.measure import Measures
from pipeline.stages.flag.network import FINDING, NOTHING
from pipeline.stages.flag.segment import Levels

FIRST_SEED, LAYERS_SEED, HELD_OUT_SEED = 100_000, 800_000, 900_000
WEIGHTS = Path(__file__).parents[1] / "pipeline" / "stages" / "flag" / "weights.json"
PARTS = ("fine-change", "coarse-change", "fine-layers", "coarse-layers")
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
        percent = example.layers.layer(CHANGE)
        patches = find_patches(percent, example.pair.window, example.grid, example.bands, levels)
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


def fine_change(pairs: int) -> dict[str, Any]:
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


def coarse_change(pairs: int) -> dict[str, Any]:
    """The same for 5 to 10 m; prints what leaving each OSCD city out gives."""
    cities = oscd_objects.cities()
    oscd_objects.leave_one_out(cities)
    seen = measured(
        examples(Detect("classic"), range(FIRST_SEED, FIRST_SEED + pairs), COARSE), CLASSIC_LEVELS
    )
    return {
        "real": oscd_objects.fit(list(cities.values())),
        "kind": fit_names(seen)["kind"],
        "direction": oscd_objects.one_direction(),
        "card": (
            "change alone: real, measures of the objects in the 14 OSCD training cities (Caye Daudt et al. "
            "2018; modified Copernicus Sentinel data 2015-2018; truth CC BY-NC-SA); "
            f"kind, {pairs} made pairs from seed {FIRST_SEED}; MIT"
        ),
    }


def fine_layers(pairs: int, folders: Sequence[Path]) -> dict[str, Any]:
    """`new` and `removed` for 0.3 to 3 m, from what `learned` sees."""
    detect = Detect("learned")
    made = range(LAYERS_SEED, LAYERS_SEED + pairs)
    files = sorted(file for folder in folders for file in folder.glob("*.npz"))
    seen = [*examples(detect, made, FINE), *towns(detect, made), *from_samples(detect, files)]
    card = f"layers: {len(seen)} pairs that `learned` was not trained on, made ones from seed {LAYERS_SEED}"
    return {**_over_layers(seen), "card": card}


def coarse_layers(pairs: int) -> dict[str, Any]:
    """`new` and `removed` for 5 to 10 m."""
    made = range(LAYERS_SEED, LAYERS_SEED + pairs)
    seen = list(examples(Detect("learned"), made, COARSE))
    return {**_over_layers(seen), "card": f"layers: {pairs} made pairs from seed {LAYERS_SEED}; MIT"}


def towns(detect: Detect, seeds: Sequence[int]) -> Iterator[Example]:
    """Made towns and arid sites of many lights and seasons, as the fine network's training has them."""
    from pipeline.train.fine.made import made_sample

    for seed in seeds:
        sample = made_sample(seed, town=seed % 3 > 0)
        yield from_sample(detect, sample.images, sample.labels, 0.5, f"town {seed}")


def _over_layers(seen: Sequence[Example]) -> dict[str, Any]:
    models = {}
    for name, found_in in (("new", CHANGE), ("removed", REMOVED)):
        print(f"{name}:")
        models[name] = fit_layers.fit(fit_layers.judged(seen, found_in), fit_layers.USED)
    return models


def main() -> None:
    """Fit the parts that are asked for, and write them into the weights."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--pairs", type=int, default=260, help="made pairs at 0.3 to 3 m")
    parser.add_argument("--coarse-pairs", type=int, default=30, help="made pairs at 5 to 10 m")
    parser.add_argument("--samples", type=Path, nargs="*", default=[], help="folders of samples")
    asked = parser.parse_args()
    unknown = sorted(set(asked.parts) - set(PARTS))
    if unknown:
        parser.error(f"{', '.join(unknown)}: choose from {', '.join(PARTS)}")
    models = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    for part in asked.parts or PARTS:
        regime = part.partition("-")[0]
        if part == "fine-change":
            models[regime] |= fine_change(asked.pairs)
        elif part == "coarse-change":
            models[regime] |= coarse_change(asked.coarse_pairs)
        elif part == "fine-layers":
            models[regime] |= fine_layers(asked.pairs, asked.samples)
        else:
            models[regime] |= coarse_layers(asked.coarse_pairs)
        WEIGHTS.write_text(json.dumps(models, indent=0, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
