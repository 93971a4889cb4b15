"""The stage: clouds of each date against the other, their shadows, and a margin around both."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated

import numpy as np
import scipy
from numpy.typing import NDArray
from pydantic import Field

from pipeline.compute import aside
from pipeline.stages.screen.clouds import LEAST_AKIN_M2, LEAST_RAGGED_M2, Patch, akin, patches, ragged
from pipeline.stages.screen.ground import brightness_bands, look
from pipeline.stages.screen.screened import Bits, Lattice, Screened, Why
from pipeline.stages.screen.shadows import Offset, collar, darkened, displacement, moved, shadow

Float = NDArray[np.float32]
_SMOOTH_M = 10.0  # what is smoothed away before cells are judged, but never less than a cell
_FINE_M, _SHARP_M = 5.0, 1.0  # cells in which small clouds have a shape, and what is smoothed away there
_MARGIN_SHARP_M = 4.0  # around clouds of some tens of metres
_SEVERAL = 3  # clouds that one displacement must explain where none is sure
_OWN_SHADOW = 0.4  # share of darkened ground that a doubtful cloud's own shadow must have, and
_DARKER_THAN_BESIDE = 0.25  # so much more of it than right beside


@dataclass(frozen=True)
class Screen:
    """Screen dates that came without a mask for clouds and cloud shadows, against the other date."""

    enabled: bool = True
    """Whether to look at all; masks that are given hold either way."""

    min_area_m2: Annotated[float, Field(ge=0)] = 30_000.0
    """Smaller clouds are left, unless among larger or many ragged ones: a bright roof looks the same."""

    margin_m: Annotated[float, Field(ge=0)] = 30.0
    """Screened around clouds and shadows, for rims too thin to see; at most 4 m where all are small."""

    def __call__(
        self,
        before: Float,
        after: Float,
        bands: tuple[str, ...],
        pixel_m: float,
        factor: int,
        given: tuple[bool, bool] = (False, False),
        sun: tuple[float | None, float | None] = (None, None),
    ) -> Screened:
        """`before`, `after`: (band, y, x) float32, aligned, NaN where unseen, in any units; a cell is
        `factor` pixels of `pixel_m` metres. `given`: the date has a mask of its own, and is left alone.
        `sun`: azimuth, degrees clockwise from north. Never raises for want of good pixels.
        """
        dates = zip(((before, after), (after, before)), given, sun, strict=True)
        first, second = (
            partial(self._lattice, *images, tuple(bands), pixel_m * factor, masked, azimuth)
            for images, masked, azimuth in dates
        )
        with aside(first) as beside:
            lattice = second()
        return Screened(beside.result(), lattice, factor)

    def left_alone(self, bands: tuple[str, ...], masked: bool) -> Why | None:
        """Why a date needs no look at its pixels; None where it does. `masked`: it has a mask of its own."""
        if masked:
            return "mask given"
        if not self.enabled:
            return "switched off"
        return None if brightness_bands(bands) else "too few bands"

    def _lattice(
        self,
        image: Float,
        other: Float,
        bands: tuple[str, ...],
        cell_m: float,
        masked: bool,
        azimuth: float | None,
    ) -> Lattice:
        shape = (int(image.shape[1]), int(image.shape[2]))
        why = self.left_alone(bands, masked)
        if why is not None:
            return Lattice.clear(why, shape)
        seen = np.asarray(np.isfinite(image).all(axis=0))
        both = np.asarray(seen & np.isfinite(other).all(axis=0))
        if not both.any():
            return Lattice.clear("nothing observed", shape)
        view = look(image, other, bands, max(1.0, _SMOOTH_M / cell_m))
        if view is None:
            return Lattice.clear("no common ground", shape, int(seen.sum()))
        found = list(patches(image, bands, view, cell_m, self.min_area_m2))
        dark = darkened(view)
        cloud, offset = _settled(found, dark, seen, cell_m, azimuth)
        margin, least = self.margin_m, LEAST_AKIN_M2
        if not cloud.any() and cell_m < _FINE_M:
            sharp = look(image, other, bands, max(1.0, _SHARP_M / cell_m))
            view, cloud = sharp or view, ragged(image, bands, sharp or view, cell_m)
            margin, least = min(margin, _MARGIN_SHARP_M), LEAST_RAGGED_M2
        cloud |= akin(image, bands, view, cloud, cell_m, least)
        dark = np.zeros_like(cloud) if offset is None else shadow(cloud, dark, offset, cell_m)
        unusable = _as_beside(_widened(cloud | dark, margin / cell_m), both)
        return Lattice("screened", cloud & seen, dark & seen, unusable, int(seen.sum()))


def _widened(mask: Bits, cells: float) -> Bits:
    """With a margin."""
    if not mask.any():
        return mask
    return np.asarray(scipy.ndimage.distance_transform_edt(~mask) <= cells)


def _as_beside(mask: Bits, seen: Bits) -> Bits:
    """Cells that were not seen as the nearest one that was: at a rim they may still hold pixels."""
    if seen.all() or not mask.any():
        return mask
    nearest = scipy.ndimage.distance_transform_edt(~seen, return_distances=False, return_indices=True)
    return np.asarray(mask[tuple(nearest)])


def _settled(
    found: list[Patch], dark: Bits, seen: Bits, cell_m: float, azimuth: float | None
) -> tuple[Bits, Offset | None]:
    """Those that are sure, with the doubtful ones whose shadow lies where those of all together do; and how
    far that is.
    """
    everything = _drawn(found, seen.shape)
    certain = [patch for patch in found if patch.sure]
    sure = _drawn(certain, seen.shape)
    offset = displacement(sure, dark, seen, cell_m, azimuth, len(certain) < _SEVERAL)
    known = offset is not None  # what is no cloud must not lead the search where there are clouds
    if offset is None and len(found) >= _SEVERAL:
        offset = displacement(everything, dark, seen, cell_m, azimuth, False)
    if offset is None:
        return sure, None
    doubtful = [
        patch
        for patch in found
        if not patch.sure and _has_shadow(patch, everything, dark, seen, offset, cell_m)
    ]
    if not known and len(doubtful) < _SEVERAL:
        return sure, None
    return _drawn(certain + doubtful, seen.shape), offset


def _has_shadow(
    patch: Patch, clouds: Bits, dark: Bits, seen: Bits, offset: tuple[int, int], cell_m: float
) -> bool:
    alone = _drawn([patch], seen.shape)
    target, beside = (moved(each, offset) & seen & ~clouds for each in (alone, collar(alone, cell_m)))
    if target.sum() < patch.inside.sum() / 4 or not beside.any():
        return False
    share = float(dark[target].mean())
    return share >= _OWN_SHADOW and share - float(dark[beside].mean()) >= _DARKER_THAN_BESIDE


def _drawn(found: list[Patch], shape: tuple[int, ...]) -> Bits:
    mask = np.zeros(shape, np.bool_)
    for patch in found:
        mask[patch.window] |= patch.inside
    return mask
