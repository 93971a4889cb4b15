"""Pixel grids, pixel-is-area: the one a date was delivered on, and the site's own, each a `GeoBox`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
import pystac
from affine import Affine
from odc.geo import CRS, Geometry
from odc.geo.geobox import GeoBox
from odc.geo.geom import polygon
from pyproj import Proj

from pipeline.area import read_area
from pipeline.errors import AreaError, BandError, GeoreferenceError, NoOverlapError
from pipeline.scenes.sources import pick

PHASE = 0.01  # pixels: grids whose pixel edges differ by less are one grid
STRETCH = 0.02  # a projection whose metres are off by more than this is not measured in


def native_grid(items: Sequence[pystac.Item], bands: Sequence[str]) -> GeoBox:
    """The grid on which one date was delivered: all tiles together, of the finest band.

    Tiles that share CRS, pixel size and pixel phase are joined without resampling. Where they do not (two UTM
    zones, two resolutions), the grid is that of the finest tile, the first one among equals, and load
    resamples the others onto it. Raises BandError where no band is asked for, as of images without any.
    """
    grids = list(dict.fromkeys(source.grid for item in items for source in pick(item, bands)))
    if not grids:
        raise BandError("the images of one date have no band in common; name the files of one sensor only")
    size = pixel_size if len({grid.crs for grid in grids}) == 1 else resolution_m
    finest = min(grids, key=lambda grid: round(size(grid), 9))
    return _span(finest, [pixel_bounds(finest, grid) for grid in grids])


def site_grid(
    before: GeoBox, aoi: Geometry | None, *, crs: str | None = None, resolution: float | None = None
) -> GeoBox:
    """The grid on which a pair is compared: north up, in true metres, cropped to the area of interest.

    The before image's own pixels where they are such and neither `crs` nor `resolution` (metres) says
    otherwise; else the UTM zone (near a pole UPS) of its centre at its own resolution, pixel edges on
    multiples of the resolution. Raises NoOverlapError where area and image share no ground,
    GeoreferenceError for a CRS that is not in metres.
    """
    if crs is not None and not _in_metres(CRS(crs), before):
        raise GeoreferenceError(
            f"crs {crs} is not measured in true metres here; leave it out, or name a UTM zone."
        )
    grid = _north_up(before) if before.axis_aligned else None
    if grid is None or not _in_metres(_crs(before), before) or crs is not None or resolution is not None:
        grid = _regrid(before, crs, resolution)
    return grid if aoi is None else crop(grid, aoi)


def crop(grid: GeoBox, geometry: Geometry, margin_px: int = 0) -> GeoBox:
    """The part of `grid`, in whole pixels, under the bounding box of `geometry` and `margin_px` pixels around
    it.

    Raises NoOverlapError where they share no ground.
    """
    bounds = _vertex_bounds(grid, geometry)
    rows, cols = grid.shape.yx
    left, top = (max(0, math.floor(low + PHASE) - margin_px) for low in bounds[:2])
    right = min(cols, math.ceil(bounds[2] - PHASE) + margin_px)
    bottom = min(rows, math.ceil(bounds[3] - PHASE) + margin_px)
    if left >= right or top >= bottom:
        raise NoOverlapError(
            f"the area of interest ({_degrees(geometry)}) lies outside the image ({_degrees(grid.extent)}); "
            "name images of this area, or check the area's coordinates."
        )
    return grid[top:bottom, left:right]


def blocks(grid: GeoBox, size: int) -> list[tuple[slice, slice]]:
    """Row and column slices that cut `grid` into squares of `size` pixels, row by row."""
    rows, cols = grid.shape.yx
    return [
        (slice(row, min(row + size, rows)), slice(col, min(col + size, cols)))
        for row in range(0, rows, size)
        for col in range(0, cols, size)
    ]


def neighbours(some: Iterable[tuple[slice, slice]], size: int, side: int) -> list[list[tuple[slice, slice]]]:
    """Blocks of `size` pixels in groups that lie together in squares of `side` blocks, row by row."""
    groups: dict[tuple[int, int], list[tuple[slice, slice]]] = {}
    for rows, cols in some:
        groups.setdefault((rows.start // (size * side), cols.start // (size * side)), []).append((rows, cols))
    return [groups[place] for place in sorted(groups)]


def to_lonlat(geometry: Geometry) -> Geometry:
    """The geometry in longitude and latitude (EPSG:4326)."""
    return geometry.to_crs("EPSG:4326")


def pixel_size(grid: GeoBox) -> float:
    """The side of a pixel in the CRS's units: of a square of its area."""
    return math.sqrt(abs(grid.transform.determinant))


