"""A made scene: ground, dated things, and how each date was seen; images and truth follow from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final
from zlib import crc32

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from scipy import ndimage
from shapely import affinity
from shapely.geometry.base import BaseGeometry

from pipeline.simulate.canvas import Canvas, Frame
from pipeline.simulate.clouds import clouded, clouds
from pipeline.simulate.geometry import Shift, shift_between
from pipeline.simulate.lean import leaning
from pipeline.simulate.light import Sun, illumination
from pipeline.simulate.materials import BANDS
from pipeline.simulate.noise import Array
from pipeline.simulate.paint import paint
from pipeline.simulate.season import Season, in_season
from pipeline.simulate.sensor import Sensor, measured, through_air
from pipeline.simulate.terrain import GroundStyle, make_ground
from pipeline.simulate.things import Thing

BYTE_RANGE: Final = 0.6  # reflectance that 8-bit products stretch over their 255 steps
_PAN: Final = np.array(
    [0.15, 0.30, 0.35, 0.20], dtype=np.float32
)  # a panchromatic detector's response to the four bands


@dataclass(frozen=True)
class View:
    """How one date was seen."""

    sun: Sun
    sensor: Sensor = Sensor()  # noqa: RUF009 (a frozen value)
    shift: Shift = Shift()  # noqa: RUF009
    season: Season = Season()  # noqa: RUF009
    lean: tuple[float, float] = (0.0, 0.0)  # metres east and north that a roof moves for each metre of height
    cloud: float = 0.0  # share of the image


@dataclass(frozen=True)
class SceneSpec:
    """All there is to know about a scene; everything else follows from it and a seed."""

    geobox: GeoBox  # projected, metres, north up
    things: tuple[Thing, ...]
    views: dict[str, View]  # by date, YYYY-MM-DD
    seed: int
    ground: GroundStyle = GroundStyle()  # noqa: RUF009
    supersample: int = 1

    @cached_property
    def frame(self) -> Frame:
        """The grid it is drawn on."""
        pixel = float(self.geobox.resolution.x)
        reach = max(view.shift.reach() for view in self.views.values())
        return Frame(self.geobox, self.supersample, margin=max(12.0, 16 * pixel, reach + 8 * pixel))

    @cached_property
    def bare(self) -> Canvas:
        """The ground without anything on it, the same on every date."""
        return make_ground(np.random.default_rng([self.seed, 1]), self.frame, self.ground)


@dataclass(frozen=True)
class MadeImage:
    """One date as delivered. `image`: (band, y, x) float32 reflectance 0..1, in the order of `bands`."""

    image: NDArray[np.float32]
    geobox: GeoBox
    date: str
    view: View
    bands: tuple[str, ...] = BANDS

    def delivered(self, bands: tuple[str, ...], dtype: str) -> MadeImage:
        """The same with other bands (`pan` is their weighted sum), as read back from uint16 or uint8."""
        layers = {name: self.image[n] for n, name in enumerate(self.bands)}
        layers["pan"] = np.tensordot(_PAN, self.image, 1).astype(np.float32)
        image = np.stack([layers[name] for name in bands])
        if dtype == "uint8":
            image = (np.clip(np.round(image * (255 / BYTE_RANGE)), 1, 255) / 255).astype(np.float32)
        return replace(self, image=image, bands=bands)


def drawn(spec: SceneSpec, date: str) -> Canvas:
    """The scene's ground and things on `date`, before light, air and sensor."""
    canvas = spec.bare.copy()
    paint(canvas, spec.things, date)
    return canvas


def scene(spec: SceneSpec, date: str, canvas: Canvas | None = None) -> MadeImage:
    """Render `date` of `spec`; `canvas` is what `drawn` gave, if it is at hand. The same spec gives the same
    bytes.
    """
    view, frame = spec.views[date], spec.frame
    light = lit(canvas or drawn(spec, date), view)
    seen = _sampled(through_air(light, view.sensor, frame.supersample), frame, view.shift)
    if view.cloud:
        seen = clouded(seen, cloud_cover(spec, date), view.sun)
    noise = np.random.default_rng([spec.seed, 2, crc32(date.encode())])
    return MadeImage(measured(seen, view.sensor, noise).astype(np.float32), spec.geobox, date, view)


