"""Made pairs to train the fine network on: arid sites and towns, of any light, season, sensor and view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.features import rasterize
from shapely.geometry.base import BaseGeometry

from pipeline.simulate.canvas import Canvas, Frame
from pipeline.simulate.geometry import Shift, Wave
from pipeline.simulate.layout import AFTER, BEFORE, Place, construction, random_works, roads, surroundings
from pipeline.simulate.lean import leaning
from pipeline.simulate.light import Sun
from pipeline.simulate.scene import SceneSpec, View, drawn, footprint, scene
from pipeline.simulate.season import Season
from pipeline.simulate.sensor import Sensor
from pipeline.simulate.suburb import suburb
from pipeline.simulate.terrain import GroundStyle
from pipeline.simulate.things import Thing
from pipeline.simulate.town import GROWTH, ground_style
from pipeline.stages.detect.detector import KINDS
from pipeline.train.fine.sample import CLASSES, REMOVED, STANDS, STOOD, Sample

_TOWN_RESOLUTIONS: Final = (0.4, 0.5, 0.5, 0.5, 0.6, 0.8, 1.0)  # coarser ones are made of these, averaged
_ARID_RESOLUTIONS: Final = (0.4, 0.5, 0.7, 1.0, 1.5, 1.5, 2.0, 3.0, 3.0)
_GROWTHS: Final = ("quiet", "infill", "growing", "new estate", "clearance")
_GROWTH_CHANCE: Final = (0.22, 0.2, 0.28, 0.22, 0.08)
_RESURFACED, _RESURFACED_FROM = 0.35, 2000  # share of streets, in towns of seeds from this one on
Labels = NDArray[np.uint8]


def made_sample(seed: int, size: int = 256, town: bool = True) -> Sample:
    """A made pair and its labels; the same seed gives the same bytes."""
    spec = _spec(seed, size, town)
    canvases = {date: drawn(spec, date) for date in (BEFORE, AFTER)}
    images = [
        _eight_bit(scene(spec, date, canvas).image[[2, 1, 0]], seed, n)
        for n, (date, canvas) in enumerate(canvases.items())
    ]
    return Sample(np.concatenate(images), labels(spec, canvases))


def _spec(seed: int, size: int, town: bool) -> SceneSpec:
    rng = np.random.default_rng([seed, 40])
    resolution = float(rng.choice(_TOWN_RESOLUTIONS if town else _ARID_RESOLUTIONS))
    half = size * resolution / 2
    geobox = GeoBox((size, size), Affine(resolution, 0, -half, 0, -resolution, half), "EPSG:32637")
    place_rng = np.random.default_rng([seed, 41])
    if town:
        growth = str(rng.choice(_GROWTHS, p=_GROWTH_CHANCE))
        assert growth in GROWTH
        things, ground = (
            suburb(place_rng, half, resolution, growth, _RESURFACED if seed >= _RESURFACED_FROM else 0.0),
            ground_style(rng),
        )
    else:
        place = Place(place_rng, half, resolution)
        things = roads(place)
        things += construction(place, random_works(place) if rng.random() < 0.8 else ())
        things += surroundings(place)
        ground = (
            GroundStyle(scrub=float(rng.uniform(0, 0.02)), cells=64)
            if rng.random() < 0.6
            else ground_style(rng)
        )
    return SceneSpec(geobox, tuple(things), _views(rng, resolution, 2 * half), seed, ground)


def _views(rng: np.random.Generator, resolution: float, width: float) -> dict[str, View]:
    """Two dates: suns and seasons alike or far apart, misalignment left over, looks from the side."""
    first = Sun(float(rng.uniform(25, 68)), float(rng.uniform(95, 265)))
    far = rng.random() < 0.5
    turn = rng.normal(0, (12, 35) if far else (4, 8))
    second = Sun(float(np.clip(first.elevation + turn[0], 22, 70)), float(first.azimuth + turn[1]))
    dry = rng.uniform(0, 1, 2) if rng.random() < 0.6 else np.repeat(rng.uniform(0, 1), 2)
    left = 0.7 * resolution * rng.normal(0, 1, 2)
    waves = (Wave(0.3 * resolution, width * 0.8, *(float(a) for a in rng.uniform(0, 360, 3))),)
    lean = rng.normal(0, 0.12, (2, 2)) * (rng.random((2, 1)) < 0.6)
    views = {}
    for n, (date, sun) in enumerate(((BEFORE, first), (AFTER, second))):
        sensor = Sensor(
            haze=float(rng.uniform(0, 0.35)),
            gain=tuple(float(g) for g in np.exp(rng.normal(0, 0.06, 4))),  # type: ignore[arg-type]
            blur=float(rng.uniform(0.35, 0.9)),
            noise=float(rng.uniform(0.001, 0.006)),
        )
        shift = Shift(float(left[0]), float(left[1]), waves) if n else Shift()
        season = Season(float(dry[n]), float(abs(rng.normal(0, 0.08))))
        views[date] = View(sun, sensor, shift, season, (float(lean[n, 0]), float(lean[n, 1])))
    return views


def _eight_bit(image: NDArray[np.float32], seed: int, which: int) -> Labels:
    """As an image product stretches reflectance: to the scene's own range, with a curve."""
    rng = np.random.default_rng([seed, 42, which])
    low, high = np.percentile(image, [rng.uniform(0, 1), rng.uniform(99, 99.9)])
    share = np.clip((image - low * rng.uniform(0, 1)) / max(high - low, 1e-3), 0, 1)
    return np.rint(255 * share ** rng.uniform(0.6, 1.0)).astype(np.uint8)