def resolution_m(grid: GeoBox) -> float:
    """The side of a pixel in metres, at the grid's centre."""
    return (
        pixel_size(grid)
        if _in_metres(_crs(grid), grid)
        else pixel_size(grid.to_crs(_metric(grid), resolution="fit"))
    )


def pixel_bounds(grid: GeoBox, other: GeoBox) -> tuple[int, int, int, int]:
    """Where `other` lies in pixels of `grid`: left, top, right, bottom, whole pixels."""
    bounds = _vertex_bounds(grid, other.extent if other.crs == grid.crs else _dense(other))
    if same_pixels(grid, other):
        left, top, right, bottom = (round(value) for value in bounds)
    else:
        left, top = (math.floor(low + PHASE) for low in bounds[:2])
        right, bottom = (math.ceil(high - PHASE) for high in bounds[2:])
    return left, top, right, bottom


def same_pixels(grid: GeoBox, other: GeoBox) -> bool:
    """Whether each pixel of `other` is a pixel of `grid`'s lattice, its axes in the same directions."""
    if grid.crs != other.crs:
        return False
    there = ~grid.transform * other.transform
    corners = [there * corner for corner in ((0, 0), (other.shape.x, 0), (0, other.shape.y), other.shape.xy)]
    first, right, down, _ = corners
    whole = all(abs(value - round(value)) < PHASE for corner in corners for value in corner)
    steps = (
        right[0] - first[0] - other.shape.x,
        right[1] - first[1],
        down[0] - first[0],
        down[1] - first[1] - other.shape.y,
    )
    return whole and all(abs(step) < PHASE for step in steps)


def _vertex_bounds(grid: GeoBox, geometry: Geometry) -> tuple[float, float, float, float]:
    if geometry.crs != grid.crs:  # straight edges there are curved here
        box = geometry.boundingbox
        geometry = geometry.to_crs(_crs(grid), resolution=max(box.span_x, box.span_y) / 64)
    box = grid.project(geometry).boundingbox
    return box.left, box.bottom, box.right, box.top


def _crs(grid: GeoBox) -> CRS:
    assert grid.crs is not None  # images without a CRS are refused when they are described
    return grid.crs


def _span(grid: GeoBox, bounds: Iterable[tuple[int, int, int, int]]) -> GeoBox:
    lefts, tops, rights, bottoms = zip(*bounds, strict=True)
    left, top = min(lefts), min(tops)
    return GeoBox(
        (max(bottoms) - top, max(rights) - left), grid.transform * Affine.translation(left, top), grid.crs
    )


def _north_up(grid: GeoBox) -> GeoBox:
    grid = grid.flipy() if grid.transform.e > 0 else grid
    return grid.flipx() if grid.transform.a < 0 else grid


def _in_metres(crs: CRS, grid: GeoBox) -> bool:
    """Whether a metre of the CRS is one on the ground (UTM is, Web Mercator is not) at the grid's centre."""
    if not crs.projected or any(unit not in {"metre", "meter", "m"} for unit in crs.units):
        return False
    ((lon, lat),) = to_lonlat(grid.extent).centroid.points
    factors = Proj(crs.to_wkt()).get_factors(lon, lat)
    scales = np.array([factors.meridional_scale, factors.parallel_scale])
    return bool(np.all(np.abs(scales - 1) < STRETCH))


def _regrid(before: GeoBox, crs: str | None, resolution: float | None) -> GeoBox:
    """Square pixels over the extent of `before`, their edges on multiples of the resolution."""
    target = CRS(crs) if crs is not None else (before.crs if _in_metres(_crs(before), before) else None)
    size = resolution if resolution is not None else float(f"{resolution_m(before):.3g}")
    return before.to_crs(target or _metric(before), resolution=size)  # type: ignore[arg-type]


def _metric(grid: GeoBox) -> str:
    """A CRS in true metres for the grid's centre: UTM, or UPS beyond its limits (84° N, 80° S)."""
    ((_, lat),) = to_lonlat(grid.extent).centroid.points
    return "EPSG:32661" if lat > 84 else "EPSG:32761" if lat < -80 else "utm"


def _dense(grid: GeoBox) -> Geometry:
    return polygon([grid.transform * (col, row) for col, row in grid.boundary(64).tolist()], grid.crs)


def _degrees(geometry: Geometry) -> str:
    west, south, east, north = to_lonlat(geometry).boundingbox.bbox
    return f"{west:.4f} {south:.4f} {east:.4f} {north:.4f}"


__all__ = [
    "AreaError",
    "blocks",
    "crop",
    "native_grid",
    "pixel_size",
    "read_area",
    "resolution_m",
    "same_pixels",
    "site_grid",
    "to_lonlat",
]
