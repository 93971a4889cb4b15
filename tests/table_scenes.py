"""Made pairs in which one thing, or all at once, goes wrong, and the shift at ground level is known.

A place has a ground, a height and a cover of plants. A date looks at it under its own sun - shadows fall
elsewhere, the other side of a roof or a dune is lit - and in its own season. Both dates are painted on one
lattice and only then moved, so that the shift is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import xarray as xr
from aligned_scenes import Floats, grid_of, image_of
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from pyproj import Transformer
from scipy.ndimage import gaussian_filter, map_coordinates, spline_filter

Style = Literal["desert", "fields", "town"]
Rebuilt = Literal["none", "half", "patches"]
Sensor = Literal["same", "pan", "coarse", "other crs"]
Plane = NDArray[np.float32]

PAD = 80  # pixels painted around the grid, for what the after image shows of it
RESOLUTION = 0.5
BANDS = ("green", "red", "nir")
PLANTS = (0.08, 0.05, 0.46)  # reflectance of full cover
SOIL = (0.85, 1.0, 1.15)  # of a band, relative to red


@dataclass(frozen=True)
class Light:
    """Where the sun stands, in degrees; azimuth clockwise from north."""

    azimuth: float = 150.0
    elevation: float = 55.0


@dataclass(frozen=True)
class Case:
    """What the after image differs by. The shift is that of the centre, in pixels of the grid."""

    style: Style = "town"
    drow: float = 0.0
    dcol: float = 0.0
    rotation: float = 0.0  # degrees
    scale: float = 0.0  # percent
    cloud: float = 0.0  # share of the after image, with shadows beside
    masked: bool = False  # whether the clouds are known
    light: Light = Light()
    turned_season: bool = False  # where plants grew there are none, and the other way round
    rebuilt: Rebuilt = "none"
    sensor: Sensor = "same"
    size: int = 512
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Place:
    """Soil reflectance, share of plants, and height in pixels; all (y, x), `PAD` pixels wider than a grid."""

    soil: Plane
    plants: Plane
    height: Plane


@lru_cache(maxsize=32)
def place(style: Style, size: int, seed: int) -> Place:
    """A seeded place of the given style."""
    rng = np.random.default_rng([seed, size, len(style)])
    full = size + 2 * PAD
    rough = 0.012 if style == "desert" else 0.025
    soil = (0.27 + rough * _noise(rng, full, (1.0, 4.0, 12.0))).astype(np.float32)
    plants = np.zeros_like(soil)
    if style == "desert":
        height = (3 * _noise(rng, full, (6.0, 14.0, 40.0))).astype(np.float32)
        soil += (0.03 * _noise(rng, full, (25.0,))).astype(np.float32)
        for _ in range(full * full // 6000):
            _box(rng, soil, height, (2, 6), (-0.1, 0.1), (0.0, 1.5))
        return Place(soil, np.clip(0.1 * _noise(rng, full, (3.0,)) - 0.1, 0, 1).astype(np.float32), height)
    height = (3 * _noise(rng, full, (60.0,))).astype(np.float32)
    if style == "fields":
        for _ in range(full * full // 1200):
            _field(rng, soil, plants)
        for _ in range(full * full // 4000):
            _tree(rng, plants, height)
        for _ in range(full * full // 20000):
            _box(rng, soil, height, (6, 16), (-0.1, 0.2), (4.0, 8.0), plants)
    else:
        for _ in range(full * full // 260):
            _box(rng, soil, height, (6, 22), (-0.12, 0.25), (3.0, 10.0), plants)
        for _ in range(full * full // 3000):
            _tree(rng, plants, height)
    return Place(np.clip(soil, 0.03, 0.9), plants, height)


def _noise(rng: np.random.Generator, size: int, scales: tuple[float, ...]) -> Floats:
    layers = [gaussian_filter(rng.normal(size=(size, size)), s, mode="wrap") * s * 3.5 for s in scales]
    return np.asarray(np.sum(layers, axis=0) / np.sqrt(len(scales)), np.float64)


def _patch(
    rng: np.random.Generator, size: int, sides: tuple[int, int]
) -> tuple[tuple[slice, slice], Floats, Floats]:
    """A window of the place and, of each of its pixels, where it lies in a turned rectangle: inside, both
    are within one of its middle.
    """
    length, width = rng.uniform(*sides, 2)
    angle = 0.35 + rng.normal(0, 0.15)
    centre = rng.uniform(0, size, 2)
    reach = int(np.hypot(length, width) / 2) + 2
    rows, cols = (slice(max(0, int(c) - reach), min(size, int(c) + reach)) for c in centre)
    y, x = np.mgrid[rows, cols] - centre[:, None, None]
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    return (rows, cols), 2 * along / length, 2 * across / width


def _box(
    rng: np.random.Generator,
    soil: Plane,
    height: Plane,
    sides: tuple[int, int],
    brighter: tuple[float, float],
    tall: tuple[float, float],
    plants: Plane | None = None,
) -> None:
    """A building or a rock; two in three buildings have a ridge, so that one side is in the sun."""
    at, along, across = _patch(rng, len(soil), sides)
    inside = (np.abs(along) < 1) & (np.abs(across) < 1)
    ridge = rng.uniform(1, 3) * (rng.random() < 0.67) * (plants is not None)
    soil[at][inside] = 0.27 + rng.uniform(*brighter)
    height[at][inside] = height[at].min() + rng.uniform(*tall) + ridge * (1 - np.abs(across))[inside]
    if plants is not None:
        plants[at][inside] = 0


def _field(rng: np.random.Generator, soil: Plane, plants: Plane) -> None:
    at, along, across = _patch(rng, len(soil), (30, 110))
    inside = (np.abs(along) < 1) & (np.abs(across) < 1)
    plants[at][inside] = rng.choice((0.0, 0.1, 0.6, 0.9)) + rng.uniform(0, 0.1)
    soil[at][inside] += rng.normal(0, 0.03)


def _tree(rng: np.random.Generator, plants: Plane, height: Plane) -> None:
    at, along, across = _patch(rng, len(plants), (4, 9))
    crown = 1 - along**2 - across**2
    inside = crown > 0
    plants[at][inside] = 0.85
    height[at][inside] += (rng.uniform(3, 6) * np.sqrt(crown[inside])).astype(np.float32)


def seen_under(ground: Place, light: Light, turned_season: bool = False) -> Plane:
    """Reflectance (band, y, x) times light. Slopes are lit by their angle to the sun, and what is high casts
    a shadow.
    """
    azimuth, elevation = np.deg2rad(light.azimuth), np.deg2rad(light.elevation)
    towards = (-np.cos(azimuth), np.sin(azimuth))  # the sun, in rows and columns
    slope = _slope(ground.height, 0), _slope(ground.height, 1)
    tilt = np.clip(slope[0], -1, 1) * towards[0] + np.clip(slope[1], -1, 1) * towards[1]
    steep = np.sqrt(1 + np.clip(slope[0], -1, 1) ** 2 + np.clip(slope[1], -1, 1) ** 2)
    lit = np.maximum(0, (np.sin(elevation) - np.cos(elevation) * tilt) / steep)
    lit *= ~_shadow(ground.height, towards, float(np.tan(elevation)))
    plants = np.where(ground.plants > 0.04, 0.9 - ground.plants, 0) if turned_season else ground.plants
    plants = np.clip(plants, 0, 1)
    light_there = 0.18 + 0.82 * lit
    bands = [
        (ground.soil * soil * (1 - plants) + leaf * plants) * light_there
        for soil, leaf in zip(SOIL, PLANTS, strict=True)
    ]
    return np.stack(bands).astype(np.float32)


def _slope(height: Plane, axis: int) -> Plane:
    """Pixels of height a pixel, by the smaller of the differences with either neighbour.

    Of a wall the camera, straight above, sees nothing but the step: the difference across it would paint it
    as a lit or unlit rim that is two pixels wide, and changes sides with the sun.
    """
    back, ahead = height - np.roll(height, 1, axis), np.roll(height, -1, axis) - height
    return np.where(np.abs(back) < np.abs(ahead), back, ahead)


def _shadow(height: Plane, towards: tuple[float, float], rise: float) -> NDArray[np.bool_]:
    """Whether something between a pixel and the sun is higher than the ray."""
    hidden = np.zeros(height.shape, np.bool_)
    for step in range(1, int(min(16 / rise, 30)) + 1):
        row, col = (round(step * part) for part in towards)
        there = np.roll(height, (-row, -col), (0, 1))
        hidden |= there > height + step * rise + 0.3
    return hidden


@lru_cache(maxsize=32)
def _picture(
    style: Style, size: int, seed: int, light: Light, turned_season: bool, rebuilt: Rebuilt, blur: float
) -> Plane:
    """Spline coefficients of what a date shows, on the place's own lattice."""
    shown = seen_under(place(style, size, seed), light, turned_season)
    if rebuilt != "none":
        row, col = np.mgrid[: shown.shape[1], : shown.shape[2]] - PAD
        new = col < size // 2 if rebuilt == "half" else (row // 64 + col // 64) % 2 == 0
        shown = np.where(new, seen_under(place(style, size, seed + 777), light, turned_season), shown)
    return np.stack([spline_filter(gaussian_filter(b, blur), 3, np.float32) for b in shown])


