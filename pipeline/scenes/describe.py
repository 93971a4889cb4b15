"""Files on disk described as STAC Items: local tiles, a catalogue and an API take one path from here on."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import pystac

from pipeline.errors import (
    BandError,
    GeoreferenceError,
    SourceNotFoundError,
    SourceUnreadableError,
)
from pipeline.scenes.band_files import (
    common_name_of,
    is_beside,
    is_numbered,
    landsat_band,
    one_band_a_file,
    sentinel_2_band,
    tile_of,
)
from pipeline.scenes.calibration import LANDSAT_OFFSET, LANDSAT_SCALE, SENTINEL_2_SCALE, calibrate
from pipeline.scenes.catalog import read_items
from pipeline.scenes.collar import collars_as_nodata
from pipeline.scenes.counts import UNTOLD, Counts
from pipeline.scenes.find import STAC, find_files
from pipeline.scenes.item import PLACED, make_item, set_date
from pipeline.scenes.mask_kinds import is_mask_of, known_kind
from pipeline.scenes.names import common_name, no_such_band
from pipeline.scenes.place import NOWHERE, Place
from pipeline.scenes.raster import Header, asset, check_light, read_header
from pipeline.scenes.safe import declared_offset, images_only
from pipeline.scenes.sources import band_sources

log = logging.getLogger(__name__)


def describe(
    source: str | Path | Sequence[Path],
    *,
    date: str | None = None,
    bands: Sequence[str] | None = None,
    counts: Counts = UNTOLD,
    place: Place = NOWHERE,
) -> list[pystac.Item]:
    """Items for all images that `source` names, sorted by id; headers are read, and few pixels.

    source: a raster, a folder, a glob, or STAC JSON (Item, ItemCollection) in any of these ways; or several
    paths.
    date: YYYY-MM-DD, instead of what metadata and names say.
    bands: names of a file's bands by position (as many as it has), or a choice of those it has.
    counts: scale, offset and nodata instead of what the metadata say. Files named as Sentinel-2 bands have
        scale 1e-4; an offset is only ever taken from metadata, never guessed from the date.
    place: where images lie that do not say so themselves.
    Raises SourceNotFoundError, SourceUnreadableError, GeoreferenceError or BandError.
    """
    files = find_files(source)
    if files[0].suffix.lower() in STAC:
        items = calibrate([item for file in files for item in read_items(file)], counts)
        if not items:
            raise SourceNotFoundError(f"{files[0]}: holds no STAC Item; name an image, or another file")
    else:
        items = _from_rasters(files, bands, counts, place)
    for item in items:
        _check_bands(item, bands)
        if date is not None:
            set_date(item, date)
    return sorted(items, key=lambda item: item.id)


def describe_items(
    items: Sequence[pystac.Item],
    *,
    bands: Sequence[str] | None = None,
    counts: Counts = UNTOLD,
) -> list[pystac.Item]:
    """`describe` for Items that are at hand, which are left as they are. Raises BandError."""
    copies = calibrate([item.clone() for item in items], counts)
    for item in copies:
        _check_bands(item, bands)
    return sorted(copies, key=lambda item: item.id)


def _from_rasters(
    files: Sequence[Path], bands: Sequence[str] | None, counts: Counts, place: Place
) -> list[pystac.Item]:
    files = images_only(files)
    images = [file for file in files if not (len(files) > 1 and (known_kind(file.stem) or is_beside(file)))]
    if not images:
        raise SourceUnreadableError(
            f"{files[0].parent}: only masks and quicklooks here, no image bands; name their folder."
        )
    headers = [read_header(file, place) for file in images]
    _refuse_one_place_for_many(headers)
    for header in headers:
        check_light(header)
    if counts.nodata is None:
        headers = collars_as_nodata(headers)
    masks = [file for file in files if file not in images and known_kind(file.stem)]
    if one_band_a_file(images, headers):
        return _tiles_of_bands(headers, masks, counts)
    _refuse_unnamed_bands(headers)
    _say_what_was_assumed(headers, bands)
    root = os.path.commonpath([header.path.parent for header in headers])
    return [
        _tile(header, [mask for mask in masks if is_mask_of(mask, header.path)], Path(root), bands, counts)
        for header in headers
    ]


def _refuse_one_place_for_many(headers: Sequence[Header]) -> None:
    """One spot cannot be the middle of several pictures of a day, unless they are the bands of one."""
    placed = [header for header in headers if header.placed]
    for _, of_day in groupby(sorted(placed, key=lambda one: one.date or ""), key=lambda one: one.date):
        several = [header for header in of_day if len(header.nodata) > 1]
        if len(several) > 1:
            raise GeoreferenceError(
                f"{several[0].path.parent}: {len(several)} images of one date that do not say where they lie"
                " cannot all have one middle; give each a world file, or name one of them"
            )


def _refuse_unnamed_bands(headers: Sequence[Header]) -> None:
    """Single-band files, numbered as bands, that cover the very same ground on one day: bands, but which?"""
    single = [header for header in headers if len(header.nodata) == 1 and is_numbered(header.path)]
    places = {(header.grid, header.date) for header in single}
    if len(single) == len(headers) > len(places):
        raise BandError(
            f"{headers[0].path.parent}: one band a file, but the names do not say which; "
            "name the files B02.tif, B03.tif, ... or blue.tif, green.tif, ..."
        )


def _say_what_was_assumed(headers: Sequence[Header], bands: Sequence[str] | None) -> None:
    guessed = [header for header in headers if header.guessed]
    alpha = [header for header in headers if header.alpha_as_data]
    if guessed and not bands:
        names = ",".join(guessed[0].name())
        log.warning("%s: bands are not named; taken as %s. Name them with --bands.", _first(guessed), names)
    if alpha:
        log.warning(
            "%s: band %d is marked alpha, but holds an image: taken as data.",
            _first(alpha),
            alpha[0].alpha_as_data,
        )


def _first(headers: Sequence[Header]) -> str:
    more = f" and {len(headers) - 1} more" if len(headers) > 1 else ""
    return f"{headers[0].path}{more}"


def _tile(
    header: Header,
    masks: Sequence[Path],
    root: Path,
    bands: Sequence[str] | None,
    counts: Counts,
) -> pystac.Item:
    image = asset(header, header.name(bands), counts)
    item_id = header.path.relative_to(root).with_suffix("").as_posix().replace("/", "_")
    item = make_item(item_id, header.grid, {"image": image, **_masks(masks)}, header.date, header.made)
    if header.placed:
        item.properties[PLACED] = True
    return item


def _tiles_of_bands(headers: Sequence[Header], masks: Sequence[Path], counts: Counts) -> list[pystac.Item]:
    ordered = sorted(headers, key=lambda header: (tile_of(header.path), header.path.name))
    return [
        _tile_of_bands(tile, list(group), [mask for mask in masks if tile_of(mask) == tile], counts)
        for tile, group in groupby(ordered, key=lambda header: tile_of(header.path))
    ]


def _tile_of_bands(
    tile: str, headers: Sequence[Header], masks: Sequence[Path], counts: Counts
) -> pystac.Item:
    finest_first = sorted(headers, key=lambda header: abs(header.grid.resolution.x))
    assets: dict[str, pystac.Asset] = {}
    for header in finest_first:
        name = common_name_of(header.path)
        key = sentinel_2_band(header.path) or landsat_band(header.path) or name
        assert name is not None
        assert key is not None
        if key not in assets:
            assets[key] = asset(header, [name], counts, _documented(header))
    assets |= _masks(masks)
    made = any(header.made for header in headers)
    date = next((header.date for header in headers if header.date), None)
    return make_item(tile, finest_first[0].grid, dict(sorted(assets.items())), date, made)


def _is_counts(header: Header) -> bool:
    """Whether a band is counts of a product in which 0 is nodata."""
    product = sentinel_2_band(header.path) or landsat_band(header.path)
    return product is not None and not header.dtype.startswith("float")


def _documented(header: Header) -> Counts:
    """What is documented of a product's counts."""
    if not _is_counts(header):
        return UNTOLD
    if header.declares_scale:
        return Counts(nodata=0)
    if landsat_band(header.path):
        return Counts(LANDSAT_SCALE, LANDSAT_OFFSET, 0)
    return Counts(SENTINEL_2_SCALE, declared_offset(header.path), 0)


def _masks(files: Sequence[Path]) -> dict[str, pystac.Asset]:
    """The masks of a tile as assets by their kind, the finest of each."""
    found: dict[str, pystac.Asset] = {}
    for header in sorted(map(read_header, files), key=lambda header: abs(header.grid.resolution.x)):
        kind = known_kind(header.path.stem) or ""
        if kind not in found:
            found[kind] = asset(header, [kind])
            found[kind].roles = ["data-mask"]
    return found


def _check_bands(item: pystac.Item, bands: Sequence[str] | None) -> None:
    """Every band that is asked for must be there."""
    there = list(band_sources(item))
    if not there:
        raise BandError(f"{item.id}: no image among the assets of this STAC Item; name another")
    for band in bands or []:
        if (common_name(band) or band) not in there:
            raise no_such_band(item.id, band, there)
