"""`train`: fit a detector to labelled pairs of one's own, or make the shipped weights again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from pipeline.cli.options import Json, NoColour, Verbose
from pipeline.cli.session import reporting, show, show_json


def train(
    pairs: Annotated[
        Path,
        typer.Argument(
            metavar="PAIRS",
            help="A folder with before/, after/ and truth.geojson or truth.tif, or one of such folders."
            " With --shipped: the folder of its training images.",
            show_default=False,
        ),
    ],
    *,
    out: Annotated[
        Path, typer.Option("--out", metavar="MODEL", help="The file to write.", resolve_path=True)
    ],
    shipped: Annotated[
        Literal["fine", "coarse"] | None,
        typer.Option(
            "--shipped",
            help="Make the weights of the package again: fine (0.4 to 3 m) from unlabelled images,"
            " coarse (from 5 m) from labelled Sentinel-2 pairs.",
            show_default=False,
        ),
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(
            "--from", metavar="MODEL", help="Go on from this network.", show_default="the shipped one"
        ),
    ] = None,
    steps: Annotated[int, typer.Option(metavar="N", min=1, help="Steps of training.")] = 600,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="The same seed gives the same weights.")] = 1,
    scratch: Annotated[
        Path, typer.Option(metavar="DIR", help="Where made pairs are kept between runs.")
    ] = Path("training"),
    json: Json = False,
    verbose: Verbose = False,
    no_colour: NoColour = False,
) -> None:
    """Fit a detector to labelled pairs, for use as `--detector onnx:MODEL`."""
    with reporting(verbose):
        from pipeline.train import fit_own, remake_shipped

        if shipped:
            remake_shipped(shipped, pairs, out, scratch, seed)
            samples, told = None, [f"weights: {out}"]
        else:
            samples = fit_own(pairs, out, start, scratch, seed, steps)
            told = [f"{samples} samples of 256 x 256 pixels; weights: {out}", f"next: --detector onnx:{out}"]
        if json:
            show_json({"model": out, "samples": samples})
        else:
            show(*told)
