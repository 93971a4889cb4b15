"""`verify`: is a result whole, unchanged, reproducible?"""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli.options import Json, Quiet, Scheduler, Verbose, Workers
from pipeline.cli.session import computing, show, show_json


def verify(
    results: Annotated[
        list[str],
        typer.Argument(
            metavar="RESULT",
            help="Folders or URLs of finished runs; or a folder of them, as `monitor` leaves one.",
            show_default=False,
        ),
    ],
    *,
    again: Annotated[
        bool,
        typer.Option(
            "--again", help="Do the run again, by run.json alone, and compare all files to the byte."
        ),
    ] = False,
    scheduler: Scheduler = None,
    workers: Workers = 0,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Check that results are whole and unchanged by their checksums; exit status 1 where one is not."""
    with computing(scheduler, workers, verbose, quiet):
        from pipeline.verify import verify as check

        verdicts = []
        for result in results:
            for verdict in check(result, again):
                verdicts.append(verdict)
                if json:
                    continue
                show(*(f"{verdict.result}: {problem}" for problem in verdict.problems))
                if verdict.ok and not quiet:
                    told = "whole, unchanged and made again the same" if again else "whole and unchanged"
                    show(
                        f"{verdict.result}: {told}; {verdict.files} files, run.json SHA-256 {verdict.sha256}"
                    )
        failed = not all(verdict.ok for verdict in verdicts)
        if json:
            show_json({"ok": not failed, "results": [vars(one) | {"ok": one.ok} for one in verdicts]})
        raise typer.Exit(1 if failed else 0)
