"""What `init` is given, on the command line or as answers, made into all that a site file needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from pipeline.cli.session import print_to_stderr, show
from pipeline.errors import GroundbreakError

if TYPE_CHECKING:
    from pipeline.init import Draft, Images
    from pipeline.scenes import Place

T = TypeVar("T")

DEFAULT_FILE, DEFAULT_RADIUS, DEFAULT_PATTERN = Path("site.yaml"), "1km", "images/{date}/*.tif"
_IMAGES = "Images (a folder, or a pattern with {date} for the date)"
_AREA = (
    "Area: coordinates (34.4123, 40.9321), a file (GeoJSON, KML, GeoPackage), a box w,s,e,n in degrees;"
    " or Enter for what all dates show"
)


@dataclass(frozen=True)
class Given:
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
        given, found = self, None
        if self.stac is None:
            given, found = (
                self._looked(self.images) if self.images else _until_right(_IMAGES, None, self._looked)
            )
            show(f"  found: {found.told()}")
        if self.at is None and self.area is None:
            given = _until_right(_AREA, "" if found else None, given._somewhere)
        given = replace(given, name=self.name or _ask("Name, for people", given.draft(found).name))
        return replace(given, id=self.id or _ask("Id, for folders", given.draft(found).id)).draft(found)

    def _looked(self, images: str) -> tuple[Given, Images]:
        from pipeline.init import find_images

        return replace(self, images=images), find_images(images, self.file.parent, self.place)

    def _somewhere(self, answer: str) -> Given:
        """With an area that may be a point, a box, a file, or nothing. Raises AreaError."""
        from pipeline.coordinates import latitude_longitude, metres
        from pipeline.init import as_written

        if not answer:
            return self
        if Path(answer).expanduser().exists() or answer.count(",") == 3:
            as_written(answer, self.file.parent)
            return replace(self, area=answer)
        latitude_longitude(answer)
        radius = _ask("Radius", self.radius)
        metres(radius)
        return replace(self, at=answer, radius=radius)

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


def _until_right(question: str, default: str | None, use: Callable[[str], T]) -> T:
    """What is made of the answer; asked again where it is none."""
    while True:
        try:
            return use(_ask(question, default))
        except GroundbreakError as error:
            print_to_stderr(f"  {error}")


def _ask(question: str, default: str | None = None) -> str:
    """The answer; asked on standard error, as results go to standard output."""
    answer: str = typer.prompt(question, default=default, err=True, show_default=bool(default))
    return answer.strip()
