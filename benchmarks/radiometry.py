"""What is left between two dates where nothing was built, after each way to match their radiometry."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.features import rasterize
from rasterio.warp import Resampling, reproject
from scipy import ndimage
from skimage.exposure import match_histograms

from benchmarks.options import Options
from benchmarks.real_cases import cases
from benchmarks.report import Row, Table
from benchmarks.shared import shared
from pipeline.aligned import Window
from pipeline.compute import compute
from pipeline.config import Settings
from pipeline.errors import AlignmentRejectedError
from pipeline.job import Job, Scene, align, aligned, load
from pipeline.pair import Pair
from pipeline.scenes import describe
from pipeline.screening import screen
from pipeline.simulate import made_pair
from pipeline.simulate.pair import PairStyle
from pipeline.stages.normalize import Normalize, Radiometry

TITLE = "radiometry: residual where nothing was built"
MARGIN = 5  # pixels round what was built that are not measured either
SAMPLE = 300_000  # pixels at most that may be fitted; all others are measured
SIZE = 1024
SEEDS: tuple[int, ...] = (910_001, 910_002, 910_003)
Values = NDArray[np.float32]
Bools = NDArray[np.bool_]
NOTES = (
    "Median of |before - after| as a percentage of the before band's standard deviation, mean over the "
    "bands; on observed pixels that were in no fit's sample and lie more than 5 px from what truth calls "
    "built. Truth serves to measure only. `histograms` is skimage.exposure.match_histograms on all pixels, "
    "`regression` least squares on the sample, change and clouds and all; `gain and offset` is Groundbreak "
    "without its surface. `surface/gain order`: a band each, - for none.",
)


def tables(options: Options) -> list[Table]:
    """The OSCD cities as the product aligns and screens them, and made pairs under made haze."""
    some = slice(2 if options.quick else None)
    cities, refused = [], []
    for case in list(cases(shared("real") / "oscd"))[some]:
        print(f"  oscd/{case.name}", file=sys.stderr, flush=True)
        try:
            cities.append(_row(case.name, *_city(case.before, case.after, case.truth / "truth.tif")))
        except AlignmentRejectedError as error:
            refused.append(f"Refused: {case.name}: {error}")
    made = [_row(name, pair, quiet, bands) for name, pair, quiet, bands in _made(SEEDS[some])]
    versions = f"scikit-image {version('scikit-image')}."
    return [
        Table("OSCD", [*cities, _mean(cities)], (*NOTES, versions, *refused)),
        Table("Made pairs, haze laid over the after image", made),
    ]


def _row(name: str, pair: Pair, quiet: Bools, bands: tuple[str, ...]) -> Row:
    """Each method's residual; `quiet` (y, x) is where nothing was built."""
    rows, cols = np.nonzero(pair.observed)
    before, after = pair.pixels()
    some = np.zeros(len(rows), bool)
    some[:: max(2, -(-len(rows) // SAMPLE))] = True
    shape = pair.observed.shape
    told: list[Radiometry] = [
        Normalize(surface=surface)(
            before[:, some], after[:, some], bands, rows[some], cols[some], (shape[0], shape[1])
        )
        for surface in (False, True)
    ]
    measured = ~some & quiet[rows, cols]
    whole = slice(0, shape[0]), slice(0, shape[1])
    ways = {
        "as delivered": after,
        "histograms": np.stack([match_histograms(a, b) for a, b in zip(after, before, strict=True)]),
        "regression": np.stack([_regressed(a, b, some) for a, b in zip(after, before, strict=True)]),
        "gain and offset": told[0].apply_array(pair.after, *whole)[:, pair.observed],
        "groundbreak": told[1].apply_array(pair.after, *whole)[:, pair.observed],
    }
    spread = before.std(axis=1)
    left = {
        way: float(np.mean(np.median(np.abs(before - got)[:, measured], axis=1) / spread) * 100)
        for way, got in ways.items()
    }
    note = told[1]
    orders = " ".join("-" if s is None else f"{s.order}/{s.gain_order}" for s in note.surfaces)
    return {"pair": name, **left, "surface/gain order": orders, "unchanged": note.unchanged_share}


def _regressed(after: Values, before: Values, some: Bools) -> Values:
    gain, offset = np.polyfit(after[some].astype(float), before[some].astype(float), 1)
    return np.asarray(after * np.float32(gain) + np.float32(offset))


def _mean(rows: list[Row]) -> Row:
    numbers = [key for key, value in rows[0].items() if isinstance(value, float)] if rows else []
    return {"pair": "mean"} | {key: float(np.mean([row[key] for row in rows])) for key in numbers}


def _city(before: Path, after: Path, truth: Path) -> tuple[Pair, Bools, tuple[str, ...]]:
    job = Job("oscd", "oscd", Path(), tuple(describe(before)), tuple(describe(after)), Settings())
    scene = load(job)
    field = align(job, scene).field
    images = aligned(job, scene, field).without(screen(job, scene, field))
    whole = slice(0, int(scene.grid.shape[0])), slice(0, int(scene.grid.shape[1]))
    (pair,) = compute(*images.each([whole], _pair))
    return pair, _quiet(truth, scene), scene.bands


def _pair(_: Window, inner: Window, pair: Pair) -> Pair:
    return pair.window(*inner)


def _quiet(truth: Path, scene: Scene) -> Bools:
    """Where truth says that nothing was built, with a margin."""
    built = np.zeros(scene.grid.shape, np.uint8)
    with rasterio.open(truth) as source:
        given = (source.read(1) == 1).astype(np.uint8)
        reproject(
            given, built, src_transform=source.transform, src_crs=source.crs,
            dst_transform=scene.grid.transform, dst_crs=str(scene.grid.crs), resampling=Resampling.nearest,
        )  # fmt: skip
    return _apart(built)


def _apart(built: NDArray[np.uint8]) -> Bools:
    return np.asarray(~ndimage.binary_dilation(built == 1, iterations=MARGIN))


def _made(seeds: tuple[int, ...]) -> Iterator[tuple[str, Pair, Bools, tuple[str, ...]]]:
    """Pairs without any shift, as they are, under haze to one side, and under a round plume as well."""
    style = PairStyle(shift_px=(0.0, 0.0), warp_px=0.0)
    v, u = np.meshgrid(*(np.linspace(-1, 1, SIZE),) * 2, indexing="ij")
    plume = np.exp(-((u - 0.3) ** 2 + (v + 0.2) ** 2) / (2 * 0.45**2))
    for seed in seeds:
        print(f"  made/{seed}", file=sys.stderr, flush=True)
        made = made_pair(seed, SIZE, 0.5, style)
        grid = made.before.geobox
        shapes = [(shape, 1) for shape in made.truth.geometry]
        built = rasterize(shapes, grid.shape, transform=grid.transform, dtype="uint8")
        bands = tuple(str(name) for name in style.bands)
        before, after = (np.asarray(image.image, np.float32) for image in (made.before, made.after))
        # haze is thickest in blue, and takes away contrast where it lies
        depth = np.array([0.05, 0.035, 0.025, 0.01])[:, None, None]
        for name, haze in (("clear", 0 * u), ("haze to one side", u + 0.5 * v), ("plume", plume)):
            veiled = after * (1 - depth * haze) + depth * haze
            yield f"{seed} {name}", Pair.of(before, veiled.astype(np.float32)), _apart(built), bands
