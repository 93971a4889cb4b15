"""Where sites lie: a small map of land and a graticule, drawn from what ships with the package.

Equirectangular, scaled so that a degree is as long both ways in the middle. The land is Natural Earth's at
1:110 000 000 (public domain), as npm's world-atlas 2.0.2 gives it, rounded to a hundredth of a degree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from pipeline.pages.svg import svg_path

WIDTH, HEIGHT = 860, 400
_LEAST = 24.0  # degrees of latitude shown at least: enough coast to know where one is
_ROOM = 1.35  # what is shown, beside what the sites span
_NEAR = 26.0  # pixels, within which sites are told by one mark
_STEPS = (1, 2, 5, 10, 15, 30, 45)


Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """A line of the graticule, at a pixel of one axis."""

    at: float
    label: str


@dataclass(frozen=True)
class Mark:
    """One site, or some that lie too near each other: pixels, and which they are (by their position)."""

    x: float
    y: float
    sites: tuple[int, ...]


@dataclass(frozen=True)
class Locator:
    """The map in pixels."""

    land: str
    meridians: tuple[Line, ...]
    parallels: tuple[Line, ...]
    marks: tuple[Mark, ...]


def locate(places: Sequence[tuple[float, float]], width: int = WIDTH, height: int = HEIGHT) -> Locator:
    """The map of `width` by `height` that shows all of `places` (lon, lat); there must be one at least."""
    lon, lat = _unwrapped(np.array([place[0] for place in places])), np.array([place[1] for place in places])
    middle = (lon.min() + lon.max()) / 2, (lat.min() + lat.max()) / 2
    stretch = 1 / max(np.cos(np.radians(middle[1])), 0.2)  # degrees of longitude for one of latitude
    tall = max(_LEAST, np.ptp(lat) * _ROOM, np.ptp(lon) * _ROOM / stretch * height / width)
    tall = min(tall, 180.0, 360.0 / stretch * height / width)
    wide = tall * stretch * width / height
    south = float(np.clip(middle[1] - tall / 2, -90, 90 - tall))
    west = float(middle[0] - wide / 2)
    scale = np.array([width / wide, -height / tall])

    def pixels(xy: Floats) -> Floats:
        return np.asarray((xy - np.array([west, south + tall])) * scale)

    points = pixels(np.column_stack([lon, lat])).round(1)
    return Locator(
        land=svg_path(
            shapely.simplify(shapely.transform(_land_within(west, south, wide, tall), pixels), 0.3)
        ),
        meridians=tuple(
            Line(round(float((x - west) * scale[0]), 1), _told((x + 180) % 360 - 180, "EW"))
            for x in _round_values(west, wide, width)
        ),
        parallels=tuple(
            Line(round(float((y - south - tall) * scale[1]), 1), _told(y, "NS"))
            for y in _round_values(south, tall, height)
        ),
        marks=tuple(_marks(points)),
    )


def _unwrapped(lon: Floats) -> Floats:
    """Longitudes as they lie side by side, also beyond 180: the map is cut where the widest gap is."""
    ordered = np.sort(lon)
    gaps = np.diff(np.append(ordered, ordered[0] + 360))
    start = ordered[(int(gaps.argmax()) + 1) % len(ordered)]
    return np.where(lon < start, lon + 360, lon)


def _land_within(west: float, south: float, wide: float, tall: float) -> BaseGeometry:
    turns = range(int((west + 180) // 360), int((west + wide + 180) // 360) + 1)
    parts = [
        shapely.transform(
            shapely.clip_by_rect(_land(), west - 360 * turn, south, west + wide - 360 * turn, south + tall),
            lambda xy, turn=turn: xy + np.array([360 * turn, 0]),
        )
        for turn in turns
    ]
    return shapely.GeometryCollection([p for part in parts for p in shapely.get_parts(part)])


@cache
def _land() -> BaseGeometry:
    return shapely.from_geojson((files("pipeline.pages") / "land.json").read_text(encoding="utf-8"))


def _round_values(start: float, span: float, size: int) -> list[int]:
    """Some of them between `start` and `start + span`, about a hundred pixels apart."""
    step = next((step for step in _STEPS if span / step <= size / 90), _STEPS[-1])
    return [value * step for value in range(int(np.ceil(start / step)), int((start + span) // step) + 1)]


def _told(value: float, sides: str) -> str:
    side = "" if value in {0, -180, 180} else sides[0] if value > 0 else sides[1]
    return f"{abs(value):g}°{side and ' '}{side}"


def _marks(points: Floats) -> list[Mark]:
    """Greedily, in the order given: a site joins the first mark that it lies near."""
    groups: list[list[int]] = []
    for i, point in enumerate(points):
        near = (g for g in groups if np.hypot(*(points[g[0]] - point)) < _NEAR)
        home = next(near, None)
        if home is None:
            groups.append([i])
        else:
            home.append(i)
    middles = [points[group].mean(axis=0).round(1) for group in groups]
    return [
        Mark(float(middle[0]), float(middle[1]), tuple(group))
        for middle, group in zip(middles, groups, strict=True)
    ]
