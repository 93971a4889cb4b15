"""Options that several commands share, each written once."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

_COMPUTING, _OUTPUT = "Computing", "Output"


def _detector(name: str | None) -> str | None:
    """As typed, a model's path made absolute. Raises BadParameter for what is no detector."""
    from pipeline.stages.detect.choice import known, located

    try:
        return None if name is None else located(known(name), Path.cwd())
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _place(out: str) -> str:
    """A folder as an absolute path, a URL as it is."""
    from pipeline.remote import is_url

    return out if is_url(out) else str(Path(out).expanduser().absolute())


_SOURCE = "A file, a folder, a glob (in quotes), a STAC item, or a URL (s3://, https://)."
Before = Annotated[str, typer.Argument(metavar="BEFORE", help=_SOURCE, show_default=False)]
After = Annotated[
    str, typer.Argument(metavar="AFTER", help="Likewise, of the later date.", show_default=False)
]
SiteFile = Annotated[Path, typer.Argument(metavar="SITE.yaml", help="The site file.", show_default=False)]
Out = Annotated[
    str,
    typer.Option("--out", metavar="DIR", callback=_place, help="Where the files go; or s3://BUCKET/FOLDER."),
]

Scheduler = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS", rich_help_panel=_COMPUTING, show_default=False,
        help="Use the Dask cluster at this address, as tcp://host:8786; its workers must see the same files.",
    ),
]  # fmt: skip
Workers = Annotated[
    int,
    typer.Option(
        metavar="N", min=0, help="Use N processes of this machine; 0 for threads of one process.",
        rich_help_panel=_COMPUTING,
    ),
]  # fmt: skip
ChunkSize = Annotated[
    int | None,
    typer.Option(
        metavar="PX", min=64, rich_help_panel=_COMPUTING, show_default="1024, or the site file's",
        help="Side of a block in pixels: more is faster and takes more memory. It never changes the result.",
    ),
]  # fmt: skip
DetectorName = Annotated[
    str | None,
    typer.Option(
        "--detector", metavar="NAME", callback=_detector, show_default="auto, or the site file's",
        help="How change is detected: auto, classic, learned, or onnx:PATH for a model of your own.",
    ),
]  # fmt: skip
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object for programs.", rich_help_panel=_OUTPUT)
]
Verbose = Annotated[
    bool, typer.Option("--verbose", help="Log what happens, and show tracebacks.", rich_help_panel=_OUTPUT)
]
Quiet = Annotated[
    bool, typer.Option("--quiet", help="Say nothing but the result and errors.", rich_help_panel=_OUTPUT)
]


def day(help_text: str, panel: str | None = None) -> Any:
    """An option that takes a date, YYYY-MM-DD."""
    return typer.Option(
        metavar="DATE", formats=["%Y-%m-%d"], help=help_text, rich_help_panel=panel, show_default=False
    )


def iso(date: datetime | None) -> str | None:
    """The day as YYYY-MM-DD."""
    return None if date is None else date.date().isoformat()
