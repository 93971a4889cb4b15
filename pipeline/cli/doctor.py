"""`doctor`: what matters for a report of a bug."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from pipeline.cli.options import Json, NoColour, Out, Scheduler, Verbose
from pipeline.cli.session import computing, show, show_json


def doctor(
    *,
    out: Out = ".",
    scheduler: Scheduler = None,
    test: Annotated[
        bool, typer.Option("--test", help="Compare a small made pair too; takes a minute.")
    ] = False,
    json: Json = False,
    verbose: Verbose = False,
    no_colour: NoColour = False,
) -> None:
    """Look at the installation and the machine: paste what it prints into a report of a bug.

    No value of a setting that may hold a secret is told. Exit status 1 where something is wrong.
    """
    with computing(None, 0, verbose, quiet=True):
        from pathlib import Path

        from pipeline.doctor import examine

        found = examine(Path(out), scheduler, test=test)
        if json:
            show_json({"ok": not found.problems, "problems": found.problems, **found.facts})
        else:
            for title, facts in found.facts.items():
                show(Text(title, style="bold"), _table(facts))
            show(*(Text(f"problem: {line}", style="red") for line in found.problems))
            if not found.problems:
                show("nothing is wrong")
        raise typer.Exit(1 if found.problems else 0)


def _table(facts: dict[str, Any]) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, value in facts.items():
        label = name.removesuffix("_bytes").replace("_", " ")
        table.add_row(Text(f"  {label}"), Text(_told(name, value)))
    return table


def _told(name: str, value: Any) -> str:
    if name.endswith("_bytes"):
        return f"{value / 1e9:.1f} GB"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)
