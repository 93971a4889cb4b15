"""Clouds: bright beyond all ground that both dates show, flat in colour and smooth, and of no built shape.

Every test asks what a cloud cannot but be; a patch that fails one is left alone. Much rests on size: what is
less than a few hundred metres wide is a cloud only in company: of large clouds, or of many small ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from pipeline.stages.screen.ground import VISIBLE, Look, smooth
from pipeline.stages.screen.shape import squareness

Float = NDArray[np.float32]
Bits = NDArray[np.bool_]
Window = tuple[slice, slice]

_BRIGHTEST = 0.995  # quantile of the ground that both dates show
_BEYOND = 0.35  # of the ground's range (median to brightest): a cloud must lie so far above the brightest
_RANGE = 0.25  # of the median: the least range, for ground that is all alike
_MAIN = 0.5  # of a cloud's mean height above the brightest ground: darker parts are not its bulk
_VEIL = 0.15  # opacity at which a cloud's rim ends
_TINT = 0.30  # range of the visible bands over their mean
_BLUE = 0.75  # blue over red: ground is redder than cloud
_GREEN = 0.20  # NDVI from which on it is green
_SNOW = 0.60  # (green - swir16) / (green + swir16) from which on it is snow
_SOIL = 1.05  # swir16 over nir: bare ground and concrete rise towards it, clouds fall
_ROUGH = 0.07  # scatter from cell to cell, over the rise; 97 of 100 made clouds are under 0.06
_SHINING_THROUGH = 0.5  # how much of the other date's detail is still there
_ALIKE = 0.2  # correlation with the other date's detail from which on it may be that
_SQUARE = 0.6  # of the rim: straighter is built
_RIM_M = 80.0  # a rim is no wider
_RIM_AKIN_M = 30.0  # nor that of a small cloud
_CLOUDY = 0.04  # share of the image under known clouds from which on crumbs are likelier clouds than roofs
_RAGGED = 0.01  # share under ragged patches from which on they are clouds
LEAST_AKIN_M2 = 400.0  # of clouds beside large ones
LEAST_RAGGED_M2 = 25.0  # of clouds where all are small
_LEAST_CELLS = 60  # of a ragged one, for its shape to be told
_MANY, _MOSTLY = 6, 0.75  # ragged patches, and their share of all so bright ground
_SURE = 0.8  # of the ground's range above the brightest: so bright needs no shadow
_SURE_PAN = 1.6  # the same where no colour can be asked


@dataclass(frozen=True, eq=False)
class Patch:
    """What may be a cloud: its cells in a window; `sure` if it needs no shadow for it."""

    window: Window
    inside: Bits
    sure: bool


@dataclass(frozen=True)
class Scale:
    """How bright ground is, of which both dates know: its median and its brightest, in a date's units."""

    middle: float
    brightest: float

    @property
    def span(self) -> float:
        """From the middle to the brightest, never nothing."""
        return max(self.brightest - self.middle, _RANGE * abs(self.middle))

    @classmethod
    def of(cls, look: Look) -> Scale | None:
        """The darker of both dates is ground, unless clouds lie over both. None where nothing was seen."""
        ground = np.minimum(look.smooth, look.smooth_other)
        ground = ground[np.isfinite(ground)]
        if not ground.size:
            return None
        middle, brightest = np.quantile(ground, (0.5, _BRIGHTEST))
        return cls(float(middle), float(brightest))


