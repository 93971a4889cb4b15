"""`compare` and `align`: two images, no site file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pipeline.cli.images import (
    Aoi,
    At,
    Bands,
    Day,
    Exclude,
    Mask,
    Offset,
    PixelSize,
    Scale,
    SourceCrs,
    Told,
)
from pipeline.cli.options import (
    After,
    AfterOrNone,
    Before,
    ChunkSize,
    DetectorName,
    Json,
    NoColour,
    Out,
    Quiet,
    Scheduler,
    Verbose,
    Workers,
    iso,
)
from pipeline.cli.session import computing, near, show, show_json

Kernel = Literal["nearest", "bilinear", "cubic", "lanczos"]

if TYPE_CHECKING:
    import pystac

    from pipeline.config import Settings
    from pipeline.run import Result


def compare(
    before: Before,
    after: AfterOrNone = None,
    *,
    out: Out = "groundbreak-out",
    aoi: Aoi = None,
    exclude: Exclude = None,
    before_mask: Mask = None,
    after_mask: Mask = None,
    before_date: Day = None,
    after_date: Day = None,
    bands: Bands = None,
    scale: Scale = None,
    offset: Offset = None,
    at: At = None,
    pixel_size: PixelSize = None,
    source_crs: SourceCrs = None,
    detector: DetectorName = None,
    scheduler: Scheduler = None,
    workers: Workers = 0,
    chunk_size: ChunkSize = None,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
    no_colour: NoColour = False,
) -> None:
    """Compare two images (or sets of tiles) and report what was built between them."""
    with computing(scheduler, workers, verbose, quiet) as progress:
        from pipeline.area import read_area
        from pipeline.job import Job
        from pipeline.remote import delivered
        from pipeline.run import run

        told = Told(bands, scale, offset, at, pixel_size, source_crs)
        first, second = _pair(told, before, after, iso(before_date), iso(after_date))
        with delivered(out) as folder:
            job = Job(
                site_id="compare",
                site_name=_title(before, after),
                out=folder,
                before=first,
                after=second,
                before_mask=before_mask,
                after_mask=after_mask,
                aoi=None if aoi is None else read_area(aoi),
                exclude=None if exclude is None else {"excluded": read_area(exclude)},
                bands=told.names,
                settings=settings_with(chunk_size, detector=detector),
            )
            progress.begin(
                f"{before} to {after}" if after else f"{before}, {_days(first)} to {_days(second)}"
            )
            result = run(job, progress)
        show_result(result, out, json)


_BY_PATH = "name the folder or files of one"


def align(
    before: Before,
    after: After,
    *,
    out: Out,
    warp: Annotated[bool, typer.Option("--warp", help="Write the aligned after.tif too.")] = False,
    kernel: Annotated[Kernel, typer.Option(help="Interpolation of --warp.")] = "cubic",
    aoi: Aoi = None,
    before_mask: Mask = None,
    after_mask: Mask = None,
    bands: Bands = None,
    scale: Scale = None,
    offset: Offset = None,
    at: At = None,
    pixel_size: PixelSize = None,
    source_crs: SourceCrs = None,
    scheduler: Scheduler = None,
    workers: Workers = 0,
    chunk_size: ChunkSize = None,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
    no_colour: NoColour = False,
) -> None:
    """Measure how far the second image is off against the first: shift.tif and run.json."""
    with computing(scheduler, workers, verbose, quiet) as progress:
        from pipeline.area import read_area
        from pipeline.job import Job
        from pipeline.registration import register
        from pipeline.remote import delivered

        told = Told(bands, scale, offset, at, pixel_size, source_crs)
        settings = settings_with(chunk_size)
        with delivered(out) as folder:
            job = Job(
                site_id="compare",
                site_name=_title(before, after),
                out=folder,
                before=told.of_one_date(before, None, _BY_PATH),
                after=told.of_one_date(after, None, _BY_PATH),
                before_mask=before_mask,
                after_mask=after_mask,
                aoi=None if aoi is None else read_area(aoi),
                bands=told.names,
                settings=replace(
                    settings,
                    align=replace(settings.align, accept_uncertain=False),
                    compute=replace(settings.compute, kernel=kernel),
                ),
            )
            progress.begin(f"{before} to {after}")
            summary = register(job, progress, warp)
        if json:
            show_json({"folder": out, **summary})
        else:
            show(*_alignment_lines(summary["alignment"]), f"files: {near(out)}")


def _alignment_lines(told: Mapping[str, Any]) -> list[str]:
    """Status, shift and residuals, for people."""
    dx, dy = told["shift_m"]
    lines = [f"{told['status']}: {told['reason']}", f"shift: {dx:+.2f} m east, {dy:+.2f} m north"]
    if told["kept_out_points"]:
        lines.append(
            f"residual: {told['residual_px']:.2f} px, {told['residual_before_px']:.2f} px as delivered"
            f" (median of {told['kept_out_points']} tie points, each kept out of the fit)"
        )
    return lines


def show_result(result: Result, folder: str, as_json: bool) -> None:
    """The findings and where the report is, or the summary for programs."""
    report = f"{folder.rstrip('/')}/report.html"
    if as_json:
        show_json({"folder": folder, "report": report, **result.summary})
        return
    from pipeline.outputs.table import findings_table

    show(findings_table(result.findings, limit=50), f"report: {near(report)}")


def settings_with(
    chunk_size: int | None, given: Settings | None = None, detector: str | None = None
) -> Settings:
    """The given settings (or the defaults) with what the command line says, where it says so."""
    from pipeline.config import Settings

    settings = given or Settings()
    if chunk_size is not None:
        settings = replace(settings, compute=replace(settings.compute, chunk_size=chunk_size))
    if detector is not None:
        settings = replace(settings, detect=replace(settings.detect, detector=detector))
    return settings


def _pair(
    told: Told, before: str, after: str | None, before_date: str | None, after_date: str | None
) -> tuple[tuple[pystac.Item, ...], tuple[pystac.Item, ...]]:
    """The images of both dates."""
    if after is not None:
        first = told.of_one_date(before, before_date, "choose one with --before-date")
        return first, told.of_one_date(after, after_date, "choose one with --after-date")
    from pipeline.scenes.by_date import last_two_dates

    earlier, later = last_two_dates(before, told.items(before), before_date, after_date)
    return tuple(earlier), tuple(later)


def _days(items: Sequence[pystac.Item]) -> str:
    from pipeline.scenes.by_date import days_of

    return ", ".join(days_of(items))


def _title(before: str, after: str | None) -> str:
    """What the report is called: the last part of each path that is no pattern."""
    sources = [source for source in (before, after) if source is not None]
    names = [[part for part in Path(source).resolve().parts if "*" not in part] for source in sources]
    return " to ".join(parts[-1] if parts else "images" for parts in names)
