"""What a person names - two images, or two dates of a site - as the job of comparing them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import geopandas as gpd
import pystac
from odc.geo import Geometry

from pipeline.area import read_area
from pipeline.config import Settings, Site
from pipeline.errors import AreaError, ConfigError
from pipeline.job import Job
from pipeline.scenes.by_date import last_two_dates, of_one_date
from pipeline.scenes.told import Told

Images: TypeAlias = str | Path | pystac.Item | Sequence[Path] | Sequence[pystac.Item]
"""A file, a folder, a glob, a URL, a STAC Item, or several files or Items."""

Area: TypeAlias = str | Path | Sequence[float] | Geometry | gpd.GeoDataFrame | gpd.GeoSeries
"""A vector file; a box of west, south, east, north in degrees; or polygons with their CRS."""

BY_DATE = ("choose one with before_date", "choose one with after_date")


def pair_job(
    before: Images,
    after: Images | None,
    out: Path,
    *,
    settings: Settings,
    told: Told | None = None,
    name: str | None = None,
    aoi: Area | None = None,
    exclude: Area | None = None,
    before_mask: Path | None = None,
    after_mask: Path | None = None,
    before_date: str | None = None,
    after_date: str | None = None,
    choose: tuple[str, str] = BY_DATE,
) -> Job:
    """The comparison of two images without a site file; `out` gets the files themselves.

    Without `after`: of two dates in `before`, as given (YYYY-MM-DD), else the last two there are. `name`
    heads the report, what the images are called if not given. `choose` says how to choose one of the dates
    before and after, where several are there. Raises what `describe`, `of_one_date` and `read_area` raise.
    """
    told = told or Told()
    days = before_date, after_date
    if after is None:
        first, second = last_two_dates(_shown(before), _items(before, told), *days)
    else:
        first, second = (
            of_one_date(_shown(images), _items(images, told), day, mend)
            for images, day, mend in zip((before, after), days, choose, strict=True)
        )
    return Job(
        site_id="compare",
        site_name=name or " to ".join(_named(images) for images in (before, after) if images is not None),
        out=out,
        before=tuple(first),
        after=tuple(second),
        before_mask=before_mask,
        after_mask=after_mask,
        aoi=None if aoi is None else area(aoi),
        exclude=None if exclude is None else {"excluded": area(exclude)},
        bands=told.bands,
        settings=settings,
    )


def site_job(
    site: Site,
    before: str,
    after: str,
    out: Path,
    settings: Settings,
    scenes: Callable[[str], Sequence[pystac.Item]] | None = None,
) -> Job:
    """The comparison of two dates of a site, its files to go to OUT/<site id>/<before>_<after>/.

    `scenes`: what `site.scenes` gives, where it is at hand. Raises ConfigError where the dates are not in
    order, and what `Site.scenes` raises.
    """
    if before >= after:
        raise ConfigError(f"{site.path}: {before} is not earlier than {after}; name two dates in order")
    return Job(
        site_id=site.id,
        site_name=site.name,
        out=out / site.id / f"{before}_{after}",
        before=tuple((scenes or site.scenes)(before)),
        after=tuple((scenes or site.scenes)(after)),
        before_mask=_masks(site, before),
        after_mask=_masks(site, after),
        aoi=site.aoi,
        zones=site.zones,
        exclude=site.exclude,
        bands=site.bands,
        settings=settings,
    )


def _masks(site: Site, date: str) -> tuple[Path, ...] | None:
    """Absolute, since workers may run in other folders."""
    return tuple(mask.absolute() for mask in site.masks(date)) or None


def area(given: Area) -> Geometry:
    """One polygon or multipolygon with its CRS. Raises AreaError."""
    if isinstance(given, Geometry):
        return given
    if not isinstance(given, gpd.GeoDataFrame | gpd.GeoSeries):
        return read_area(given)
    shape = given.union_all()
    if given.crs is None or shape.geom_type not in {"Polygon", "MultiPolygon"} or shape.is_empty:
        fault = "has no CRS" if given.crs is None else f"is a {shape.geom_type}, not an area"
        raise AreaError(f"the area that was given {fault}; give polygons with a CRS")
    return Geometry(shape, given.crs)


def _items(images: Images, told: Told) -> list[pystac.Item]:
    """Of any date."""
    files, items = _sorted_out(images)
    return told.items(items) if items else told.files(files)


def _sorted_out(images: Images) -> tuple[str | Path | list[Path], list[pystac.Item]]:
    """Files to be described, or Items."""
    if isinstance(images, str | Path):
        return images, []
    several = [images] if isinstance(images, pystac.Item) else images
    items = [each for each in several if isinstance(each, pystac.Item)]
    return [Path(each) for each in several if not isinstance(each, pystac.Item)], items


def _shown(images: Images) -> str:
    """For messages: the path as it was given, or an Item's id; of the first, where there are several."""
    files, items = _sorted_out(images)
    return items[0].id if items else str(files[0] if isinstance(files, list) else files)


def _named(images: Images) -> str:
    """For people: the last part of a path that is no pattern, or an Item's id."""
    _, items = _sorted_out(images)
    if items:
        return items[0].id
    parts = [part for part in Path(_shown(images)).resolve().parts if "*" not in part]
    return parts[-1] if parts else "images"
