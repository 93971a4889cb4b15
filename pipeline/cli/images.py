"""Options that say which images are meant and how they are to be read; and the images themselves."""

from __future__ import annotations

import math
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.options import day

if TYPE_CHECKING:
    from pipeline.scenes.told import Told

_IMAGES = "Images"


def nodata_value(text: str | None) -> str | None:
    """The same text. Raises BadParameter where it is neither a number nor `none`."""
    if text is None or text == "none":
        return text
    try:
        finite = math.isfinite(float(text))
    except ValueError:
        finite = False
    if not finite:
        raise typer.BadParameter(f"{text!r} is neither a number nor none")
    return text


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
Nodata = Annotated[
    str | None,
    typer.Option(
        metavar="N", callback=nodata_value, rich_help_panel=_IMAGES, show_default=False,
        help="Value of pixels that hold no image, instead of what the images say; none: all do.",
    ),
]  # fmt: skip


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


def told_of_images(
    bands: str | None,
    scale: float | None,
    offset: float | None,
    nodata: str | None,
    at: str | None,
    pixel_size: float | None,
    source_crs: str | None,
) -> Told:
    """What the words say of the images instead of their own metadata."""
    from pipeline.coordinates import latitude_longitude
    from pipeline.scenes import Place
    from pipeline.scenes.counts import told_counts
    from pipeline.scenes.told import Told

    names = None if bands is None else tuple(part.strip() for part in bands.split(",") if part.strip())
    centre = None if at is None else latitude_longitude(at)
    return Told(names, told_counts(scale, offset, nodata), Place(centre, pixel_size, source_crs))