def _look(picture: Plane, row: Floats, col: Floats) -> Plane:
    at = [(row + PAD).astype(np.float32), (col + PAD).astype(np.float32)]
    planes = [map_coordinates(b, at, order=3, mode="nearest", prefilter=False) for b in picture]
    return np.stack(planes).astype(np.float32)


def truth(case: Case, row: Floats, col: Floats) -> tuple[Floats, Floats]:
    """How far the ground at (row, col) is off in the after image, in rows and columns of the grid."""
    strain, turn = _map(case) - np.eye(2), case.size / 2
    y, x = row - turn, col - turn
    return case.drow + strain[0, 0] * y + strain[0, 1] * x, case.dcol + strain[1, 0] * y + strain[1, 1] * x


def _map(case: Case) -> Floats:
    angle, size = np.deg2rad(case.rotation), 1 + case.scale / 100
    return size * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


def made(case: Case) -> tuple[xr.Dataset, xr.Dataset, GeoBox]:
    """Before and after as load gives them, and the grid: that of the before image."""
    grid = grid_of(case.size, case.size, RESOLUTION)
    row, col = (a.astype(np.float64) for a in np.mgrid[: case.size, : case.size])
    before = _look(_picture(case.style, case.size, case.seed, Light(), False, "none", 0.75), row, col)
    native = _native(grid, case.sensor)
    q_row, q_col = _on_grid(native, grid)
    turn = case.size / 2
    back = np.linalg.inv(_map(case))
    y, x = q_row - case.drow - turn, q_col - case.dcol - turn
    ground = back[0, 0] * y + back[0, 1] * x + turn, back[1, 0] * y + back[1, 1] * x + turn
    blur = {"same": 0.8, "pan": 0.7, "coarse": 1.2, "other crs": 0.9}[case.sensor]
    picture = _picture(case.style, case.size, case.seed, case.light, case.turned_season, case.rebuilt, blur)
    after = _look(picture, *ground)
    rng = np.random.default_rng([case.seed, 5])
    seen = np.ones(after.shape[1:], np.bool_)
    if case.cloud:
        after, cloudy = _clouded(after, case.cloud, rng)
        if case.masked:
            seen &= ~cloudy
    after = after * np.array([1.1, 0.94, 0.9], np.float32)[:, None, None] + np.float32(0.012)
    before = before + rng.normal(0, 0.003, before.shape).astype(np.float32)
    after = after + rng.normal(0, 0.004, after.shape).astype(np.float32)
    bands: tuple[str, ...] = BANDS
    if case.sensor == "pan":
        after, bands = after[:2].mean(axis=0, keepdims=True), ("pan",)
    return (
        image_of(before, grid, bands=BANDS, chunk=256),
        image_of(after, native, seen, bands=bands, chunk=256),
        grid,
    )


