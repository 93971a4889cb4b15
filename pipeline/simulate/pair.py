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
from rasterio.features import rasterize

from pipeline.errors import BandError, ConfigError
from pipeline.simulate.clouds import OPAQUE
from pipeline.simulate.geometry import Shift, Wave
from pipeline.simulate.layout import AFTER, BEFORE, Place, construction, random_works, roads, surroundings
from pipeline.simulate.light import Sun
from pipeline.simulate.materials import BANDS
from pipeline.simulate.scene import MadeImage, SceneSpec, View, cloud_cover, scene, shift_field, truth
from pipeline.simulate.season import Season
from pipeline.simulate.sensor import Sensor
from pipeline.simulate.suburb import suburb
from pipeline.simulate.terrain import GroundStyle
from pipeline.simulate.things import Kind, Thing
from pipeline.simulate.town import GROWTH, ground_style
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
    ground: GroundStyle | None = None  # None: steppe, or in towns one of many
    town: str | None = None  # how a town grows (a key of suburb.GROWTH), in place of a site on the steppe
    seasons: tuple[Season, Season] = (Season(), Season())
    leans: tuple[tuple[float, float], tuple[float, float]] = ((0.0, 0.0), (0.0, 0.0))  # as View.lean
    cloud: float = 0.0  # share of the after image


def pair_spec(seed: int, size: int, resolution: float, style: PairStyle) -> SceneSpec:
    """The scene behind a pair: random ground, a random place on it, and how the two dates see it.

    Raises ConfigError or BandError for what cannot be drawn.
    """
    _check(seed, size, resolution, style)
    half = size * resolution / 2
    corner = Affine(resolution, 0, _CENTRE[0] - half, 0, -resolution, _CENTRE[1] + half)
    geobox = GeoBox((size, size), corner, "EPSG:32637")
    things, ground = (
        _town(seed, half, resolution, style.town) if style.town else _site(seed, half, resolution, style)
    )
    views = _views(seed, 2 * half, resolution, style)
    return SceneSpec(geobox, tuple(things), views, seed, style.ground or ground)


def _site(seed: int, half: float, resolution: float, style: PairStyle) -> tuple[list[Thing], GroundStyle]:
    place = Place(np.random.default_rng([seed, 20]), half, resolution)
    things = roads(place)
    things += construction(place, random_works(place) if style.works is None else style.works)
    return things + surroundings(place), GroundStyle()


def _town(seed: int, half: float, resolution: float, growth: str) -> tuple[list[Thing], GroundStyle]:
    rng = np.random.default_rng([seed, 22])
    return suburb(rng, half, resolution, growth, resurfaced=0.2), ground_style(rng)


def _check(seed: int, size: int, resolution: float, style: PairStyle) -> None:
    if seed < 0:
        raise ConfigError(f"seed {seed}: choose 0 or more")
    if size < 64:
        raise ConfigError(f"size {size}: choose 64 pixels or more")
    if not 0.2 <= resolution <= 30:
        raise ConfigError(f"resolution {resolution:g}: choose 0.2 to 30 metres")
    if style.town is not None and style.town not in GROWTH:
        raise ConfigError(f"town {style.town!r}: choose from {', '.join(GROWTH)}")
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
    moved = Shift(east, north, waves if style.warp_px else ())
    return {
        BEFORE: View(style.suns[0], base, Shift(), style.seasons[0], style.leans[0]),
        AFTER: View(style.suns[1], later, moved, style.seasons[1], style.leans[1], style.cloud),
    }


def made_pair(
    seed: int, size: int = 256, resolution: float = 0.5, style: PairStyle | None = None
) -> MadePair:
    """A random pair, `size` pixels a side. The same arguments give the same bytes. Raises as pair_spec."""
    style = style or PairStyle()
    spec = pair_spec(seed, size, resolution, style)
    before, after = (scene(spec, date).delivered(style.bands, style.dtype) for date in (BEFORE, AFTER))
    return MadePair(before, after, _visible_truth(spec), shift_field(spec, BEFORE, AFTER))


def _visible_truth(spec: SceneSpec) -> gpd.GeoDataFrame:
    """What changed, but for what clouds hide in the after image, half of it or more."""
    things = truth(spec, BEFORE, AFTER)
    if not spec.views[AFTER].cloud:
        return things
    hidden = cloud_cover(spec, AFTER) > OPAQUE
    where = [
        rasterize([shape], hidden.shape, transform=spec.geobox.transform) == 1 for shape in things.geometry
    ]
    seen = [not (place.any() and hidden[place].mean() >= 0.5) for place in where]
    return things[seen].reset_index(drop=True)


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
