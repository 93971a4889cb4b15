"""What the sample sites share: their grid, and when and how they were seen."""

from __future__ import annotations

from typing import Final

from affine import Affine
from odc.geo.geobox import GeoBox
from pyproj import Transformer

from pipeline.simulate.geometry import Shift, Wave
from pipeline.simulate.light import Sun
from pipeline.simulate.scene import View
from pipeline.simulate.sensor import Sensor

DATES: Final = ("2019-08-20", "2019-09-09", "2019-09-21")
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
    """How the three dates were seen: a sinking sun, other haze and gain, and images that are some pixels off.

    The middle date lies true; `mirror` -1 turns the shifts of the others the other way.
    """
    wide = SIZE * RESOLUTION
    last = (Wave(0.24, wide * 1.05, 20, 75, 40), Wave(0.08, wide * 0.8, 110, 160, 200))
    first = (Wave(0.18, wide * 1.2, 65, 10, 120),)
    return {
        DATES[0]: View(Sun(57, 139), Sensor(haze=0.12), Shift(-0.8 * mirror, 0.6, first)),
        DATES[1]: View(Sun(52, 147), Sensor(haze=0.08), Shift()),
        DATES[2]: View(
            Sun(44, 131),
            Sensor(haze=0.30, gain=(0.95, 0.93, 0.94, 0.91), offset=(0.004, 0.003, 0.002, 0.004), blur=0.56),
            Shift(1.6 * mirror, -1.05, last),
        ),
    }