def patches(
    image: Float, bands: tuple[str, ...], look: Look, cell_m: float, min_area_m2: float
) -> Iterator[Patch]:
    """What may be a cloud in `image` (band, y, x), from the top down; `cell_m` is the size of a cell."""
    scale = Scale.of(look)
    if scale is None:
        return
    core = _beyond(look, scale)
    least = min_area_m2 / cell_m**2
    if not _large(core, least / 4).any():  # as most often: what follows only takes away
        return
    core &= ~_reddish(image, bands, look)
    core = _bulk(core, look, scale)
    core = _large(scipy.ndimage.binary_opening(core, iterations=max(1, round(15 / cell_m))), least / 4)
    if not core.any():
        return
    grown = _grown(core, look, _RIM_M / cell_m)
    labels, _ = scipy.ndimage.label(grown, np.ones((3, 3)))
    detail = tuple(each - smooth(each, 1.0) for each in (look.bright, look.other))
    for label, window in enumerate(scipy.ndimage.find_objects(labels), start=1):
        wide = _wider(window, 4, grown.shape)
        inside = labels[wide] == label
        middle = inside & core[wide]
        if inside.sum() < least or not middle.any():
            continue
        if not _coloured_as_cloud(image[(slice(None), *wide)], bands, middle):
            continue
        if not _hides_ground(look, detail, wide, middle) or squareness(look.rise[wide], inside) > _SQUARE:
            continue
        above = (float(np.median(look.smooth[wide][middle])) - scale.brightest) / scale.span
        yield Patch(wide, inside, above > (_SURE if _colours(bands) else _SURE_PAN))


def ragged(image: Float, bands: tuple[str, ...], look: Look, cell_m: float) -> Bits:
    """Small clouds where no large one is: many patches, far brighter than any ground, most of them ragged.

    One such patch may be a heap of gypsum; roofs are straight. None where there is no colour to ask.
    """
    found = np.zeros(look.bright.shape, np.bool_)
    scale = Scale.of(look)
    if scale is None or not _colours(bands):
        return found
    with np.errstate(invalid="ignore"):
        core = _beyond(look, scale) & (look.smooth > scale.brightest + _SURE * scale.span)
    core = _large(core & ~_reddish(image, bands, look), max(LEAST_RAGGED_M2 / cell_m**2, _LEAST_CELLS))
    count, straight_cells = 0, 0
    for window, inside, straight in _coloured(image, bands, look, core, core):
        if straight:
            straight_cells += int(inside.sum())
        else:
            count += 1
            found[window] |= inside
    mostly = found.sum() >= _MOSTLY * (found.sum() + straight_cells)
    if count < _MANY or not mostly or found.mean() < _RAGGED:
        return np.zeros_like(found)
    return found


def akin(
    image: Float, bands: tuple[str, ...], look: Look, clouds: Bits, cell_m: float, least_m2: float
) -> Bits:
    """Small and ragged clouds beside the `clouds` that are known: bright, coloured and shaped like them.

    Where clouds are many, what looks the same is one more, whatever its size; on a clear date it is a roof.
    """
    found = np.zeros_like(clouds)
    scale = Scale.of(look)
    if scale is None or clouds.mean() < _CLOUDY:
        return found
    core = _beyond(look, scale) & ~_reddish(image, bands, look)
    core = _large(core & ~clouds, least_m2 / cell_m**2)
    if not core.any():
        return found
    grown = _grown(core, look, _RIM_AKIN_M / cell_m) & ~clouds
    for window, inside, straight in _coloured(image, bands, look, grown, core):
        if not straight:
            found[window] |= inside
    return found


def _coloured(
    image: Float, bands: tuple[str, ...], look: Look, grown: Bits, core: Bits
) -> Iterator[tuple[Window, Bits, bool]]:
    """Each patch of `grown` whose `core` has a cloud's colour: its cells in a window, and whether its rim is
    straight.
    """
    labels, _ = scipy.ndimage.label(grown, np.ones((3, 3)))
    for label, window in enumerate(scipy.ndimage.find_objects(labels), start=1):
        wide = _wider(window, 4, grown.shape)
        inside = labels[wide] == label
        middle = inside & core[wide]
        if middle.any() and _coloured_as_cloud(image[(slice(None), *wide)], bands, middle):
            yield wide, inside, squareness(look.rise[wide], inside) > _SQUARE


def _beyond(look: Look, scale: Scale) -> Bits:
    """Cells far brighter than all ground, and than the same place on the other date."""
    with np.errstate(invalid="ignore"):
        return np.asarray(
            (look.smooth > scale.brightest + _BEYOND * scale.span) & (look.rise > _BEYOND * scale.span)
        )


