"""Fitting what the detectors know, from a seed. Needs torch and onnx; the program itself does not."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import as_file, files
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from pipeline.errors import ConfigError

_NEEDED = ("torch", "onnx")


def fit_own(pairs: Path, out: Path, start: Path | None, scratch: Path, seed: int, steps: int) -> int:
    """Fit the fine network further to labelled pairs and write it to `out`; how many samples they gave.

    Raises ConfigError where torch or onnx is not installed, and as `labelled_pairs` does.
    """
    _check_installed()
    from pipeline.stages.detect.choice import FINE
    from pipeline.train.fine.fit import ADAPTED, adapt
    from pipeline.train.pairs import labelled_pairs

    recipe = replace(ADAPTED, steps=steps)
    with as_file(files("pipeline.stages.detect.learned") / FINE) as shipped:
        return adapt(out, labelled_pairs(pairs), start or shipped, scratch, seed, recipe)


def remake_shipped(
    name: Literal["fine", "coarse"], images: Path, out: Path, scratch: Path, seed: int
) -> None:
    """Make the weights of the package again. Raises ConfigError where torch or onnx is not installed."""
    if name == "fine":
        _check_installed()
        from pipeline.train.fine.fit import remake

        remake(out, images, scratch, seed)
        return
    from pipeline.train.coarse import train_coarse

    train_coarse(images, out, seed)


def _check_installed() -> None:
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"training needs {' and '.join(missing)}; install with: pip install torch==2.13.0 'onnx>=1.20'"
        )
