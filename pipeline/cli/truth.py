"""`simulate` and `score`: made scenes whose truth is known, and findings against truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.table import Table

from pipeline.cli.options import Json, NoColour, Verbose
from pipeline.cli.session import reporting, show, show_json


def simulate(
    out: Annotated[Path, typer.Argument(metavar="DIR", help="Where the files go.", show_default=False)],
    *,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Another number, another place.")] = 0,
    size: Annotated[int, typer.Option(metavar="PX", min=128, max=8192, help="Pixels a side.")] = 512,
    resolution: Annotated[float, typer.Option(metavar="M", min=0.1, max=60, help="Metres a pixel.")] = 0.5,
    town: Annotated[
        str | None,
        typer.Option(
            metavar="GROWTH",
            show_default="a site on the steppe",
            help="Draw a town: quiet, infill, growing, 'new estate' or clearance.",
        ),
    ] = None,
    unchanged: Annotated[
        bool, typer.Option("--unchanged", help="Build nothing: every finding is false.")
    ] = False,
    json: Json = False,
    verbose: Verbose = False,
    no_colour: NoColour = False,
) -> None:
    """Make a before and an after image of an invented place, with truth.geojson and shift_truth.tif."""
    with reporting(verbose):
        from pipeline.simulate.pair import PairStyle, simulate_pair

        simulate_pair(out, seed, size, resolution, PairStyle(works=() if unchanged else None, town=town))
        if json:
            names = ("before", "after", "truth.geojson", "shift_truth.tif")
            show_json({"folder": out, "seed": seed, "files": {Path(name).stem: out / name for name in names}})
        else:
            show(f"made images, no photographs: {out}", f"next: groundbreak compare {out}/before {out}/after")


def score(
    result: Annotated[
        Path, typer.Argument(metavar="RESULT", help="Folder of a finished run.", show_default=False)
    ],
    truth: Annotated[
        Path,
        typer.Argument(
            metavar="TRUTH",
            help="GeoJSON with kind and direction, or a raster, 1 = built.",
            show_default=False,
        ),
    ],
    shift: Annotated[
        Path | None,
        typer.Option(
            "--shift", metavar="FILE", help="True shift: a raster, or shift_truth.json.", show_default=False
        ),
    ] = None,
    json: Json = False,
    verbose: Verbose = False,
    no_colour: NoColour = False,
) -> None:
    """Score the findings of a run against what is really there."""
    with reporting(verbose):
        from pipeline.evaluate import evaluate

        scores = evaluate(result, truth, shift)
        if json:
            show_json(scores)
        else:
            show(*_tables(scores))


def _tables(scores: dict[str, Any]) -> list[Table | str]:
    objects, pixels, alignment = scores["objects"], scores["pixels"], scores["alignment"]
    rates = _table("", "precision", "recall", "F1", "other")
    found = f"{objects['found']} of {objects['things']} found"
    false = f"{objects['false']} of {objects['findings']} findings false"
    area = f"{_number(objects['false_per_km2'])} a km²"
    _row(rates, "things", objects["precision"], objects["recall"], objects["f1"], f"{found}, {false}, {area}")
    average = f"average precision {_number(pixels['average_precision'])}"
    _row(rates, "pixels", pixels["precision"], pixels["recall"], pixels["f1"], average)
    kinds = _table("kind", "things", "found", "recall", "found as")
    for kind, of in objects["by_kind"].items():
        told = ", ".join(f"{n} {name}" for name, n in objects["confusion"].get(kind, {}).items())
        _row(kinds, kind, of["things"], of["found"], of["recall"], told)
    lines = [
        f"kind right: {_number(objects['kind_accuracy'])}",
        f"direction right: {_number(objects['direction_accuracy'])}",
        *(f"missed: {' '.join(str(value) for value in one.values())}" for one in objects["missed"]),
        *(f"false: #{one['id']} {one['direction']} {one['kind']}" for one in objects["false_findings"]),
    ]
    if objects["not_observed"]:
        lines.append(f"not observed and set aside: {objects['not_observed']}")
    if alignment:
        left, true = _number(alignment["residual_rms_px"]), _number(alignment["true_rms_px"])
        lines.append(f"misalignment left: {left} px rms of {true} px, at {alignment['points']} points")
    return [rates, kinds, *lines]


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for name in columns:
        table.add_column(
            name, justify="right" if name in {"precision", "recall", "F1", "things", "found"} else "left"
        )
    return table


def _row(table: Table, *cells: Any) -> None:
    table.add_row(*(cell if isinstance(cell, str) else _number(cell) for cell in cells))


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)