def cloud_cover(spec: SceneSpec, date: str) -> Array:
    """How thick the clouds over `date`'s image are, 0..1 (y, x)."""
    rng = np.random.default_rng([spec.seed, 3, crc32(date.encode())])
    rows, cols = (int(size) for size in spec.geobox.shape)
    return clouds(rng, (rows, cols), spec.frame.resolution, spec.views[date].cloud)


def lit(canvas: Canvas, view: View) -> Array:
    """What leaves the ground towards the sensor, (band, y, x): season, sun and shadow, and the look from the
    side.
    """
    colour = canvas.reflectance
    if view.season != Season():
        colour = in_season(colour, canvas.coarse, view.season)
    light = colour * illumination(canvas.relief, canvas.blocks, canvas.frame.step, view.sun)
    if view.lean == (0.0, 0.0):
        return np.asarray(light)
    rows, cols, wall = leaning(canvas.blocks, canvas.frame.step, view.lean)
    facing = 0.75 if view.lean[0] * view.sun.towards[0] + view.lean[1] * view.sun.towards[1] < 0 else 0.3
    return np.asarray(light[:, rows, cols] * np.where(wall, facing, 1.0))


def _sampled(light: Array, frame: Frame, shift: Shift) -> Array:
    """The drawn light read at each image pixel's ground point: the one resampling."""
    rows, cols = frame.rows_cols(*shift.ground(*frame.pixel_centres()))
    return np.stack([ndimage.map_coordinates(band, [rows, cols], order=3, mode="nearest") for band in light])


def shift_field(spec: SceneSpec, before: str, after: str) -> NDArray[np.float32]:
    """(2, y, x) float32 metres: what `before` shows at (X, Y), `after` shows at (X + dx, Y + dy)."""
    x, y = spec.frame.pixel_centres()
    shifts = shift_between(spec.views[before].shift, spec.views[after].shift, x, y)
    return np.stack(shifts).astype(np.float32)


def truth(spec: SceneSpec, before: str, after: str) -> gpd.GeoDataFrame:
    """What was built, removed or altered between two dates, where `before` shows it, in the scene's CRS.

    Columns: name, kind, direction (new, removed, altered), geometry.
    """
    rows = []
    for name in sorted({t.name for t in spec.things if t.kind}):
        group = [t for t in spec.things if t.name == name]
        then, now = ([replace(t, since="", until="") for t in group if t.stands(d)] for d in (before, after))
        if then == now:
            continue
        direction = "new" if not then else "removed" if not now else "altered"
        place = _seen(spec, before, footprint(now or then))
        rows.append({"name": name, "kind": group[0].kind, "direction": direction, "geometry": place})
    columns = ["name", "kind", "direction", "geometry"]
    return gpd.GeoDataFrame(rows, columns=columns, geometry="geometry", crs=str(spec.geobox.crs))


def footprint(things: list[Thing]) -> BaseGeometry:
    """The ground that things of one name take up; a group of machines includes the gaps between them."""
    polygons = [t.shape.polygon() for t in things]
    whole = shapely.union_all(polygons)
    if things[0].kind != "equipment":
        return whole
    gap = max(2.0, things[0].shape.thickness())
    closed = whole.buffer(gap, join_style="mitre").buffer(-gap, join_style="mitre")
    return closed if closed.covers(whole.buffer(-0.01)) else whole  # GEOS loses a mitred outline now and then


def _seen(spec: SceneSpec, date: str, shape: BaseGeometry) -> BaseGeometry:
    """A local ground shape where `date`'s image shows it, in CRS coordinates."""
    shift = spec.views[date].shift

    moved = shapely.transform(shape, lambda xy: xy + np.column_stack(shift.at(xy[:, 0], xy[:, 1])))
    return affinity.translate(moved, *spec.frame.origin)
