"""The border crossing near al-Qaim, as drawn: halls, lorry parks, the border bank, what was built."""

from __future__ import annotations

import numpy as np

from pipeline.simulate.groups import grove, lorry, machines, parked, traffic, until_next
from pipeline.simulate.scene import SceneSpec
from pipeline.simulate.shapes import Box, Path, curve
from pipeline.simulate.sites import DATES, QUIET, farmed, grid_at, moving_on, views
from pipeline.simulate.terrain import GroundStyle
from pipeline.simulate.things import Thing

_AUGUST, _BEFORE, _AFTER = DATES
_ROAD = curve(((-185, -34), (-90, -22), (0, -10), (90, 4), (185, 22)), 11)
_TURN = 8.5  # the road's bearing at the halls, degrees from east
_BYPASS = curve(((-120, -26), (-84, -66), (0, -72), (70, -50), (104, 6)), 6)


def qaim_crossing(seed: int = 41) -> SceneSpec:
    """The site with its dates."""
    rng = np.random.default_rng([seed, 10])
    things = [*_border(), *_roads(rng), *_halls(rng), *_lorries(rng, DATES, (5, 9, 3), (0.35, 0.6, 0.3))]
    things += _built(rng)
    things = [*moving_on(farmed(things)), *_later(np.random.default_rng([seed, 11]))]
    ground = GroundStyle(cells=320, downhill=-70, gravel=0.6, channels=0.8, tilt=0.018)
    return SceneSpec(grid_at(41.00, 34.38), tuple(things), views(mirror=-0.8), seed, ground, supersample=2)


def _later(rng: np.random.Generator) -> list[Thing]:
    """Who passes, queues and parks on the quiet dates."""
    return [
        *traffic(rng, _ROAD, QUIET, 6, 0.4),
        *traffic(rng, _BYPASS, QUIET, 1, 0.8),
        *parked(rng, Box(44, -34, 48, 5, _TURN), QUIET, 14, 0.45),
        *_lorries(rng, QUIET, (7, 4, 8, 5, 6), (0.5, 0.4, 0.55, 0.35, 0.45)),
    ]


def _border() -> list[Thing]:
    """The bank along the border, broken where the road passes, with a patrol track on each side."""
    things = [
        Thing(Path(((112, 180), (118, 60), (119, 30)), 6), "berm", "old fill", 2.6),
        Thing(Path(((121, -14), (124, -80), (118, -180)), 6), "berm", "old fill", 2.6),
    ]
    for side in (-9.0, 11.0):
        line = ((112 + side, 180), (118 + side, 60), (124 + side, -80), (118 + side, -180))
        things.append(Thing(curve(line, 2.8), "track", "silt"))
    return things


def _roads(rng: np.random.Generator) -> list[Thing]:
    things = [
        Thing(_BYPASS, "surface", "packed"),
        Thing(_ROAD, "surface", "asphalt"),
        Thing(curve(((-50, -18), (-46, 20), (-52, 56)), 6), "surface", "old asphalt"),
    ]
    for points in (
        ((-170, 90), (-80, 96), (-20, 84), (60, 120), (180, 128)),
        ((-150, -180), (-120, -110), (-60, -92), (30, -120), (60, -180)),
        ((-84, -66), (-130, -80), (-180, -70)),
    ):
        things.append(Thing(curve(points, 2.6), "track", "silt"))
    return things + traffic(rng, _ROAD, DATES, 6, 0.4) + traffic(rng, _BYPASS, DATES, 1, 0.8)


def _halls(rng: np.random.Generator) -> list[Thing]:
    """Customs halls, the canopy across the road, yards and a few houses."""
    things = [
        Thing(Box(-10, 22, 80, 44, _TURN), "surface", "old concrete"),
        Thing(Box(-94, 36, 62, 50, _TURN), "surface", "packed"),
        Thing(Box(44, -34, 56, 26, _TURN), "surface", "old asphalt"),
        Thing(Box(-2, -10, 26, 22, _TURN), "roof", "metal roof", 6.5),
        Thing(Box(76, 108, 15, 11, 33), "rubble", "rubble", 0.7),
    ]
    for x, y, length, width, roof, tall in (
        (-24, 34, 34, 14, "concrete", 5.0),
        (18, 38, 20, 12, "old concrete", 4.2),
        (74, -24, 22, 12, "blue roof", 5.0),
        (48, -54, 14, 8, "mud roof", 3.2),
        (-132, 66, 12, 9, "mud roof", 3.0),
        (-126, 82, 9, 8, "mud roof", 3.0),
        (-140, -124, 14, 9, "mud roof", 3.2),
        (-120, -132, 8, 8, "old concrete", 3.0),
    ):
        things.append(Thing(Box(x, y, length, width, _TURN), "roof", roof, tall))
    for x, crop, later in ((-84, "young crop", "crop"), (-52, "stubble", "fallow")):
        plot = Box(x, -132, 28, 34, 4)
        things.append(Thing(plot, "field", crop, 0.1, until=_AFTER))
        things.append(Thing(plot, "field", later, 0.3, since=_AFTER))
    things += grove(rng, Path(((-100, -113), (-38, -111)), 1), 7)
    return things + parked(rng, Box(44, -34, 48, 5, _TURN), DATES, 14, 0.45)


def _lorries(
    rng: np.random.Generator, dates: tuple[str, ...], queues: tuple[int, ...], shares: tuple[float, ...]
) -> list[Thing]:
    """The queue at the canopy and the lorry park: other lorries on each date, and never the same number."""
    things = []
    c, s = np.cos(np.radians(_TURN)), np.sin(np.radians(_TURN))
    for date, queued, share in zip(dates, queues, shares, strict=True):
        for n in range(queued):
            x, y, turn = _ROAD.at(160 - 17.0 * n + rng.normal(0, 0.8))
            things.append(lorry(rng, (x + 2.6 * s, y - 2.6 * c, turn), date, until_next(date, dates)))
        for row in (-14, 8):
            for place in range(13):
                if rng.random() < share:
                    u = -26 + 4.3 * place + rng.normal(0, 0.2)
                    x, y = -94 + u * c - row * s, 36 + u * s + row * c
                    things.append(lorry(rng, (x, y, _TURN + 90), date, until_next(date, dates)))
    return things


def _built(rng: np.random.Generator) -> list[Thing]:
    """What an analyst is to find, by name."""
    made = [
        # from 20 August to 9 September
        Thing(
            Path(((96, 96), (104, 74), (92, 64)), 4), "berm", "fill", 2.2, "earthwork", "guard bank", _BEFORE
        ),
        # from 9 to 21 September
        Thing(Box(20, 64, 20, 12, _TURN), "roof", "white roof", 4.6, "building", "inspection hall", _AFTER),
        Thing(
            Path(((70, -92), (98, -90), (100, -66)), 4.5),
            "berm",
            "fill",
            2.8,
            "earthwork",
            "south bank",
            _AFTER,
        ),
        Thing(
            curve(((-48, 40), (-20, 62), (0, 86), (44, 92), (86, 84)), 5),
            "surface",
            "graded",
            0,
            "road",
            "guard road",
            _AFTER,
        ),
        Thing(Box(20, -100, 34, 24, 14), "surface", "graded", 0, "clearing", "south pad", _AFTER),
    ]
    return made + machines(rng, "machines at the pad", Box(-26, -98, 18, 20, 14), (2, 3), _AFTER)
