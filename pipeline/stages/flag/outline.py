"""The outline of a thing, on the ground."""

from __future__ import annotations

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from shapely.geometry.base import BaseGeometry

from pipeline.grid import pixel_size
from pipeline.regime import regime
from pipeline.stages.flag.centreline import centre_line
from pipeline.stages.flag.contour import contour, simpler
from pipeline.stages.flag.square import squared
from pipeline.stages.flag.things import Thing

_SHARP_PX, _SOFT_PX = 0.6, 1.0  # smoothing of what has corners, and of what has none
_THICK_PX = 4.0  # of width, from which on a thing outlives smoothing
_TOLERANCE_PX = 0.5  # by which a simpler line may be off; a quarter of that where things are few pixels


def outline(thing: Thing, grid: GeoBox) -> BaseGeometry:
    """Polygon or MultiPolygon in the grid's CRS; with right angles where it is a building that has them."""
    fine = regime(pixel_size(grid)) == "fine"
    thick = thing.shape.width_m >= _THICK_PX * pixel_size(grid)
    smoothing = _SHARP_PX if thing.kind == "building" else _SOFT_PX
    loose = contour(thing.inside, thing.percent, thing.level, smoothing if fine and thick else 0.0)
    square = squared(thing.inside, loose) if fine and thing.kind == "building" else None
    shape = simpler(loose, _TOLERANCE_PX if fine else _TOLERANCE_PX / 4) if square is None else square
    return _on_ground(shape, grid[thing.window].transform)


def centre(thing: Thing, grid: GeoBox) -> BaseGeometry | None:
    """The centre line of a road in the grid's CRS, LineString or MultiLineString; None for anything else."""
    found = centre_line(thing.inside) if thing.kind == "road" else None
    if found is None:
        return None
    lines = [shapely.LineString(line[:, ::-1] + 0.5).simplify(_TOLERANCE_PX) for line in found.lines]
    whole = lines[0] if len(lines) == 1 else shapely.MultiLineString(lines)
    return _on_ground(whole, grid[thing.window].transform)


def _on_ground(shape: BaseGeometry, transform: Affine) -> BaseGeometry:
    def placed(points: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = points.T
        right, down = transform.a * x + transform.b * y, transform.d * x + transform.e * y
        return np.stack([right + transform.c, down + transform.f], axis=1)

    return shapely.transform(shape, placed)
