"""Two images as a person names them - paths, URLs, STAC Items - as the job of comparing them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TypeAlias

import geopandas as gpd
import pystac
from odc.geo import Geometry

from pipeline.area import read_area
from pipeline.config import Settings
from pipeline.errors import AreaError
from pipeline.job import Job
from pipeline.scenes import describe, describe_items

Images: TypeAlias = str | Path | pystac.Item | Sequence[Path] | Sequence[pystac.Item]
"""A file, a folder, a glob, a URL, a STAC Item, or several files or Items of one date."""

Area: TypeAlias = str | Path | Sequence[float] | Geometry | gpd.GeoDataFrame | gpd.GeoSeries
"""A vector file; a box of west, south, east, north in degrees; or polygons with their CRS."""


def pair_job(
    before: Images,
    after: Images,
    out: Path,
    *,
    settings: Settings,
    name: str | None = None,
    aoi: Area | None = None,
    exclude: Area | None = None,
    before_mask: Path | None = None,
    after_mask: Path | None = None,
    before_date: str | None = None,
    after_date: str | None = None,
    bands: Sequence[str] | None = None,
    scale: float | None = None,
    offset: float | None = None,
) -> Job:
    """The comparison of two images without a site file; `out` gets the files themselves.

    `name` heads the report, what the images are called if not given. Dates (YYYY-MM-DD), `bands`, `scale` and
    `offset` go before what the images say of themselves, as in `describe`. Raises what `describe` and
    `read_area` raise.
    """
    described = partial(_described, bands=bands, scale=scale, offset=offset)
    return Job(
        site_id="compare",
        site_name=name or f"{_named(before)} to {_named(after)}",
        out=out,
        before=described(before, before_date),
        after=described(after, after_date),
        before_mask=before_mask,
        after_mask=after_mask,
        aoi=None if aoi is None else area(aoi),
        exclude=None if exclude is None else {"excluded": area(exclude)},
        bands=None if bands is None else tuple(bands),
        settings=settings,
    )


def area(given: Area) -> Geometry:
    """One polygon or multipolygon with its CRS. Raises AreaError."""
    if isinstance(given, Geometry):
        return given
    if not isinstance(given, gpd.GeoDataFrame | gpd.GeoSeries):
        return read_area(given)
    shape = given.union_all()
    if given.crs is None or shape.geom_type not in {"Polygon", "MultiPolygon"} or shape.is_empty:
        told = "has no CRS" if given.crs is None else f"is a {shape.geom_type}, not an area"
        raise AreaError(f"the area that was given {told}; give polygons with a CRS")
    return Geometry(shape, given.crs)


def _described(
    images: Images,
    date: str | None,
    *,
    bands: Sequence[str] | None,
    scale: float | None,
    offset: float | None,
) -> tuple[pystac.Item, ...]:
    files, items = _sorted_out(images)
    if items:
        return tuple(describe_items(items, date=date, bands=bands, scale=scale, offset=offset))
    return tuple(describe(files, date=date, bands=bands, scale=scale, offset=offset))


def _sorted_out(images: Images) -> tuple[str | Path | list[Path], list[pystac.Item]]:
    """Files to be described, or Items."""
    if isinstance(images, str | Path):
        return images, []
    several = [images] if isinstance(images, pystac.Item) else images
    items = [each for each in several if isinstance(each, pystac.Item)]
    return [Path(each) for each in several if not isinstance(each, pystac.Item)], items


def _named(images: Images) -> str:
    """The last part of a path that is no pattern, or an Item's id; of the first, where there are several."""
    files, items = _sorted_out(images)
    if items:
        return items[0].id
    first = files[0] if isinstance(files, list) else files
    parts = [part for part in Path(first).parts if "*" not in part]
    return parts[-1] if parts else "images"
