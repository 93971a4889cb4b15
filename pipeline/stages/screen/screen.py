"""The stage: clouds of each date against the other, their shadows, and a margin around both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy import ndimage

from pipeline.stages.screen.clouds import Patch, patches
from pipeline.stages.screen.ground import brightness_bands, look
from pipeline.stages.screen.screened import Bits, Lattice, Screened
from pipeline.stages.screen.shadows import darkened, displacement, moved, shadow

Float = NDArray[np.float32]
_SMOOTH_M = 10.0  # what is smoothed away before cells are judged, but never less than a cell
_OWN_SHADOW = 0.4  # share of darkened ground that a doubtful cloud's own shadow must have


@dataclass(frozen=True)
class Screen:
    """Screen dates that came without a mask for clouds and cloud shadows, against the other date."""

    enabled: bool = True
    """Whether to look at all; masks that are given hold either way."""

    min_area_m2: Annotated[float, Field(ge=0)] = 30_000.0
    """Smaller clouds are left: below this size a bright roof or apron looks the same."""

    margin_m: Annotated[float, Field(ge=0)] = 30.0
    """Screened around every cloud and shadow, for rims too thin to see."""

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
        dates = ((before, after), (after, before))
        found = [
            self._lattice(image, other, tuple(bands), pixel_m * factor, masked, azimuth)
            for (image, other), masked, azimuth in zip(dates, given, sun, strict=True)
        ]
        return Screened(found[0], found[1], factor)

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
        if masked:
            return Lattice.clear("mask given", shape)
        if not self.enabled:
            return Lattice.clear("switched off", shape)
        if not brightness_bands(bands):
            return Lattice.clear("too few bands", shape)
        seen = np.isfinite(image).all(axis=0)
        if not (seen & np.isfinite(other).all(axis=0)).any():
            return Lattice.clear("nothing observed", shape)
        view = look(image, other, bands, max(1.0, _SMOOTH_M / cell_m))
        if view is None:
            return Lattice.clear("no common ground", shape, int(seen.sum()))
        found = list(patches(image, bands, view, cell_m, self.min_area_m2))
        cloud, dark = _clouds_and_shadows(found, darkened(view), seen, cell_m, azimuth)
        near = ndimage.distance_transform_edt(~(cloud | dark)) * cell_m <= self.margin_m
        unusable = np.asarray((near & (cloud | dark).any()) | cloud | dark)
        return Lattice("screened", cloud & seen, dark & seen, unusable, int(seen.sum()))


def _clouds_and_shadows(
    found: list[Patch], dark: Bits, seen: Bits, cell_m: float, azimuth: float | None
) -> tuple[Bits, Bits]:
    """Those that are sure, and the doubtful ones whose shadow lies where those of all together do."""
    everything = _drawn(found, seen.shape)
    sure = _drawn([patch for patch in found if patch.sure], seen.shape)
    offset = None
    for together in (sure, everything):  # what is no cloud must not lead the search where there are clouds
        offset = displacement(together, dark, seen, cell_m, azimuth)
        if offset is not None:
            break
    if offset is None:
        return sure, np.zeros_like(sure)
    kept = [patch for patch in found if patch.sure or _has_shadow(patch, everything, dark, seen, offset)]
    clouds = _drawn(kept, seen.shape)
    return clouds, shadow(clouds, dark, offset, cell_m) if clouds.any() else np.zeros_like(clouds)


def _has_shadow(patch: Patch, clouds: Bits, dark: Bits, seen: Bits, offset: tuple[int, int]) -> bool:
    target = moved(_drawn([patch], seen.shape), offset) & seen & ~clouds
    return bool(target.sum() >= patch.inside.sum() / 4 and dark[target].mean() >= _OWN_SHADOW)


def _drawn(found: list[Patch], shape: tuple[int, ...]) -> Bits:
    mask = np.zeros(shape, np.bool_)
    for patch in found:
        mask[patch.window] |= patch.inside
    return mask
