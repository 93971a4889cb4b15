"""What is read, and from where: the one list of what files, servers and catalogues may lead to.

The defaults are safe with files and servers that nobody vouches for. They are widened by the environment
alone, which belongs to whoever runs the program; site files are handed around, and cannot. docs/limits.md
lists them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, fields

from pipeline.errors import ConfigError

PREFIX = "GROUNDBREAK_"

SCHEMES = ("https", "http", "s3")
"""Of addresses that images are read from; catalogues and alerts use the web alone."""

VECTORS = {".geojson": "GeoJSON", ".json": "GeoJSON", ".gpkg": "GeoPackage", ".shp": "Shapefile",
           ".fgb": "FlatGeobuf", ".kml": "KML"}  # fmt: skip
"""Formats of areas, zones and truth, by suffix; the first bytes must agree."""


@dataclass(frozen=True)
class Trust:
    """The limits that hold in this process; each is set by the variable GROUNDBREAK_<ITS NAME>.

    `allow_drivers`: GDAL's names of raster formats, added to those that name no other file. `allow_hosts`:
    names, addresses or networks (10.0.0.0/8) that are reached although they are not public.
    """

    allow_drivers: tuple[str, ...] = ()
    allow_hosts: tuple[str, ...] = ()
    max_side: int = 250_000  # pixels a side of an image
    max_bands: int = 500
    max_block_mb: int = 1024  # of one stored block (tile or strip) once it is decoded
    max_expansion: int = 1500  # decoded bytes for each byte of a file, where it decodes to over 1 GB
    max_requests: int = 20_000  # answers of a catalogue in one search
    max_items: int = 200_000  # that one search finds
    max_answer_mb: int = 100  # of one answer, and of one text file (STAC, GeoJSON)
    max_site_mb: int = 2  # of a site file
    max_values: int = 100_000  # in a site file, once its references are written out

    @property
    def drivers(self) -> tuple[str, ...]:
        """GDAL drivers that are tried."""
        return (*_DRIVERS, *(name for name in self.allow_drivers if name not in _DRIVERS))


# VRT, HFA, MRF, WMS, STACTA, PDS4 and many more name other files or servers in what they hold.
_DRIVERS = ("GTiff", "COG", "JP2OpenJPEG", "JP2KAK", "JP2ECW", "JPEG", "PNG", "NITF", "EHdr")


def trust() -> Trust:
    """What the environment says, now. Raises ConfigError for a value that is none."""
    given = {}
    for field in fields(Trust):
        text = os.environ.get(variable(field.name), "").strip()
        if text:
            given[field.name] = _value(field.name, text, isinstance(field.default, int))
    return Trust(**given)  # type: ignore[arg-type]


def variable(name: str) -> str:
    """The environment variable that sets a limit."""
    return PREFIX + name.upper()


def _value(name: str, text: str, number: bool) -> int | tuple[str, ...]:
    if not number:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise ConfigError(f"{variable(name)}={text}: not a whole number over 0; set one, or unset it")
    return int(text)
