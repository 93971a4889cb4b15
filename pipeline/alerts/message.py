"""What is said of a finding: one JSON object, the same for every channel."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import geopandas as gpd
from shapely.geometry import mapping

from pipeline.outputs import style, words
from pipeline.outputs.provenance import plain
from pipeline.outputs.vectors import to_lonlat
from pipeline.stages.track import COLUMNS

BEFORE, AFTER = "before", "after"


def alert_id(site: str, rule: str, finding: str) -> str:
    """The same for the same finding and rule, whoever computes it: what makes a repeat recognisable."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"groundbreak:{site}/{rule}/{finding}"))


def message(
    site: tuple[str, str], rule: str, finding: gpd.GeoDataFrame, chips: dict[str, str], made: bool
) -> dict[str, Any]:
    """The alert for one finding (a table of one row).

    `site`: its id and name. `chips`: the pictures `before` and `after`, relative to the site's folder; may be
    empty. `geometry` is in longitude and latitude.
    """
    table = finding[list(COLUMNS)].astype(object)
    row = plain(table.where(table.notna(), None).iloc[0].to_dict())
    ((lon, lat),) = words.centres(finding)
    return {
        "id": alert_id(site[0], rule, str(row["id"])),
        "rule": rule,
        "site": {"id": site[0], "name": site[1]},
        "made": made,
        "title": f"{f'{style.MADE_MARK}: ' if made else ''}{site[1]}: {row['kind']} {row['status']}",
        "text": _text(row, lon, lat),
        "finding": row,
        "longitude": round(lon, 6),
        "latitude": round(lat, 6),
        "geometry": mapping(to_lonlat(finding).iloc[0]),
        "chips": chips,
    }


def _text(row: dict[str, Any], lon: float, lat: float) -> str:
    """Sentences for people."""
    state = f" ({row['state']})" if row["state"] else ""
    zone = f", in {row['zone']}" if row["zone"] else ""
    since = f"; not there on {words.long_date(row['not_before'])}" if row["not_before"] else ""
    return (
        f"A finding of kind {row['kind']}{state}, {row['status']}, confidence {row['confidence']:.2f}, "
        f"{words.square_metres(row['area_m2'])}{zone}. "
        f"First seen on {words.long_date(row['first_seen'])}{since}; last seen on "
        f"{words.long_date(row['last_seen'])}. At {words.position(lon, lat)}."
    )


def attachments(folder: Path, told: dict[str, Any]) -> list[Path]:
    """The alert's pictures that are there, before first."""
    named = [folder / told["chips"][side] for side in (BEFORE, AFTER) if side in told["chips"]]
    return [path for path in named if path.is_file()]
