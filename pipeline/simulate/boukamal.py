"""The Imam Ali compound at Boukamal, as drawn: two yards on the steppe, fields, and what was built there."""

from __future__ import annotations

import numpy as np

from pipeline.simulate.groups import grove, machines, parked, traffic
from pipeline.simulate.scene import SceneSpec
from pipeline.simulate.shapes import Box, Path, curve, ring
from pipeline.simulate.sites import DATES, QUIET, farmed, grid_at, moving_on, views
from pipeline.simulate.terrain import GroundStyle
from pipeline.simulate.things import NEVER, Thing

_AUGUST, _BEFORE, _AFTER = DATES
_HIGHWAY = curve(((-128, -185), (-120, -90), (-126, 0), (-112, 90), (-118, 185)), 8)
_LANE = curve(((-124, 20), (-80, 12), (-40, 2), (0, 6)), 5)
_SPINE = curve(((0, 6), (30, 0), (34, 45), (28, 100)), 5)
_SOUTH_LANE = curve(((30, 0), (40, -30), (44, -60)), 5)


def boukamal(seed: int = 34) -> SceneSpec:
    """The site with its dates."""
    rng = np.random.default_rng([seed, 10])
    things = [*_fields(), *_roads(rng), *_north_yard(rng), *_south_yard(rng), *_built(rng)]
    things = [*moving_on(farmed(things)), *_later(np.random.default_rng([seed, 11]))]
    return SceneSpec(
        grid_at(40.95, 34.43), tuple(things), views(), seed, GroundStyle(cells=320), supersample=2
    )


def _later(rng: np.random.Generator) -> list[Thing]:
    """Who passes and parks on the quiet dates."""
    return [
        *traffic(rng, _HIGHWAY, QUIET, 5),
        *traffic(rng, _LANE, QUIET, 1),
        *parked(rng, Box(32, 74, 34, 5, 4), QUIET, 9, 0.35),
        *parked(rng, Box(58, -70, 52, 5, 6), QUIET, 14, 0.4),
        *parked(rng, Box(64, -120, 60, 5, 6), QUIET, 16, 0.25),
    ]


def _fields() -> list[Thing]:
    """Irrigated plots in the south-west: some ripen, one is cut, one is sown."""
    trees = np.random.default_rng(5)
    plots = (
        (-88, -96, "crop", "crop"),
        (-50, -98, "young crop", "crop"),
        (-90, -130, "crop", "stubble"),
        (-51, -131, "fallow", "fallow"),
        (-146, -110, "fallow", "young crop"),
    )
    things = []
    for x, y, then, now in plots:
        box = Box(x, y, 36 if x > -140 else 26, 30, 2)
        early = "young crop" if then == "crop" else then
        for crop, since, until in ((early, "", _BEFORE), (then, _BEFORE, _AFTER), (now, _AFTER, NEVER)):
            tall = 0.5 if crop == "crop" else 0.1
            things.append(Thing(box, "field", crop, tall, since=since, until=until))
    things += grove(trees, Path(((-108, -113.5), (-32, -112)), 1), 6.5)
    return things + grove(trees, Path(((-30, -82), (-29, -146)), 1), 8)


def _roads(rng: np.random.Generator) -> list[Thing]:
    things = [
        Thing(_HIGHWAY, "surface", "old asphalt"),
        Thing(_LANE, "surface", "packed"),
        Thing(_SPINE, "surface", "packed"),
        Thing(_SOUTH_LANE, "surface", "packed"),
    ]
    for points in (
        ((-170, 60), (-118, 44), (-60, 60), (-20, 140), (-30, 180)),
        ((0, 6), (-30, -30), (-40, -60), (-20, -170)),
        ((34, 45), (90, 10), (140, 4), (180, -20)),
        ((120, -180), (128, -120), (140, -40), (180, 30)),
        ((-114, 120), (-70, 140), (40, 150), (180, 138)),
    ):
        things.append(Thing(curve(points, 2.6), "track", "silt"))
    return (
        things
        + traffic(rng, _HIGHWAY, DATES, 5)
        + traffic(rng, _LANE, DATES, 1)
        + traffic(rng, _SPINE, DATES, 1, 0)
    )