def _reddish(image: Float, bands: tuple[str, ...], look: Look) -> Bits:
    """Cells redder than any cloud (y, x); none where there is no blue or no red."""
    if not {"blue", "red"} <= set(bands):
        return np.zeros(look.bright.shape, np.bool_)
    blue, red = (smooth(image[bands.index(band)], 1.0) for band in ("blue", "red"))
    with np.errstate(invalid="ignore"):
        return np.asarray(blue < np.float32(_BLUE) * red)


def _bulk(core: Bits, look: Look, scale: Scale) -> Bits:
    """Every core without what is much darker than it: what was built beside a cloud, and thin rims."""
    labels, count = scipy.ndimage.label(core)
    if not count:
        return core
    level = np.zeros(count + 1, np.float32)
    level[1:] = scipy.ndimage.mean(look.smooth, labels, np.arange(1, count + 1))
    least = scale.brightest + _MAIN * (level - scale.brightest)
    with np.errstate(invalid="ignore"):
        return np.asarray(core & (look.smooth > least[labels]))


def _grown(core: Bits, look: Look, cells: float) -> Bits:
    """The cores with their thin rims, no wider than so many cells."""
    level = np.float32(np.median(look.smooth[core]))
    with np.errstate(invalid="ignore", divide="ignore"):
        opacity = look.rise / np.maximum(level - look.smooth_other, np.float32(1e-12))
        veil = (opacity > _VEIL) | core
    grown: Bits = scipy.ndimage.binary_dilation(core, iterations=max(1, round(cells)), mask=veil)
    return np.asarray(scipy.ndimage.binary_fill_holes(grown), np.bool_)


def _coloured_as_cloud(image: Float, bands: tuple[str, ...], inside: Bits) -> bool:
    """Flat over the visible bands, not green, not snow; True where there are too few bands to tell."""
    level = {band: float(np.median(layer[inside])) for band, layer in zip(bands, image, strict=True)}
    visible = [level[band] for band in VISIBLE if band in level]
    if len(visible) > 1 and max(visible) - min(visible) > _TINT * float(np.mean(visible)):
        return False
    if {"blue", "red"} <= level.keys() and level["blue"] < _BLUE * level["red"]:
        return False
    if {"nir", "red"} <= level.keys() and _index(level["nir"], level["red"]) > _GREEN:
        return False
    if {"swir16", "nir"} <= level.keys() and level["swir16"] > _SOIL * level["nir"]:
        return False
    return not ({"green", "swir16"} <= level.keys() and _index(level["green"], level["swir16"]) > _SNOW)


def _hides_ground(look: Look, detail: tuple[Float, ...], window: Window, inside: Bits) -> bool:
    """Smooth, and the detail that the other date shows is gone or faint."""
    own, other = (each[window][inside].astype(np.float64) for each in detail)
    rise = float(np.median(look.rise[window][inside]))
    rough = 1.4826 * float(np.median(np.abs(own)))
    shared, power, own_power = float(own @ other), float(other @ other), float(own @ own)
    # over ground without detail the share alone is chance: a cloud's own texture over nearly nothing
    alike = shared > _ALIKE * np.sqrt(power * own_power)
    shines_through = alike and shared > _SHINING_THROUGH * power
    return rough < _ROUGH * rise and not shines_through


def _colours(bands: tuple[str, ...]) -> bool:
    return sum(band in VISIBLE for band in bands) > 1


def _index(a: float, b: float) -> float:
    return (a - b) / (a + b) if a + b > 0 else 0.0


def _large(mask: Bits, least: float) -> Bits:
    labels, _ = scipy.ndimage.label(mask, np.ones((3, 3)))
    size = np.bincount(labels.ravel())
    size[0] = 0
    return np.asarray((size >= least)[labels])


def _wider(window: Window, cells: int, shape: tuple[int, ...]) -> Window:
    rows, cols = (
        slice(max(0, part.start - cells), min(size, part.stop + cells))
        for part, size in zip(window, shape, strict=True)
    )
    return rows, cols
