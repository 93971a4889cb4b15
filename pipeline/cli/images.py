"""Options that say which images are meant and how they are to be read; and the images themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.options import day

if TYPE_CHECKING:
    import pystac

_IMAGES = "Images"
Aoi = Annotated[
    str | None,
    typer.Option(
        metavar="FILE", help="Area of interest: GeoJSON or another vector file, or a box w,s,e,n in degrees.",
        rich_help_panel=_IMAGES, show_default=False,
    ),
]  # fmt: skip
Exclude = Annotated[
    str | None,
    typer.Option(
        metavar="FILE", help="Where nothing is a finding: a vector file, or a box w,s,e,n in degrees.",
        rich_help_panel=_IMAGES, show_default=False,
    ),
]  # fmt: skip
Mask = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Raster, not 0 where clouds hide it.",
        rich_help_panel=_IMAGES,
        show_default=False,
    ),
]
Day = Annotated[
    datetime | None,
    day("The one to take of several dates; or the date of images that do not tell theirs.", _IMAGES),
]
Bands = Annotated[
    str | None,
    typer.Option(
        metavar="LIST", help="Names of the bands by position, or those to use: blue,green,red,nir.",
        rich_help_panel=_IMAGES, show_default=False,
    ),
]  # fmt: skip
Scale = Annotated[
    float | None,
    typer.Option(
        metavar="S", help="Reflectance = counts x S + O.", rich_help_panel=_IMAGES, show_default=False
    ),
]
Offset = Annotated[
    float | None, typer.Option(metavar="O", help="See --scale.", rich_help_panel=_IMAGES, show_default=False)
]


def point(text: str | None) -> str | None:
    """The same text. Raises BadParameter where it is no latitude and longitude."""
    from pipeline.coordinates import latitude_longitude
    from pipeline.errors import AreaError

    try:
        if text is not None:
            latitude_longitude(text)
    except AreaError as error:
        raise typer.BadParameter(str(error)) from None
    return text


At = Annotated[
    str | None,
    typer.Option(
        metavar="LAT,LON", callback=point, rich_help_panel=_IMAGES, show_default=False,
        help="Where the middle of plain pictures lies (PNG, JPEG that do not say where they are), north up.",
    ),
]  # fmt: skip
PixelSize = Annotated[
    float | None,
    typer.Option(
        metavar="M", min=0.01, max=1000, rich_help_panel=_IMAGES, show_default=False,
        help="Metres a pixel of plain pictures, whose middle is --at.",
    ),
]  # fmt: skip
SourceCrs = Annotated[
    str | None,
    typer.Option(
        metavar="CRS", rich_help_panel=_IMAGES, show_default=False,
        help="Coordinate system of images that name none (with a world file), as EPSG:32637.",
    ),
]  # fmt: skip


@dataclass(frozen=True)
class Told:
    """What the words say of the images instead of their own metadata."""

    bands: str | None
    scale: float | None
    offset: float | None
    at: str | None
    pixel_size: float | None
    source_crs: str | None

    @property
    def names(self) -> tuple[str, ...] | None:
        """Of the bands."""
        if self.bands is None:
            return None
        return tuple(part.strip() for part in self.bands.split(",") if part.strip())

    def items(self, source: str) -> Sequence[pystac.Item]:
        """What there is at `source`, of any date."""
        from pipeline.coordinates import latitude_longitude
        from pipeline.scenes import Place, describe

        centre = None if self.at is None else latitude_longitude(self.at)
        place = Place(centre, self.pixel_size, self.source_crs)
        return describe(source, bands=self.names, scale=self.scale, offset=self.offset, place=place)

    def of_one_date(self, source: str, date: str | None, mend: str) -> tuple[pystac.Item, ...]:
        """The images of one date; see `by_date.of_one_date`."""
        from pipeline.scenes.by_date import of_one_date

        return tuple(of_one_date(source, self.items(source), date, mend))
