"""`serve`: results in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.options import Verbose
from pipeline.cli.session import reporting


def serve(
    out: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of results.")] = Path("out"),
    *,
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="0 for any that is free.")] = 8642,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="0.0.0.0 lets other machines in; they need no password.")
    ] = "127.0.0.1",
    open_: Annotated[bool, typer.Option("--open", help="Open it in the browser, too.")] = False,
    verbose: Verbose = False,
) -> None:
    """Show results in the browser, and to QGIS by URL, until Ctrl-C. Only DIR is read, nothing is written."""
    with reporting(verbose):
        from pipeline.serve import page, server

        with server(out, port, host) as running:
            shown = "localhost" if host in {"127.0.0.1", "0.0.0.0"} else host
            first = "" if (first := page(out)) == "index.html" else first
            address = f"http://{shown}:{running.server_address[1]}/{first}"
            print(address, flush=True)
            if open_:
                typer.launch(address)
            try:
                running.serve_forever()
            except KeyboardInterrupt:
                raise typer.Exit(0) from None
