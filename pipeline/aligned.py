"""Both dates on the site's grid, lazily: any window of them, each pixel resampled once from what was
delivered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol, TypeVar

import numpy as np
import xarray as xr
from dask.delayed import delayed
from odc.geo.geobox import GeoBox

from pipeline.delivered import Delivered
from pipeline.mapping import Mapping
from pipeline.pair import Float, Pair
from pipeline.shift import ShiftField
from pipeline.stages.screen import Screened
from pipeline.stages.warp import Warp

Window = tuple[slice, slice]
Result_co = TypeVar("Result_co", covariant=True)


class Work(Protocol[Result_co]):
    """What is done with each window: `pair` has the window and its halo, `inner` says where in it the
    window is.
    """

    def __call__(self, window: Window, inner: Window, pair: Pair, /) -> Result_co: ...


@dataclass(frozen=True, eq=False)
class AlignedImages:
    """Two delivered images with where their pixels lie on the grid; `mappings` and `images` are (before,
    after). `screened` says what of them is cloud or shadow, and so not observed.
    """

    grid: GeoBox
    warp: Warp
    images: tuple[xr.Dataset, xr.Dataset]
    mappings: tuple[Mapping, Mapping]
    screened: Screened | None = None

    @classmethod
    def of(
        cls, before: xr.Dataset, after: xr.Dataset, grid: GeoBox, field: ShiftField, warp: Warp
    ) -> AlignedImages:
        """`field` says how far the after image is off."""
        natives = before.odc.geobox, after.odc.geobox
        return cls(
            grid, warp, (before, after), (warp.plan(natives[0], grid), warp.plan(natives[1], grid, field))
        )

    def without(self, screened: Screened) -> AlignedImages:
        """The same where nothing that is screened was observed."""
        return replace(self, screened=screened if screened.any else None)

    def each(self, windows: Sequence[Window], work: Work[Result_co], halo: int = 0) -> list[Any]:
        """One lazy task a window: read it with `halo` pixels around it, warp, and hand it to `work`."""
        task = delayed(_work, pure=False)
        shared = [delayed(value, pure=False) for value in (self.warp, self.mappings, self.screened, work)]
        padded = [_padded(window, halo, self.grid) for window in windows]
        return [
            task(*shared, window, wide, *self._parts(wide))
            for window, wide in zip(windows, padded, strict=True)
        ]

    def _parts(self, window: Window) -> list[Any]:
        """The part of each delivered image that the window needs; NaN in all bands where not observed."""
        return [
            image.window(*self.warp.source(mapping, *window))
            for image, mapping in zip(self._delivered, self.mappings, strict=True)
        ]

    @cached_property
    def _delivered(self) -> tuple[Delivered, Delivered]:
        before, after = (Delivered.of(image["image"].data) for image in self.images)
        return before, after


def _padded(window: Window, halo: int, grid: GeoBox) -> Window:
    rows, cols = (
        slice(max(0, part.start - halo), min(int(size), part.stop + halo))
        for part, size in zip(window, grid.shape, strict=True)
    )
    return rows, cols


def _work(
    warp: Warp,
    mappings: tuple[Mapping, Mapping],
    screened: Screened | None,
    work: Work[Result_co],
    window: Window,
    padded: Window,
    *delivered: Float,
) -> Result_co:
    before, after = (
        warped(warp, image, mapping, padded) for image, mapping in zip(delivered, mappings, strict=True)
    )
    rows, cols = (
        slice(part.start - wide.start, part.stop - wide.start)
        for part, wide in zip(window, padded, strict=True)
    )
    pair = Pair.of(before, after)
    return work(window, (rows, cols), screened.hide(pair, *padded) if screened else pair)


def warped(warp: Warp, image: Float, mapping: Mapping, window: Window) -> Float:
    """A window of the grid, (band, y, x), NaN where not observed; `image` is what the warp needs for it."""
    return warp.arrays(image, np.isfinite(image[0]), mapping, *window)[0]
