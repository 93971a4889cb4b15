"""Which detector is meant, and which one is taken where the user leaves it open."""

from __future__ import annotations

import difflib
from pathlib import Path

from pipeline.regime import regime
from pipeline.stages.detect.learned.inputs import VISIBLE
from pipeline.stages.detect.learned.network import SHIPPED, open_network, shipped

NAMES = ("auto", "classic", "learned")
ONNX = "onnx:"
FINE = "fine.onnx"
SECOND = "second.onnx"  # another opinion, from other weights


def known(detector: str) -> str:
    """The same text. Raises ValueError, with the nearest right one, for what is no detector."""
    if detector in NAMES or (detector.startswith(ONNX) and detector != ONNX):
        return detector
    near = difflib.get_close_matches(detector, (*NAMES, ONNX), n=1, cutoff=0.6)
    if detector.endswith(".onnx"):
        hint = f"is {ONNX}{detector.partition(':')[2] or detector} meant?"
    elif near:
        hint = f"is {near[0]}{'PATH' if near[0] == ONNX else ''} meant?"
    else:
        hint = f"there are {', '.join(NAMES)} and {ONNX}PATH"
    raise ValueError(f"{detector!r} is no detector; {hint}")


def located(detector: str, folder: Path) -> str:
    """The same, a model's path made absolute that is written as from `folder`."""
    if not detector.startswith(ONNX):
        return detector
    return ONNX + str((folder / Path(detector.removeprefix(ONNX)).expanduser()).resolve())


def chosen(detector: str, bands: tuple[str, ...], resolution: float) -> str:
    """What `auto` is for images of these bands and of `resolution` metres a pixel; else the same text."""
    if detector != "auto":
        return detector
    if regime(resolution) == "coarse":
        return "learned"
    if not shipped(FINE) or not set(bands) & set(VISIBLE):
        return "classic"
    return "learned" if resolution <= open_network(SHIPPED + FINE).metadata.coarsest * 1.01 else "classic"
