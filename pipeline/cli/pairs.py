"""`compare` and `align`: two images, no site file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pipeline.cli.images import (
    Aoi,
    At,
    Bands,
    Day,
    Exclude,
    Mask,
    Nodata,
    Offset,
    PixelSize,
    Scale,
    SourceCrs,
    told_of_images,
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
from pipeline.digests import begin as begin_checksums

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
    name: Annotated[
        str | None,
        typer.Option(help="Heads the report; unless given, what the images are called.", show_default=False),
    ] = None,
    aoi: Aoi = None,
    exclude: Exclude = None,
    before_mask: Mask = None,
    after_mask: Mask = None,
    before_date: Day = None,
    after_date: Day = None,
    bands: Bands = None,
    scale: Scale = None,
    offset: Offset = None,
    nodata: Nodata = None,
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
    begin_checksums([before, after])
    with computing(scheduler, workers, verbose, quiet) as progress:
        from pipeline.remote import delivered
        from pipeline.request import pair_job
        from pipeline.run import run

        with delivered(out) as folder:
            job = pair_job(
                before,
                after,
                folder,
                settings=settings_with(chunk_size, detector=detector),
                told=told_of_images(bands, scale, offset, nodata, at, pixel_size, source_crs),
                name=name,
                aoi=aoi,
                exclude=exclude,
                before_mask=before_mask,
                after_mask=after_mask,
                before_date=iso(before_date),
                after_date=iso(after_date),
                choose=_BY_DATE,
            )
            progress.begin(
                f"{before} to {after}" if after else f"{before}, {_days(job.before)} to {_days(job.after)}"
            )
            result = run(job, progress)
        show_result(result, out, json)


_BY_DATE = ("choose one with --before-date", "choose one with --after-date")
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
    nodata: Nodata = None,
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
        from pipeline.registration import register
        from pipeline.remote import delivered
        from pipeline.request import pair_job

        settings = settings_with(chunk_size)
        with delivered(out) as folder:
            job = pair_job(
                before,
                after,
                folder,
                settings=replace(
                    settings,
                    align=replace(settings.align, accept_uncertain=False),
                    compute=replace(settings.compute, kernel=kernel),
                ),
                told=told_of_images(bands, scale, offset, nodata, at, pixel_size, source_crs),
                aoi=aoi,
                before_mask=before_mask,
                after_mask=after_mask,
                choose=(_BY_PATH, _BY_PATH),
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

    return (given or Settings()).told(chunk_size=chunk_size, detector=detector)


def _days(items: Sequence[pystac.Item]) -> str:
    from pipeline.scenes.by_date import days_of

    return ", ".join(days_of(items))