def _north_yard(rng: np.random.Generator) -> list[Thing]:
    """Stores in rows behind an earth bank."""
    things = [
        Thing(ring(Box(34, 86, 118, 92, -86), 5, gap=14), "berm", "old fill", 1.8),
        Thing(Box(32, 84, 80, 96, 4), "surface", "packed"),
        Thing(Box(32, 84, 44, 24, 4), "surface", "old concrete"),
    ]
    for x, y, length, width, roof in (
        (8, 118, 26, 12, "metal roof"),
        (8, 98, 26, 12, "metal roof"),
        (8, 60, 24, 11, "rust roof"),
        (58, 120, 22, 12, "old concrete"),
        (60, 60, 20, 12, "concrete"),
        (60, 42, 14, 8, "mud roof"),
    ):
        things.append(Thing(Box(x, y, length, width, 4), "roof", roof, 5.0))
    return things + parked(rng, Box(32, 74, 34, 5, 4), DATES, 9, 0.35)


def _south_yard(rng: np.random.Generator) -> list[Thing]:
    """A walled yard with quarters, a motor pool and ruins outside."""
    things = [
        Thing(ring(Box(62, -98, 84, 96, 96), 0.5, gap=9), "wall", "blockwork", 2.6),
        Thing(Box(58, -70, 60, 20, 6), "surface", "packed"),
        Thing(Box(64, -112, 70, 26, 6), "surface", "graded"),
        Thing(Box(-18, 60, 16, 12, 20), "rubble", "rubble", 0.7),
        Thing(Box(136, -118, 18, 12, 40), "rubble", "rubble", 0.8),
    ]
    for x, y, length, width, roof, tall in (
        (30, -92, 18, 9, "old concrete", 3.6),
        (54, -90, 18, 9, "old concrete", 3.6),
        (78, -88, 18, 9, "concrete", 3.6),
        (98, -110, 9, 22, "mud roof", 4.0),
        (28, -130, 12, 8, "mud roof", 3.2),
        (-70, 60, 12, 9, "mud roof", 3.2),
        (-78, 74, 8, 7, "mud roof", 3.0),
    ):
        things.append(Thing(Box(x, y, length, width, 6), "roof", roof, tall))
    return (
        things
        + parked(rng, Box(58, -70, 52, 5, 6), DATES, 14, 0.4)
        + parked(rng, Box(64, -120, 60, 5, 6), DATES, 16, 0.25)
    )


def _built(rng: np.random.Generator) -> list[Thing]:
    """What an analyst is to find, by name."""
    shell = Box(56, 90, 20, 13, 4)
    gone = Box(60, -132, 18, 10, 6)
    made = [
        # from 20 August to 9 September
        Thing(shell, "bare walls", "blockwork", 3.2, "building", "store with bare walls", _BEFORE, _AFTER),
        Thing(Path(((126, 118), (146, 120)), 4.5), "berm", "fill", 2.4, "earthwork", "east bank", _BEFORE),
        # from 9 to 21 September
        Thing(shell, "roof", "concrete", 4.2, "building", "store with bare walls", _AFTER),
        Thing(gone, "roof", "old concrete", 3.8, "building", "south store", until=_AFTER),
        Thing(gone, "rubble", "rubble", 0.6, since=_AFTER),
        Thing(
            ring(Box(122, 72, 28, 22, 12), 4.5, gap=7),
            "berm",
            "fill",
            2.8,
            "earthwork",
            "east revetment",
            _AFTER,
        ),
        Thing(
            Path(((-72, 118), (-40, 124), (-36, 100)), 4),
            "berm",
            "fill",
            2.4,
            "earthwork",
            "west bank",
            _AFTER,
        ),
        Thing(
            Path(((104, -36), (142, -40), (146, -64)), 4.5),
            "berm",
            "fill",
            3.0,
            "earthwork",
            "south bank",
            _AFTER,
        ),
        Thing(
            curve(((38, 17), (68, 13), (96, 28), (106, 62)), 5),
            "surface",
            "graded",
            0,
            "road",
            "revetment road",
            _AFTER,
        ),
        Thing(
            curve(((-122, -40), (-80, -46), (-30, -36), (22, -54)), 5.5),
            "surface",
            "graded",
            0,
            "road",
            "south access road",
            _AFTER,
        ),
        Thing(Box(32, 106, 12, 8, 4), "roof", "concrete", 3.6, "building", "guard house", _AFTER),
        Thing(Box(-66, 30, 24, 12, 10), "roof", "white roof", 5.5, "building", "west hangar", _AFTER),
        Thing(Box(96, -78, 8, 6, 6), "roof", "white roof", 3.0, "building", "motor pool office", _AFTER),
        Thing(Box(136, 22, 16, 10, 30), "roof", "concrete", 4.0, "building", "east post", _AFTER),
        Thing(Box(-58, -16, 36, 26, 8), "surface", "graded", 0, "clearing", "west pad", _AFTER),
    ]
    return made + machines(rng, "machines at the west hangar", Box(-30, 34, 20, 9, 12), (1, 5), _AFTER)