def labels(spec: SceneSpec, canvases: Mapping[str, Canvas]) -> Labels:
    """(4, y, x) as in Sample, each layer where the date that shows it shows it."""
    frame, names = spec.frame, sorted({t.name for t in spec.things if t.kind})
    layers = np.zeros((4, *frame.shape), np.uint8)
    for name in names:
        group = [t for t in spec.things if t.name == name]
        then, now = ([t for t in group if t.stands(date)] for date in (BEFORE, AFTER))
        _mark(layers, frame, group[0].kind or "", then, now)
    seen = np.empty((4, *spec.geobox.shape), np.uint8)
    for date, indices in ((BEFORE, (REMOVED, STOOD)), (AFTER, (CLASSES, STANDS))):
        canvas, view = canvases[date], spec.views[date]
        for index in indices:
            seen[index] = _as_seen(layers[index], canvas, view)
    return seen


def _mark(layers: Labels, frame: Frame, kind: str, then: list[Thing], now: list[Thing]) -> None:
    same = [replace(t, since="", until="") for t in then] == [replace(t, since="", until="") for t in now]
    if not same and now:
        _fill(layers[CLASSES], frame, footprint(now), 1 + KINDS.index(kind))
    if not same and then and not now:
        _fill(layers[REMOVED], frame, footprint(then), 1 + KINDS.index(kind))
    if kind == "building":
        for layer, things in ((STOOD, then), (STANDS, now)):
            if things:
                _fill(layers[layer], frame, footprint(things), 1)


def _fill(layer: Labels, frame: Frame, ground: BaseGeometry, value: int) -> None:
    """Buildings are drawn over whatever else is new; all else only where nothing is yet."""
    rows, cols = frame.shape
    corner = Affine(frame.step, 0, -cols * frame.step / 2, 0, -frame.step, rows * frame.step / 2)
    inside = rasterize([ground], (rows, cols), transform=corner, dtype="uint8").astype(bool)
    layer[inside if value == 1 else inside & (layer == 0)] = value


def _as_seen(layer: Labels, canvas: Canvas, view: View) -> Labels:
    """A label layer through the same look from the side and the same shift as the image; nearest pixel."""
    if view.lean != (0.0, 0.0):
        rows, cols, wall = leaning(canvas.blocks, canvas.frame.step, view.lean)
        layer = np.where(wall, 0, layer[rows, cols]).astype(np.uint8)
    frame = canvas.frame
    at_row, at_col = frame.rows_cols(*view.shift.ground(*frame.pixel_centres()))
    last_row, last_col = layer.shape[0] - 1, layer.shape[1] - 1
    found = (
        np.clip(np.rint(at_row), 0, last_row).astype(int),
        np.clip(np.rint(at_col), 0, last_col).astype(int),
    )
    return np.asarray(layer[found])
