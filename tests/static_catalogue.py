"""A static STAC catalogue of small made images, on disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pystac
from imagery import grid, noise, write

from pipeline.scenes import describe

BOX = grid(96, 96, size=10.0)
BANDS = ["blue", "green", "red", "nir"]
AREA = BOX.extent.to_crs("EPSG:4326")


def make_catalogue(
    folder: Path,
    days: tuple[str, ...],
    *,
    collection: str = "made",
    clouds: Mapping[str, slice] | None = None,
    **properties: Any,
) -> Path:
    """catalog.json with an Item a day; `clouds` are rows that the day's SCL marks as cloud (9), not land (5).
    Links and hrefs are relative.
    """
    extent = pystac.Extent(
        pystac.SpatialExtent([list(AREA.boundingbox.bbox)]), pystac.TemporalExtent([[None, None]])
    )
    root = pystac.Catalog("root", "made")
    below = pystac.Collection(collection, "made", extent)
    root.add_child(below)
    for number, day in enumerate(days):
        image = write(
            folder / "images" / day / f"{collection}.tif",
            noise(BOX, 4, seed=number),
            BOX,
            names=BANDS,
            nodata=0,
        )
        (item,) = describe(image, date=day)
        item.id = f"{collection}-{day}"
        item.properties.update(properties)
        if clouds is not None:
            classes = np.full((1, *BOX.shape.yx), 5, "uint8")
            classes[:, clouds.get(day, slice(0, 0))] = 9
            mask = write(folder / "images" / day / f"{collection}_SCL.tif", classes, BOX)
            item.add_asset("scl", pystac.Asset(str(mask), roles=["data-mask"]))
        below.add_item(item)
    root.normalize_hrefs(str(folder))
    root.make_all_asset_hrefs_relative()
    root.save(pystac.CatalogType.SELF_CONTAINED)
    return folder / "catalog.json"
