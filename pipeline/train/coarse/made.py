"""Made scenes of coarse pixels in great variety, with works and without; as if aligned, all but a little."""

from __future__ import annotations

from typing import Final

import numpy as np
from rasterio.features import rasterize

from pipeline.pair import Float, Mask, Pair
from pipeline.simulate.light import Sun
from pipeline.simulate.pair import PairStyle, made_pair
from pipeline.simulate.terrain import GroundStyle
from pipeline.simulate.things import Kind
from pipeline.stages.normalize import Normalize
from pipeline.train.coarse.labelled import Labelled
from pipeline.train.parcels import parcels

FIRST_SEED: Final = 500_000  # seeds from 900 000 on are kept for measuring
SIDE: Final = 288  # pixels
_KINDS: Final[tuple[Kind, ...]] = ("building", "building", "road", "earthwork", "clearing")
_WITHOUT_FARMS: Final = 0.4  # share of the scenes
_FARMED_BANDS: Final = ("blue", "green", "red", "nir")
_CROPS: Final = (  # light against the bare ground's, a band each
    (0.5, 0.6, 0.35, 1.7),  # green
    (0.75, 0.85, 0.7, 1.3),  # half grown
    (1.0, 1.1, 1.15, 1.05),  # stubble
    (1.4, 1.5, 1.5, 1.35),  # harrowed and dry
    (0.6, 0.6, 0.55, 0.55),  # ploughed and wet
    (0.6, 0.6, 0.45, 0.25),  # flooded
    (1.0, 1.0, 1.0, 1.0),
)
_GROUNDS: Final = (
    ("soil", "gravel", "silt"),
    ("scrub", "soil", "silt"),
    ("fallow", "stubble", "soil"),
    ("gravel", "soil", "silt"),
    ("young crop", "soil", "silt"),
    ("silt", "soil", "gravel"),
)


def made(seed: int, resolution: float, built: bool) -> Labelled:
    """One scene; `built`: whether anything was built between its dates. Truth is what is new or altered."""
    pair = made_pair(seed, SIDE, resolution, _style(seed, _works(seed) if built else ()))
    bands = pair.before.bands
    truth = np.zeros((SIDE, SIDE), bool)
    shapes = list(pair.truth.geometry[pair.truth.direction != "removed"])
    if shapes:
        truth = rasterize(shapes, (SIDE, SIDE), transform=pair.before.geobox.transform) == 1
    before, after = _farmed(seed, (pair.before.image, pair.after.image), bands, truth)
    rows, cols = np.indices(before.shape[1:]).reshape(2, -1)
    one, two = (image.reshape(len(bands), -1) for image in (before, after))
    radiometry = Normalize()(one, two, bands, rows, cols, (SIDE, SIDE))
    whole = slice(0, SIDE)
    after = np.asarray(radiometry.apply_array(after, whole, whole), np.float32)
    return Labelled(f"made {seed}", Pair.of(before, after), bands, truth)


def _farmed(
    seed: int, images: tuple[Float, Float], bands: tuple[str, ...], built: Mask
) -> tuple[Float, Float]:
    """Both dates (band, y, x) with farmland in most scenes, each parcel in another state on each date."""
    rng = np.random.default_rng([seed, 79])
    if rng.random() < _WITHOUT_FARMS:
        return images
    count = int(rng.integers(6, 60))
    field, farmed = parcels(rng, SIDE, count), rng.random(count) < rng.uniform(0.3, 1)
    out = []
    for image in (image.copy() for image in images):
        for parcel in np.flatnonzero(farmed):
            inside = (field == parcel) & ~built
            state = _CROPS[int(rng.integers(len(_CROPS)))]
            light = np.array([state[_FARMED_BANDS.index(band)] for band in bands])[:, None]
            light = light * np.exp(rng.normal(0, 0.15) + rng.normal(0, 0.05, light.shape))
            image[:, inside] = light * image[:, inside]
        out.append(image)
    return out[0], out[1]


def _works(seed: int) -> tuple[Kind, ...]:
    rng = np.random.default_rng([seed, 78])
    return tuple(_KINDS[int(n)] for n in rng.integers(len(_KINDS), size=rng.integers(3, 16)))


def _style(seed: int, works: tuple[Kind, ...]) -> PairStyle:
    rng = np.random.default_rng([seed, 77])
    first = Sun(float(rng.uniform(22, 65)), float(rng.uniform(110, 230)))
    turn = rng.normal(0, (10, 15))
    later = Sun(float(np.clip(first.elevation + turn[0], 20, 70)), float(first.azimuth + turn[1]))
    ground = GroundStyle(
        relief=float(rng.uniform(0.002, 0.012)),
        tilt=float(rng.uniform(0, 0.04)),
        downhill=float(rng.uniform(0, 360)),
        channels=float(rng.uniform(0.2, 1.6)),
        gravel=float(rng.uniform(0.1, 0.8)),
        scrub=float(rng.uniform(0, 0.02)),
        soils=_GROUNDS[int(rng.integers(len(_GROUNDS)))],
    )
    return PairStyle(
        works=works,
        suns=(first, later),
        haze=(float(rng.uniform(0, 0.25)), float(rng.uniform(0, 0.35))),
        gain=float(rng.uniform(0.85, 1.1)),
        noise=float(rng.uniform(0.0008, 0.004)),
        shift_px=(float(rng.normal(0, 0.12)), float(rng.normal(0, 0.12))),
        warp_px=float(abs(rng.normal(0, 0.1))),
        dtype="uint8" if rng.random() < 0.3 else "uint16",
        ground=ground,
    )
