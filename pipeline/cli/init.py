"""`init`: a site file of what is given, of what is found, and, on a terminal, of what is answered."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.given import DEFAULT_FILE, DEFAULT_RADIUS, Given
from pipeline.cli.images import PixelSize, SourceCrs, point
from pipeline.cli.options import Json, NoColour, Verbose
from pipeline.cli.session import fail, reporting, show, show_json

if TYPE_CHECKING:
    from pipeline.init import Draft

_AREA, _SOURCE = "Area", "Images"


def init(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The site file to write.")] = DEFAULT_FILE,
    *,
    site_id: Annotated[
        str | None,
        typer.Option(
            "--id",
            metavar="ID",
            help="Names the output folder: letters, digits, - and _.",
            show_default="made of the file's or folder's name",
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="For people; heads the report.", show_default="likewise"),
    ] = None,
    images: Annotated[
        str | None,
        typer.Option(
            "--images",
            metavar="FOLDER",
            rich_help_panel=_SOURCE,
            show_default=False,
            help="A folder of images of several dates, or a pattern with {date} where the date stands.",
        ),
    ] = None,
    stac: Annotated[
        str | None,
        typer.Option(
            "--stac",
            metavar="URL",
            help="Instead: a STAC API, or the file of a catalogue.",
            rich_help_panel=_SOURCE,
            show_default=False,
        ),
    ] = None,
    collection: Annotated[
        list[str] | None,
        typer.Option(
            "--collection",
            metavar="NAME",
            help="What to search there; may be given several times.",
            rich_help_panel=_SOURCE,
            show_default=False,
        ),
    ] = None,
    pixel_size: PixelSize = None,
    source_crs: SourceCrs = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="LAT,LON",
            callback=point,
            rich_help_panel=_AREA,
            show_default=False,
            help="The site's middle (with --pixel-size: the images'), in degrees, with minutes, or MGRS.",
        ),
    ] = None,
    radius: Annotated[
        str, typer.Option("--radius", metavar="R", help="Around --at, as 500m.", rich_help_panel=_AREA)
    ] = DEFAULT_RADIUS,
    aoi: Annotated[
        str | None,
        typer.Option(
            "--aoi",
            "--bbox",
            metavar="AREA",
            rich_help_panel=_AREA,
            show_default="what all dates show",
            help="A file (GeoJSON, KML, GeoPackage, ...), or a box w,s,e,n in degrees.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    no_input: Annotated[bool, typer.Option("--no-input", help="Ask nothing, also on a terminal.")] = False,
    json: Json = False,
    verbose: Verbose = False,
    no_colour: NoColour = False,
) -> None:
    """Write a commented site file. Images and dates are looked for; on a terminal, the rest is asked for."""
    if aoi and at:
        raise typer.BadParameter("an area and a middle are given; give one of --aoi and --at")
    if bool(stac) != bool(collection):
        raise typer.BadParameter("--stac and --collection go together")
    asks = _on_terminal() and not no_input and not json
    if stac and not (aoi or at or asks):
        raise typer.BadParameter("--stac is searched for an area; give --at or --aoi")
    with reporting(verbose):
        if file.exists() and not force:
            fail(f"{file}: is there already; choose another name, or replace it with --force")
        given = Given(
            file, site_id, name, images, stac, tuple(collection or ()), at, radius, aoi, pixel_size,
            source_crs,
        )  # fmt: skip
        draft = given.asked() if asks else given.draft()
        _write(file, draft, force, json)


def _on_terminal() -> bool:
    return sys.stdin.isatty()


def _write(file: Path, draft: Draft, force: bool, json: bool) -> None:
    from pipeline.init import write_site_file

    write_site_file(file, draft, force=force)
    found = draft.images
    if json:
        show_json(
            {
                "file": file,
                "id": draft.id,
                "name": draft.name,
                "source": draft.stac[0] if draft.stac else draft.files,
                "dates": found.dates if found else (),
                "images": vars(found) if found else None,
            }
        )
        return
    show(f"{file}: written")
    if found:
        show(f"  found: {found.told()}")
    elif draft.stac is None:
        show(f"  no images were looked for: put them at {draft.files} beside it, or name theirs by --images")
    show(f"next: groundbreak check {file}")
