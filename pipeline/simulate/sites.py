"""What the sample sites share: their grid, and when and how they were seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from affine import Affine
from odc.geo.geobox import GeoBox
from pyproj import Transformer

from pipeline.simulate.geometry import Shift, Wave
from pipeline.simulate.light import Sun
from pipeline.simulate.scene import View
from pipeline.simulate.sensor import Sensor
from pipeline.simulate.things import NEVER, Thing

DATES: Final = ("2019-08-20", "2019-09-09", "2019-09-21")  # while things are built
QUIET: Final = ("2019-10-03", "2019-10-15", "2019-10-27", "2019-11-08", "2019-11-20")
"""Dates on which nothing more is built: clear, clouded, crops at their peak, shaken beyond use, clear."""
_, CLOUDED, PEAK, SHAKEN, _ = QUIET
CRS: Final = "EPSG:32637"  # UTM 37N
RESOLUTION: Final = 0.5  # metres
SIZE: Final = 640  # pixels a side


def grid_at(lon: float, lat: float) -> GeoBox:
    """The sample grid about a place: north up, corners on whole metres."""
    x, y = Transformer.from_crs("EPSG:4326", CRS, always_xy=True).transform(lon, lat)
    half = SIZE * RESOLUTION / 2
    corner = Affine(RESOLUTION, 0, round(x) - half, 0, -RESOLUTION, round(y) + half)
    return GeoBox((SIZE, SIZE), corner, CRS)


def views(mirror: float = 1.0) -> dict[str, View]:
    """How the dates were seen: a sinking sun, other haze and gain, and images that are some pixels off.

    The second date lies true; `mirror` -1 turns the shifts of the others the other way.
    """
    wide = SIZE * RESOLUTION
    last = (Wave(0.24, wide * 1.05, 20, 75, 40), Wave(0.08, wide * 0.8, 110, 160, 200))
    first = (Wave(0.18, wide * 1.2, 65, 10, 120),)
    jitter = (Wave(3.0, 34, 85, 10, 30), Wave(2.5, 29, 15, 100, 250))  # too short for any smooth field
    return {
        DATES[0]: View(Sun(57, 139), Sensor(haze=0.12), Shift(-0.8 * mirror, 0.6, first)),
        DATES[1]: View(Sun(52, 147), Sensor(haze=0.08), Shift()),
        DATES[2]: View(
            Sun(44, 131),
            Sensor(haze=0.30, gain=(0.95, 0.93, 0.94, 0.91), offset=(0.004, 0.003, 0.002, 0.004), blur=0.56),
            Shift(1.6 * mirror, -1.05, last),
        ),
        QUIET[0]: View(
            Sun(42, 152), Sensor(haze=0.14, gain=(0.98, 0.97, 0.98, 0.99)), Shift(0.9, 1.2, first)
        ),
        CLOUDED: View(Sun(39, 153), Sensor(haze=0.20), Shift(-0.6 * mirror, -0.9), cloud=0.45),
        PEAK: View(
            Sun(37, 155), Sensor(haze=0.10, gain=(1.02, 1.01, 1.0, 1.0)), Shift(-1.1 * mirror, 0.4, last)
        ),
        SHAKEN: View(Sun(34, 158), Sensor(haze=0.16), Shift(0.5, -0.5, jitter)),
        QUIET[4]: View(
            Sun(33, 160), Sensor(haze=0.12, gain=(0.97, 0.98, 0.97, 0.97)), Shift(0.3 * mirror, 0.8)
        ),
    }


def moving_on(things: Sequence[Thing]) -> list[Thing]:
    """The same, but that vehicles of the last of DATES are gone on the next."""
    return [
        replace(thing, until=QUIET[0])
        if thing.form == "vehicle" and thing.kind is None and (thing.since, thing.until) == (DATES[-1], NEVER)
        else thing
        for thing in things
    ]


def farmed(things: Sequence[Thing]) -> list[Thing]:
    """The same, every field growing on to its peak and cut after it."""
    grown: list[Thing] = []
    for thing in things:
        if thing.form != "field" or thing.until != NEVER:
            grown.append(thing)
            continue
        grown.append(replace(thing, until=PEAK))
        grown.append(replace(thing, material="crop", height=0.6, since=PEAK, until=SHAKEN))
        grown.append(replace(thing, material="stubble", height=0.1, since=SHAKEN))
    return grown
