"""The network for images of 0.4 to 3 m: made again from a seed, or fitted further to a user's own pairs."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from pipeline.errors import SourceNotFoundError
from pipeline.stages.detect.learned.metadata import Metadata
from pipeline.stages.detect.learned.network import open_network
from pipeline.train.fine.backgrounds import backgrounds
from pipeline.train.fine.calibrate import calibrated
from pipeline.train.fine.export import load_onnx, save_onnx
from pipeline.train.fine.learn import Mixture, Recipe, Samples, Stored, learn
from pipeline.train.fine.made import made_sample
from pipeline.train.fine.own import store_samples
from pipeline.train.pairs import Labelled

TOWNS, ARID = 6000, 4700  # about as many made pairs as the shipped network has seen
_FIRST_TOWN, _FIRST_ARID = 20_000, 40_000  # their seeds
_KEPT_OUT: Final = {"town": range(700_000, 700_060), "arid": range(710_000, 710_050)}
METADATA: Final = Metadata(tile=512, overlap=32, finest=0.4, coarsest=3.2)
ADAPTED = Recipe(steps=600, batch=4, rate=5e-4, decay_from=0.3, average=0.995)


def remake(out: Path, images: Path, scratch: Path, seed: int, recipe: Recipe | None = None) -> None:
    """Train the shipped network anew and write it to `out` as ONNX; `images`: the folder of backgrounds.

    Made pairs are kept in `scratch` and not made twice. Raises SourceNotFoundError where no background is
    there.
    """
    grounds = backgrounds(images)
    if not grounds:
        raise SourceNotFoundError(f"{images}: none of the images that roofs.json outlines is there")
    stores = {
        "town": Stored(_made(scratch, "town", range(_FIRST_TOWN, _FIRST_TOWN + TOWNS))),
        "arid": Stored(_made(scratch, "arid", range(_FIRST_ARID, _FIRST_ARID + ARID))),
    }
    recipe = recipe or Recipe()
    samples = Samples(stores, grounds, Mixture(), seed, recipe.steps * recipe.batch)
    network = learn(samples, recipe)
    kept_out = [file for kind, seeds in _KEPT_OUT.items() for file in _made(scratch, kind, seeds)]
    told = calibrated(network, kept_out)
    save_onnx(network, out, METADATA.model_copy(update=told._asdict()))


def adapt(
    out: Path, pairs: Iterable[Labelled], start: Path, scratch: Path, seed: int, recipe: Recipe = ADAPTED
) -> int:
    """Train the network in `start` (ONNX, as `remake` writes it) further on labelled pairs, into `out`.

    Returns the number of samples that the pairs gave; half of what is learned from are made pairs, so that
    what it knew is not lost.
    """
    files = store_samples(pairs, scratch / "own")
    kept = max(min(len(files), 120), 12)
    stores = {
        "own": Stored(files),
        "town": Stored(_made(scratch, "town", range(_FIRST_TOWN, _FIRST_TOWN + kept))),
        "arid": Stored(_made(scratch, "arid", range(_FIRST_ARID, _FIRST_ARID + kept // 3))),
    }
    mixture = Mixture(town=0.35, arid=0.15, collage=0.0, own=0.5, coarser=0.0)
    samples = Samples(stores, (), mixture, seed, recipe.steps * recipe.batch)
    card = {"adapted from": start.name, "samples": len(files), "seed": seed, "steps": recipe.steps}
    known = open_network(str(start)).metadata  # its calibration holds: the loss weighs kinds as it did
    save_onnx(learn(samples, recipe, load_onnx(start)), out, known.model_copy(update={"card": card}))
    return len(files)


def _made(scratch: Path, kind: str, seeds: range) -> list[Path]:
    """Files of made pairs, made where they are not there yet."""
    folder = scratch / "made"
    folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor() as pool:
        return list(pool.map(partial(_store, folder, kind), seeds, chunksize=4))


def _store(folder: Path, kind: str, seed: int) -> Path:
    file = folder / f"{kind}_{seed}.npz"
    if not file.exists():
        sample, held = made_sample(seed, town=kind == "town"), file.with_suffix(".part.npz")
        np.savez(held, images=sample.images, labels=sample.labels)
        held.replace(file)
    return file