def _native(grid: GeoBox, sensor: Sensor) -> GeoBox:
    """The grid that the after image is delivered on."""
    if sensor == "pan":
        return grid.zoom_to(resolution=0.4)
    if sensor == "coarse":
        return grid.zoom_to(resolution=0.7)
    if sensor == "other crs":
        return grid.to_crs("EPSG:32638")
    return grid


def _on_grid(native: GeoBox, grid: GeoBox) -> tuple[Floats, Floats]:
    """Row and column of the grid at each native pixel."""
    rows, cols = (a.astype(np.float64) + 0.5 for a in np.mgrid[: native.shape[0], : native.shape[1]])
    x, y = native.transform @ (cols, rows)
    if native.crs != grid.crs:
        x, y = Transformer.from_crs(str(native.crs), str(grid.crs), always_xy=True).transform(x, y)
    col, row = ~grid.transform @ (x, y)
    return np.asarray(row) - 0.5, np.asarray(col) - 0.5


def _clouded(image: Plane, share: float, rng: np.random.Generator) -> tuple[Plane, NDArray[np.bool_]]:
    """Clouds with soft edges and texture, and their shadows (21, 34) pixels off."""
    size = max(image.shape[1:])
    field = _noise(rng, size, (size / 16, 9.0))[: image.shape[1], : image.shape[2]]
    thick = np.clip((field - np.quantile(field, 1 - share)) / (0.25 * field.std()), 0, 1)
    shade = np.roll(thick, (21, 34), (0, 1)) * (1 - thick)
    white = 0.8 + 0.03 * _noise(rng, size, (3.0,))[: image.shape[1], : image.shape[2]]
    covered = image * (1 - 0.5 * shade) * (1 - thick) + white * thick
    return covered.astype(np.float32), np.maximum(thick, shade) > 0.05


def error_px(case: Case, dx: Floats, dy: Floats, row: Floats, col: Floats) -> Floats:
    """Distance in pixels of a field (metres) from the truth, NaN where the after image shows no such
    ground.
    """
    drow, dcol = truth(case, row, col)
    error = np.hypot(dx / RESOLUTION - dcol, -dy / RESOLUTION - drow)
    inside = (row + drow >= 0) & (row + drow < case.size) & (col + dcol >= 0) & (col + dcol < case.size)
    return np.where(inside, error, np.nan)
