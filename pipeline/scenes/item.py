"""Items made from plain files, and what Groundbreak reads back from any Item's properties."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pystac
from odc.geo.geobox import GeoBox

from pipeline.errors import GroundbreakError

MADE = "groundbreak:made"
UNDATED = "groundbreak:date_unknown"
PLACED = "groundbreak:placed"
_A_SIDE = 16  # points of a footprint: within 2 m over a whole Sentinel-2 tile


def make_item(
    item_id: str, grid: GeoBox, assets: dict[str, pystac.Asset], date: str | None, made: bool
) -> pystac.Item:
    """An Item for one tile. Without a date it carries 1970-01-01 and says that this is a stand-in."""
    geographic = grid.crs is None or grid.crs.geographic
    footprint = grid.extent if geographic else grid.footprint("EPSG:4326", npoints=_A_SIDE)
    properties: dict[str, object] = {}
    if made:
        properties[MADE] = True
    if date is None:
        properties[UNDATED] = True
    return pystac.Item(
        id=item_id,
        geometry=footprint.json,
        bbox=list(footprint.boundingbox.bbox),
        datetime=datetime.fromisoformat(date or "1970-01-01").replace(tzinfo=UTC),
        properties=properties,
        stac_extensions=[
            "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
            "https://stac-extensions.github.io/eo/v2.0.0/schema.json",
            "https://stac-extensions.github.io/raster/v2.0.0/schema.json",
        ],
        assets=assets,
    )


def acquired(item: pystac.Item) -> str | None:
    """The day (UTC) an Item was taken, YYYY-MM-DD, or None where that is not known."""
    if item.properties.get(UNDATED):
        return None
    moment = item.datetime or item.common_metadata.start_datetime
    return moment.date().isoformat() if moment else None


def set_date(item: pystac.Item, date: str) -> None:
    """Say that the Item was taken on a day, YYYY-MM-DD. Raises GroundbreakError."""
    try:
        item.datetime = datetime.fromisoformat(date).replace(tzinfo=UTC)
    except ValueError:
        raise GroundbreakError(f"{date!r} is not a date; write YYYY-MM-DD.") from None
    item.properties.pop(UNDATED, None)


def is_placed(items: Sequence[pystac.Item]) -> bool:
    """Whether any of the images lies only where the user said."""
    return any(bool(item.properties.get(PLACED)) for item in items)


def is_made(items: Sequence[pystac.Item]) -> bool:
    """Whether any of the images is simulated, by its own metadata."""
    return any(bool(item.properties.get(MADE)) for item in items)
