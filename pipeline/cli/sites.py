"""`run`, `monitor`, `check` and `init`: what is described by site files."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from pipeline.cli.options import (
    ChunkSize,
    DetectorName,
    Json,
    Out,
    Quiet,
    Scheduler,
    SiteFile,
    Verbose,
    Workers,
    day,
    iso,
)
from pipeline.cli.pairs import settings_with, show_result
from pipeline.cli.session import computing, reporting, show, show_json

if TYPE_CHECKING:
    from pipeline.watch import Outcome

SiteFiles = Annotated[
    list[Path],
    typer.Argument(metavar="SITE.yaml...", help="Site files, or folders of them.", show_default=False),
]


def run(
    site: SiteFile,
    *,
    before: Annotated[datetime | None, day("The first date, instead of the site file's.")] = None,
    after: Annotated[datetime | None, day("The second date, likewise.")] = None,
    out: Out = "out",
    detector: DetectorName = None,
    scheduler: Scheduler = None,
    workers: Workers = 0,
    chunk_size: ChunkSize = None,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Compare two dates of a site. Files go to DIR/SITE ID/BEFORE_AFTER/."""
    with computing(scheduler, workers, verbose, quiet) as progress:
        from pipeline.config import load_site
        from pipeline.remote import delivered
        from pipeline.run import run as compare
        from pipeline.watch import site_job

        given = load_site(site)
        dates = given.pair(iso(before), iso(after))
        with delivered(out) as folder:
            job = site_job(given, *dates, folder, settings_with(chunk_size, given.settings, detector))
            progress.begin(f"{given.name}, {dates[0]} to {dates[1]}")
            result = compare(job, progress)
        show_result(result, f"{out}/{result.folder.relative_to(folder).as_posix()}", json)


def monitor(
    sites: SiteFiles,
    *,
    out: Out = "out",
    scheduler: Scheduler = None,
    workers: Workers = 0,
    chunk_size: ChunkSize = None,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Compare all dates of all sites, and follow the findings over time. What is done already is skipped."""
    with computing(scheduler, workers, verbose, quiet) as progress:
        from pipeline.errors import OutputError
        from pipeline.monitor import monitor as watch
        from pipeline.remote import is_url

        outcomes = []
        if is_url(out):
            raise OutputError(f"{out}: monitor writes to a folder only, by which it knows what is done")
        for outcome in watch(sites, Path(out), progress, lambda given: settings_with(chunk_size, given)):
            outcomes.append(outcome)
            progress.note(_told(outcome))
    outcomes.sort(key=lambda one: (one.site, one.before or "", one.after or ""))
    counts = Counter(outcome.status for outcome in outcomes)
    totals = {status: counts[status] for status in ("done", "skipped", "refused", "failed")}
    if json:
        show_json({**totals, "outcomes": [vars(outcome) for outcome in outcomes]})
    else:
        show(_table(outcomes), ", ".join(f"{count} {status}" for status, count in totals.items()))
    raise typer.Exit(1 if totals["failed"] else 0)


def _told(outcome: Outcome) -> str:
    dates = "".join(f" {part}" for part in (outcome.before, outcome.before and "to", outcome.after) if part)
    return f"{outcome.site}{dates}: {outcome.status}{f': {outcome.reason}' if outcome.reason else ''}"


def _table(outcomes: list[Outcome]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("site", "before", "after", "status", "findings"):
        table.add_column(name, justify="right" if name == "findings" else "left", no_wrap=True)
    table.add_column("reason")
    for one in outcomes:
        count = "" if one.findings is None else str(one.findings)
        table.add_row(
            *(Text(text or "") for text in (one.site, one.before, one.after, one.status, count, one.reason))
        )
    return table


def check(sites: SiteFiles, json: Json = False, verbose: Verbose = False) -> None:
    """Say all that is wrong with site files, at once, and what there is to compare."""
    with reporting(verbose):
        from pipeline.check import check_site
        from pipeline.monitor import site_files

        checked = [check_site(path) for path in site_files(sites)]
        if json:
            show_json(
                {"ok": not any(one.problems for one in checked), "sites": [vars(one) for one in checked]}
            )
        else:
            for one in checked:
                show(*one.problems, *([] if one.problems else [f"{one.file}: ok"]))
                show(*(f"  {fact}" for fact in one.facts))
        raise typer.Exit(1 if any(one.problems for one in checked) else 0)


def init(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The site file to write.")] = Path("site.yaml"),
    *,
    site_id: Annotated[
        str, typer.Option("--id", help="Names the output folder: letters, digits, - and _.")
    ] = "my-site",
    name: Annotated[str, typer.Option("--name", help="For people; heads the report.")] = "My site",
    files: Annotated[
        str, typer.Option("--files", metavar="PATTERN", help="The images, {date} where their date stands.")
    ] = "images/{date}/*.tif",
    aoi: Annotated[
        str | None,
        typer.Option(
            "--aoi", metavar="W,S,E,N", help="A box in degrees, or a GeoJSON file.", show_default=False
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    verbose: Verbose = False,
) -> None:
    """Write a site file with comments, to be filled in and checked."""
    with reporting(verbose):
        from pipeline.init import write_site_file

        write_site_file(file, site_id, name, files, aoi, force=force)
        show(f"{file}: written; edit it, then: groundbreak check {file}")
