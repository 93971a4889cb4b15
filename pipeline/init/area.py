"""The area of a new site: a box around a point, a box as typed, or a file."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from pyproj import Geod

from pipeline.area import read_area

_GEOD = Geod(ellps="WGS84")
_DIGITS = 6  # of degrees: a tenth of a metre


def around(lat: float, lon: float, radius: float) -> tuple[float, float, float, float]:
    """The box (west, south, east, north in degrees) whose sides lie `radius` metres from a point."""
    _, north, _ = _GEOD.fwd(lon, lat, 0, radius)
    east, _, _ = _GEOD.fwd(lon, lat, 90, radius)
    _, south, _ = _GEOD.fwd(lon, lat, 180, radius)
    west, _, _ = _GEOD.fwd(lon, lat, 270, radius)
    return west, south, east, north


def as_written(area: str | Sequence[float], folder: Path) -> str:
    """How a site file in `folder` has an area: a box in degrees, or a file's path from there.

    area: numbers, the text "west,south,east,north", or a vector file. Raises AreaError where it is no area.
    """
    read_area(area)
    try:
        box = [float(part) for part in area.split(",")] if isinstance(area, str) else list(area)
    except ValueError:
        path = os.path.relpath(Path(str(area)).expanduser().resolve(), folder.resolve())
        return json.dumps(Path(path).as_posix(), ensure_ascii=False)
    return f"[{', '.join(f'{round(value, _DIGITS):.10g}' for value in box)}]"
