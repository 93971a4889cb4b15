"""`run`, `monitor`, `check` and `init`: what is described by site files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from json import loads as load
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
    NoColour,
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
from pipeline.cli.session import computing, fail, leave, reporting, show, show_json
from pipeline.errors import GroundbreakError, StoppedError

STATUSES = ("confirmed", "removed", "candidate", "refuted")

if TYPE_CHECKING:
    from pipeline.config import Settings
    from pipeline.pairs import Outcome
    from pipeline.progress import Progress

Adjust = Callable[["Settings"], "Settings"]


def _interval(text: str) -> int:
    """Seconds. Raises BadParameter for what is no interval."""
    from pipeline.schedule import interval_s

    try:
        return interval_s(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


Every = Annotated[
    int | None,
    typer.Option(
        metavar="TIME", parser=_interval, show_default=False,
        help="Do it again every so often, as 30m, 6h or 1d, until told to end (SIGTERM, Ctrl-C).",
    ),
]  # fmt: skip
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be fetched and computed; write nothing.")
]
SiteFiles = Annotated[
    list[Path],
    typer.Argument(metavar="SITE.yaml", help="Site files, or folders of them.", show_default=False),
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
    no_colour: NoColour = False,
) -> None:
    """Compare two dates of a site. Files go to DIR/SITE ID/BEFORE_AFTER/."""
    with computing(scheduler, workers, verbose, quiet) as progress:
        from pipeline.config import load_site
        from pipeline.pages import write_index, write_site_page
        from pipeline.remote import delivered
        from pipeline.request import site_job
        from pipeline.run import run as compare

        given = load_site(site)
        dates = given.pair(iso(before), iso(after))
        with delivered(out) as folder:
            job = site_job(given, *dates, folder, settings_with(chunk_size, given.settings, detector))
            progress.begin(f"{given.name}, {dates[0]} to {dates[1]}")
            result = compare(job, progress)
            if folder == Path(out):  # not of a folder far away, whose other sites are not seen from here
                write_site_page(folder / given.id, also=dates)
                write_index(folder)
        show_result(result, f"{out}/{result.folder.relative_to(folder).as_posix()}", json)


def monitor(
    sites: SiteFiles,
    *,
    out: Out = "out",
    every: Every = None,
    dry_run: DryRun = False,
    scheduler: Scheduler = None,
    workers: Workers = 0,
    chunk_size: ChunkSize = None,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
    no_colour: NoColour = False,
) -> None:
    """Compare all dates of all sites, and follow the findings over time. What is done already is skipped."""

    def adjust(given: Settings) -> Settings:
        return settings_with(chunk_size, given)

    if "://" in out:
        fail(f"{out}: monitor writes to a folder only, by which it knows what is done")
    if dry_run:
        with reporting(verbose):
            raise typer.Exit(_planned(sites, Path(out), adjust, json))
    with computing(scheduler, workers, verbose, quiet) as progress:
        from pipeline.schedule import repeat

        def round_of_all() -> None:
            try:
                _watched(sites, Path(out), adjust, progress, json)
            except GroundbreakError as error:  # of this round; the next may do better
                progress.note(f"groundbreak: error: {error}")

        if every is None:
            raise typer.Exit(_watched(sites, Path(out), adjust, progress, json))
        try:
            repeat(round_of_all, every)
        except StoppedError:
            leave(0)


def _watched(sites: list[Path], out: Path, adjust: Adjust, progress: Progress, json: bool) -> int:
    """One round over all sites, its outcomes shown; the exit status."""
    from pipeline.batch import monitor as watch

    outcomes = []
    for outcome in watch(sites, out, progress, adjust):
        outcomes.append(outcome)
        progress.note(_told(outcome))
    outcomes.sort(key=lambda one: (one.site, one.before or "", one.after or ""))
    totals = _totals(outcomes, ("done", "skipped", "refused", "failed"))
    if json:
        show_json({**totals, "outcomes": [vars(outcome) for outcome in outcomes]})
    else:
        show(_table(outcomes), *_followed(Path(out), dict.fromkeys(outcome.site for outcome in outcomes)))
        show(", ".join(f"{count} {status}" for status, count in totals.items()))
    return 1 if totals["failed"] else 0


def _planned(sites: list[Path], out: Path, adjust: Adjust, json: bool) -> int:
    """What a round would do, shown; the exit status."""
    from pipeline.plan import plan

    plans = list(plan(sites, out, adjust))
    outcomes = [outcome for one in plans for outcome in one.outcomes]
    totals = _totals(outcomes, ("planned", "skipped", "refused", "failed"))
    size, unsized = sum(one.bytes for one in plans), sum(one.unsized for one in plans)
    if json:
        told = [{**vars(one), "outcomes": [vars(outcome) for outcome in one.outcomes]} for one in plans]
        show_json({**totals, "bytes": size, "unsized": unsized, "sites": told})
    else:
        show(_table(outcomes), ", ".join(f"{count} {status}" for status, count in totals.items()))
        more = f", and {unsized} files of unknown size" if unsized else ""
        show(f"would read {size / 1e6:.1f} MB of images{more}; nothing was computed or written")
    return 1 if totals["failed"] else 0


def _totals(outcomes: list[Outcome], statuses: tuple[str, ...]) -> dict[str, int]:
    counts = Counter(str(outcome.status) for outcome in outcomes)
    return {status: counts[status] for status in statuses}


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


def _followed(out: Path, sites: Iterable[str]) -> list[str]:
    """A line a site: its phase, how many things are followed, and where it is written."""
    lines = []
    for path in (path for site in sites if (path := out / site / "timeline.geojson").exists()):
        told = load(path.read_text(encoding="utf-8"))
        counts = Counter(feature["properties"]["status"] for feature in told["features"])
        things = ", ".join(f"{counts[status]} {status}" for status in STATUSES if counts[status])
        lines.append(
            f"{path.parent.name}: {told['phase'] or 'no phase yet'}; {things or 'nothing found'} ({path})"
        )
    return lines


def check(
    sites: SiteFiles, *, json: Json = False, verbose: Verbose = False, no_colour: NoColour = False
) -> None:
    """Say all that is wrong with site files, at once, and what there is to compare."""
    with reporting(verbose):
        from pipeline.check import check_site
        from pipeline.site_files import site_files

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
