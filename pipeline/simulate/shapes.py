"""Footprints: an oriented box or a path with a width, in metres east and north of the scene's centre."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, hypot, radians, sin
from typing import Final

import numpy as np
from shapely import affinity, geometry

from pipeline.simulate.noise import Array

Point = tuple[float, float]
FAR: Final = 1e6  # metres: farther from a path than matters


@dataclass(frozen=True)
class Box:
    """A rectangle; `turn` is its long axis's angle from east, degrees counter-clockwise."""

    x: float
    y: float
    length: float
    width: float
    turn: float = 0.0

    def polygon(self) -> geometry.Polygon:
        """The footprint as a polygon, local metres."""
        half_length, half_width = self.length / 2, self.width / 2
        box = geometry.box(-half_length, -half_width, half_length, half_width)
        return affinity.translate(affinity.rotate(box, self.turn, origin=(0, 0)), self.x, self.y)

    def axes(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Coordinates along and across the box, metres from its centre."""
        c, s = cos(radians(self.turn)), sin(radians(self.turn))
        return (x - self.x) * c + (y - self.y) * s, (y - self.y) * c - (x - self.x) * s

    def point(self, along: float, across: float) -> Point:
        """A point in local metres, given as shares of the length and width from the centre (-0.5 to 0.5)."""
        c, s = cos(radians(self.turn)), sin(radians(self.turn))
        u, v = along * self.length, across * self.width
        return self.x + u * c - v * s, self.y + u * s + v * c

    def distance(self, x: Array, y: Array) -> Array:
        """Signed distance to the edge in metres, negative inside."""
        along, across = self.axes(x, y)
        out_along, out_across = np.abs(along) - self.length / 2, np.abs(across) - self.width / 2
        outside = np.hypot(np.maximum(out_along, 0), np.maximum(out_across, 0))
        return np.asarray(outside + np.minimum(np.maximum(out_along, out_across), 0))

    def thickness(self) -> float:
        """The shorter side, metres."""
        return min(self.length, self.width)


@dataclass(frozen=True)
class Path:
    """A line of points with a width: a road, berm, wall or track."""

    points: tuple[Point, ...]
    width: float

    def polygon(self) -> geometry.Polygon:
        """The footprint as a polygon, local metres."""
        return geometry.LineString(self.points).buffer(self.width / 2, cap_style="flat", join_style="round")

    def centre_distance(self, x: Array, y: Array) -> Array:
        """Distance to the centre line, metres, on a grid (y falls along rows); FAR where out of reach."""
        nearest = np.full(x.shape, FAR)
        reach = self.width / 2 + 8 + 4 * (abs(float(y[0, 0] - y[-1, 0])) / max(len(y) - 1, 1))
        for (x0, y0), (x1, y1) in zip(self.points[:-1], self.points[1:], strict=True):
            cols = slice(*np.searchsorted(x[0], [min(x0, x1) - reach, max(x0, x1) + reach]))
            rows = slice(*np.searchsorted(-y[:, 0], [-max(y0, y1) - reach, -min(y0, y1) + reach]))
            near, u, v = nearest[rows, cols], x[rows, cols] - x0, y[rows, cols] - y0
            dx, dy = x1 - x0, y1 - y0
            share = np.clip((u * dx + v * dy) / max(dx * dx + dy * dy, 1e-12), 0, 1)
            np.minimum(near, np.hypot(u - share * dx, v - share * dy), out=near)
        return nearest

    def distance(self, x: Array, y: Array) -> Array:
        """Signed distance to the edge in metres, negative inside."""
        return np.asarray(self.centre_distance(x, y) - self.width / 2)

    def thickness(self) -> float:
        """The width, metres."""
        return self.width

    def length(self) -> float:
        """Along the centre line, metres."""
        return sum(
            hypot(b[0] - a[0], b[1] - a[1]) for a, b in zip(self.points[:-1], self.points[1:], strict=True)
        )

    def at(self, metres: float) -> tuple[float, float, float]:
        """Point `metres` along the line and its direction there: x, y, degrees from east."""
        line = geometry.LineString(self.points)
        here, ahead = line.interpolate(metres), line.interpolate(min(metres + 0.5, line.length))
        back = line.interpolate(max(metres - 0.5, 0))
        return here.x, here.y, float(np.degrees(np.arctan2(ahead.y - back.y, ahead.x - back.x)))


Shape = Box | Path


def curve(points: tuple[Point, ...], width: float, steps: int = 8) -> Path:
    """A smooth path through `points`: a Catmull-Rom spline, `steps` segments between each two."""
    fixed = np.array(points)
    ends = np.vstack([2 * fixed[0] - fixed[1], fixed, 2 * fixed[-1] - fixed[-2]])
    drawn: list[Point] = []
    for p0, p1, p2, p3 in zip(ends[:-3], ends[1:-2], ends[2:-1], ends[3:], strict=True):
        for t in np.arange(steps) / steps:
            bend = (2 * p0 - 5 * p1 + 4 * p2 - p3) * t * t + (3 * p1 - p0 - 3 * p2 + p3) * t * t * t
            x, y = 0.5 * (2 * p1 + (p2 - p0) * t + bend)
            drawn.append((float(x), float(y)))
    return Path((*drawn, (float(fixed[-1, 0]), float(fixed[-1, 1]))), width)


def ring(box: Box, thick: float, gap: float = 0.0) -> Path:
    """A ring along the edge of `box`, with an opening of `gap` metres in the middle of one short side."""
    g = gap / box.width / 2
    corners = ((0.5, g), (0.5, 0.5), (-0.5, 0.5), (-0.5, -0.5), (0.5, -0.5), (0.5, -g))
    return Path(tuple(box.point(u, v) for u, v in corners), thick)
