"""Random pairs of made images with exact truth: any seed, size, resolution and difficulty."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NamedTuple

import geopandas as gpd
import numpy as np
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from pipeline.errors import BandError, ConfigError
from pipeline.simulate.geometry import Shift, Wave
from pipeline.simulate.layout import AFTER, BEFORE, Place, construction, random_works, roads, surroundings
from pipeline.simulate.light import Sun
from pipeline.simulate.materials import BANDS
from pipeline.simulate.scene import MadeImage, SceneSpec, View, scene, shift_field, truth
from pipeline.simulate.sensor import Sensor
from pipeline.simulate.terrain import GroundStyle
from pipeline.simulate.things import Kind
from pipeline.simulate.write import sun_tags, write_geojson, write_raster, write_tiles

DTypes = Literal["uint16", "uint8"]
_CENTRE: Final = (680_000.0, 3_811_000.0)  # where made pairs lie, UTM 37N


class MadePair(NamedTuple):
    """Two made images on one grid, what changed where `before` shows it, and the exact shift."""

    before: MadeImage
    after: MadeImage
    truth: gpd.GeoDataFrame  # columns name, kind, direction, geometry; the grid's CRS
    shift: NDArray[np.float32]  # (2, y, x) metres: dx east, dy north, before to after


@dataclass(frozen=True)
class PairStyle:
    """How hard a pair is. Shifts in pixels (x east, y north), angles in degrees."""

    works: tuple[Kind, ...] | None = (
        None  # what is built: None a random choice, () nothing (all else differs)
    )
    suns: tuple[Sun, Sun] = (Sun(52, 147), Sun(45, 131))
    haze: tuple[float, float] = (0.08, 0.20)
    gain: float = 0.94  # of the after image against the before image
    noise: float = 0.0015
    shift_px: tuple[float, float] = (2.3, -1.6)
    warp_px: float = 0.4  # amplitude of the smooth local warp
    bands: tuple[str, ...] = BANDS  # any of blue, green, red, nir, pan
    dtype: DTypes = "uint16"
    ground: GroundStyle = GroundStyle()  # noqa: RUF009


def pair_spec(seed: int, size: int, resolution: float, style: PairStyle) -> SceneSpec:
    """The scene behind a pair: random ground, a random place on it, and how the two dates see it.

    Raises ConfigError or BandError for what cannot be drawn.
    """
    _check(seed, size, resolution, style)
    half = size * resolution / 2
    corner = Affine(resolution, 0, _CENTRE[0] - half, 0, -resolution, _CENTRE[1] + half)
    geobox = GeoBox((size, size), corner, "EPSG:32637")
    place = Place(np.random.default_rng([seed, 20]), half, resolution)
    things = roads(place)
    things += construction(place, random_works(place) if style.works is None else style.works)
    things += surroundings(place)
    return SceneSpec(geobox, tuple(things), _views(seed, 2 * half, resolution, style), seed, style.ground)


def _check(seed: int, size: int, resolution: float, style: PairStyle) -> None:
    if seed < 0:
        raise ConfigError(f"seed {seed}: choose 0 or more")
    if size < 64:
        raise ConfigError(f"size {size}: choose 64 pixels or more")
    if not 0.2 <= resolution <= 30:
        raise ConfigError(f"resolution {resolution:g}: choose 0.2 to 30 metres")
    unknown = sorted(set(style.bands) - {*BANDS, "pan"})
    if unknown or not style.bands:
        raise BandError(f"bands {', '.join(unknown) or 'none'}: choose from {', '.join(BANDS)}, pan")


def _views(seed: int, width: float, resolution: float, style: PairStyle) -> dict[str, View]:
    rng = np.random.default_rng([seed, 21])
    waves = tuple(
        Wave(style.warp_px * resolution * share, width * reach, *(float(a) for a in rng.uniform(0, 360, 3)))
        for share, reach in ((0.7, 1.1), (0.3, 0.7))
    )
    east, north = (s * resolution for s in style.shift_px)
    gain = tuple(float(style.gain + g) for g in rng.normal(0, 0.015, 4))
    base = Sensor(haze=style.haze[0], noise=style.noise)
    later = Sensor(haze=style.haze[1], noise=style.noise, gain=(gain[0], gain[1], gain[2], gain[3]))
    return {
        BEFORE: View(style.suns[0], base),
        AFTER: View(style.suns[1], later, Shift(east, north, waves if style.warp_px else ())),
    }


def made_pair(
    seed: int, size: int = 256, resolution: float = 0.5, style: PairStyle | None = None
) -> MadePair:
    """A random pair, `size` pixels a side. The same arguments give the same bytes. Raises as pair_spec."""
    style = style or PairStyle()
    spec = pair_spec(seed, size, resolution, style)
    before, after = (scene(spec, date).delivered(style.bands, style.dtype) for date in (BEFORE, AFTER))
    return MadePair(before, after, truth(spec, BEFORE, AFTER), shift_field(spec, BEFORE, AFTER))


def simulate_pair(
    out: Path, seed: int, size: int = 512, resolution: float = 0.5, style: PairStyle | None = None
) -> None:
    """Write a random pair to a folder: before/ and after/ (2 x 2 tiles each), truth.geojson, shift_truth.tif.

    shift_truth.tif: float32, bands dx and dy in metres on the before image's grid. Raises OutputError,
    ConfigError, BandError.
    """
    style = style or PairStyle()
    pair = made_pair(seed, size, resolution, style)
    for name, image in (("before", pair.before), ("after", pair.after)):
        tags = {**sun_tags(image), "GROUNDBREAK_SEED": str(seed)}
        write_tiles(out / name, f"made_{name}", image, tags, dtype=style.dtype)
    write_raster(out / "shift_truth.tif", pair.shift, pair.before.geobox, ("dx", "dy"), {})
    write_geojson(out / "truth.geojson", pair.truth)
