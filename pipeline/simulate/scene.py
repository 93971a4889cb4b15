"""A made scene: ground, the things on it with their dates, and how each date was seen; images and truth come from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from zlib import crc32

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from scipy import ndimage
from shapely import affinity, ops
from shapely.geometry.base import BaseGeometry

from pipeline.simulate.canvas import Canvas, Frame
from pipeline.simulate.geometry import Shift, shift_between
from pipeline.simulate.light import Sun, illumination
from pipeline.simulate.noise import Array
from pipeline.simulate.paint import paint
from pipeline.simulate.sensor import Sensor, measured, through_air
from pipeline.simulate.terrain import GroundStyle, make_ground
from pipeline.simulate.things import Thing


@dataclass(frozen=True)
class View:
    """How one date was seen."""

    sun: Sun
    sensor: Sensor = Sensor()
    shift: Shift = Shift()


@dataclass(frozen=True)
class SceneSpec:
    """All there is to know about a scene; everything else follows from it and a seed."""

    geobox: GeoBox  # projected, metres, north up
    things: tuple[Thing, ...]
    views: dict[str, View]  # by date, YYYY-MM-DD
    seed: int
    ground: GroundStyle = GroundStyle()
    supersample: int = 1

    @cached_property
    def frame(self) -> Frame:
        """The grid it is drawn on."""
        return Frame(self.geobox, self.supersample, margin=max(12.0, 16 * float(self.geobox.resolution.x)))

    @cached_property
    def bare(self) -> Canvas:
        """The ground without anything on it, the same on every date."""
        return make_ground(np.random.default_rng([self.seed, 1]), self.frame, self.ground)


@dataclass(frozen=True)
class MadeImage:
    """One date as delivered. `image`: (band, y, x) float32 reflectance 0..1, blue, green, red, nir."""

    image: NDArray[np.float32]
    geobox: GeoBox
    date: str
    view: View


def drawn(spec: SceneSpec, date: str) -> Canvas:
    """The scene's ground and things on `date`, before light, air and sensor."""
    canvas = spec.bare.copy()
    paint(canvas, spec.things, date)
    return canvas


def scene(spec: SceneSpec, date: str) -> MadeImage:
    """Render `date` of `spec`. The same spec gives the same bytes."""
    view, frame = spec.views[date], spec.frame
    canvas = drawn(spec, date)
    light = canvas.reflectance * illumination(canvas.relief, canvas.blocks, frame.step, view.sun)
    seen = _sampled(through_air(light, view.sensor, frame.supersample), frame, view.shift)
    noise = np.random.default_rng([spec.seed, 2, crc32(date.encode())])
    return MadeImage(measured(seen, view.sensor, noise).astype(np.float32), spec.geobox, date, view)


def _sampled(light: Array, frame: Frame, shift: Shift) -> Array:
    """The drawn light read at each image pixel's ground point: the one resampling."""
    rows, cols = frame.rows_cols(*shift.ground(*frame.pixel_centres()))
    return np.stack([ndimage.map_coordinates(band, [rows, cols], order=3, mode="nearest") for band in light])


def shift_field(spec: SceneSpec, before: str, after: str) -> NDArray[np.float32]:
    """(2, y, x) float32 metres, dx east and dy north: what `before` shows at (X, Y) `after` shows at (X + dx, Y + dy)."""
    x, y = spec.frame.pixel_centres()
    shifts = shift_between(spec.views[before].shift, spec.views[after].shift, x, y)
    return np.stack(shifts).astype(np.float32)


def truth(spec: SceneSpec, before: str, after: str) -> gpd.GeoDataFrame:
    """What was built, removed or altered between two dates, where the `before` image shows it, in the scene's CRS.

    Columns: name, kind, direction (new, removed, altered), geometry.
    """
    rows = []
    for name in sorted({t.name for t in spec.things if t.kind}):
        group = [t for t in spec.things if t.name == name]
        then, now = ([replace(t, since="", until="") for t in group if t.stands(d)] for d in (before, after))
        if then == now:
            continue
        direction = "new" if not then else "removed" if not now else "altered"
        place = _seen(spec, before, _footprint(now or then))
        rows.append({"name": name, "kind": group[0].kind, "direction": direction, "geometry": place})
    columns = ["name", "kind", "direction", "geometry"]
    return gpd.GeoDataFrame(rows, columns=columns, geometry="geometry", crs=spec.geobox.crs.to_wkt())


def _footprint(things: list[Thing]) -> BaseGeometry:
    """The ground that things of one name take up; a group of machines includes the gaps that one cannot walk through."""
    polygons = [t.shape.polygon() for t in things]
    whole = ops.unary_union(polygons)
    if things[0].kind != "equipment":
        return whole
    gap = max(2.0, things[0].shape.thickness())
    return whole.buffer(gap, join_style="mitre").buffer(-gap, join_style="mitre")


def _seen(spec: SceneSpec, date: str, shape: BaseGeometry) -> BaseGeometry:
    """A local ground shape where `date`'s image shows it, in CRS coordinates."""
    shift = spec.views[date].shift

    def move(x: Array, y: Array) -> tuple[Array, Array]:
        x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
        dx, dy = shift.at(x, y)
        return x + dx, y + dy

    return affinity.translate(ops.transform(move, shape), *spec.frame.origin)
