"""`init`: a site file of what is given, of what is found, and, on a terminal, of what is answered."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.images import PixelSize, SourceCrs, point
from pipeline.cli.options import Json, NoColour, Verbose
from pipeline.cli.session import fail, reporting, show, show_json

if TYPE_CHECKING:
    from pipeline.init import Draft, Images
    from pipeline.scenes import Place

_AREA, _SOURCE = "Area", "Images"
DEFAULT_FILE, DEFAULT_RADIUS, DEFAULT_PATTERN = Path("site.yaml"), "1km", "images/{date}/*.tif"


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
    with reporting(verbose):
        if file.exists() and not force:
            fail(f"{file}: is there already; choose another name, or replace it with --force")
        given = _Given(
            file, site_id, name, images, stac, tuple(collection or ()), at, radius, aoi, pixel_size,
            source_crs,
        )  # fmt: skip
        draft = given.asked() if _on_terminal() and not no_input and not json else given.draft()
        _write(file, draft, force, json)


@dataclass(frozen=True)
class _Given:
    """What is typed, before it is looked at."""

    file: Path
    id: str | None
    name: str | None
    images: str | None
    stac: str | None
    collections: tuple[str, ...]
    at: str | None
    radius: str
    area: str | None
    pixel_size: float | None
    source_crs: str | None

    @property
    def place(self) -> Place:
        """Of images that do not say where they lie."""
        from pipeline.coordinates import latitude_longitude
        from pipeline.scenes import Place

        centre = latitude_longitude(self.at) if self.at is not None and self.pixel_size is not None else None
        return Place(centre, self.pixel_size if centre else None, self.source_crs)

    def draft(self, found: Images | None = None) -> Draft:
        """All that a site file needs. Raises what `find_images` and `as_written` raise."""
        from pipeline.init import Draft, find_images, named

        if found is None and self.images is not None:
            found = find_images(self.images, self.file.parent, self.place)
        slug, words = named(self._title())
        return Draft(
            id=self.id or (named(self.name)[0] if self.name else slug),
            name=self.name or words,
            area=self._area(found),
            files=found.pattern if found else DEFAULT_PATTERN,
            stac=(self.stac, self.collections) if self.stac else None,
            place=self.place,
            images=found,
        )

    def asked(self) -> Draft:
        """Likewise, with questions about what is not given."""
        from dataclasses import replace

        from pipeline.init import find_images

        given, found = self, None
        if self.stac is None:
            images = self.images or _ask("Images (a folder, or a pattern with {date} for the date)")
            found = find_images(images, self.file.parent, self.place)
            show(f"  found: {found.told()}")
            given = replace(given, images=images)
        if self.at is None and self.area is None:
            given = given.with_area(_ask(_AREA_QUESTION, "" if found else None))
        draft = given.draft(found)
        name = self.name or _ask("Name, for people", draft.name)
        given = replace(given, name=name)
        return replace(given, id=self.id or _ask("Id, for folders", given.draft(found).id)).draft(found)

    def with_area(self, answer: str) -> _Given:
        """An answer that may be a point, a box, a file, or nothing."""
        from dataclasses import replace

        from pipeline.coordinates import latitude_longitude
        from pipeline.errors import AreaError

        if not answer or Path(answer).expanduser().exists() or answer.count(",") == 3:
            return replace(self, area=answer or None)
        try:
            latitude_longitude(answer)
        except AreaError as error:
            fail(f"{error}; or name a file, or a box w,s,e,n")
        return replace(self, at=answer, radius=_ask("Radius", self.radius))

    def _title(self) -> str:
        """What names the site where nobody does."""
        if self.file.name != DEFAULT_FILE.name:
            return self.file.stem
        folders = [part for part in Path(self.images or "").resolve().parts if not set(part) & set("*?[{")]
        return folders[-1] if self.images else "my-site"

    def _area(self, found: Images | None) -> str | None:
        from pipeline.coordinates import latitude_longitude, metres
        from pipeline.init import around, as_written

        if self.at is not None and self.place.centre is None:
            return as_written(around(*latitude_longitude(self.at), metres(self.radius)), self.file.parent)
        area = self.area or (found.extent if found else None)
        return None if area is None else as_written(area, self.file.parent)


_AREA_QUESTION = (
    "Area: coordinates (34.4123, 40.9321), a file (GeoJSON, KML, GeoPackage), a box w,s,e,n in degrees;"
    " or Enter for what all dates show"
)


def _on_terminal() -> bool:
    return sys.stdin.isatty()


def _ask(question: str, default: str | None = None) -> str:
    """The answer; asked on standard error, as results go to standard output."""
    answer: str = typer.prompt(question, default=default, err=True, show_default=bool(default))
    return answer.strip()


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
    show(f"next: groundbreak check {file}")
