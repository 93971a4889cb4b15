"""The finer grid that a scene is drawn on before the sensor sees it: heights and reflectance."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from odc.geo.geobox import GeoBox

from pipeline.simulate.materials import BANDS
from pipeline.simulate.noise import Array


@dataclass(frozen=True)
class Frame:
    """Local metres east and north of the image's centre, on a grid `supersample` times finer than the image.

    The grid reaches `margin` metres past the image, so that what is shifted in from outside is drawn too.
    """

    geobox: GeoBox
    supersample: int = 1
    margin: float = 12.0

    @property
    def resolution(self) -> float:
        """The image's pixel in metres."""
        return float(self.geobox.resolution.x)

    @property
    def step(self) -> float:
        """The drawn pixel in metres."""
        return self.resolution / self.supersample

    @property
    def border(self) -> int:
        """Drawn pixels past the image on each side."""
        return int(np.ceil(self.margin / self.resolution)) * self.supersample

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns drawn."""
        rows, cols = self.geobox.shape
        return rows * self.supersample + 2 * self.border, cols * self.supersample + 2 * self.border

    @property
    def origin(self) -> tuple[float, float]:
        """CRS coordinates of the image's centre, where local (0, 0) is."""
        rows, cols = self.geobox.shape
        x, y = self.geobox.transform @ (cols / 2, rows / 2)
        return float(x), float(y)

    def axes(self) -> tuple[Array, Array]:
        """Local x of the drawn columns and y of the drawn rows (pixel centres); y falls."""
        return _axes(self.shape, self.step)

    def pixel_centres(self) -> tuple[Array, Array]:
        """Local x and y (rows, cols) of the image's pixel centres."""
        rows, cols = self.geobox.shape
        x, y = _axes((rows, cols), self.resolution)
        grid_x, grid_y = np.meshgrid(x, y)
        return grid_x, grid_y

    def rows_cols(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Fractional drawn row and column of local points."""
        rows, cols = self.shape
        return rows / 2 - y / self.step - 0.5, x / self.step + cols / 2 - 0.5

    def window(self, bounds: tuple[float, float, float, float], pad: float) -> tuple[slice, slice]:
        """Drawn rows and columns that cover local `bounds` (west, south, east, north) and a pad."""
        rows, cols = self.shape
        west, south, east, north = bounds
        top, left = rows / 2 - (north + pad) / self.step, (west - pad) / self.step + cols / 2
        bottom, right = rows / 2 - (south - pad) / self.step, (east + pad) / self.step + cols / 2
        clip = np.clip([np.floor(top), np.ceil(bottom)], 0, rows).astype(int)
        clip_cols = np.clip([np.floor(left), np.ceil(right)], 0, cols).astype(int)
        return slice(int(clip[0]), int(clip[1])), slice(int(clip_cols[0]), int(clip_cols[1]))


def _axes(shape: tuple[int, int], pixel: float) -> tuple[Array, Array]:
    """x of the columns and y of the rows of a grid centred on (0, 0), at pixel centres."""
    rows, cols = shape
    x = np.asarray((np.arange(cols) + 0.5 - cols / 2) * pixel, dtype=np.float64)
    y = np.asarray((rows / 2 - np.arange(rows) - 0.5) * pixel, dtype=np.float64)
    return x, y


@dataclass
class Canvas:
    """What has been drawn so far, on `frame`: all arrays (y, x), reflectance (band, y, x)."""

    frame: Frame
    reflectance: Array  # blue, green, red, nir
    relief: Array  # metres; shaded by its slope
    level: Array  # metres; the relief smoothed, what grading levels to
    fine: Array  # texture from pixel to pixel, unit variance
    coarse: Array  # texture over some metres, unit variance
    blocks: Array = field(init=False)  # metres above the relief; upright sides, cast shadow only

    def __post_init__(self) -> None:
        assert self.reflectance.shape == (len(BANDS), *self.frame.shape)
        self.blocks = np.zeros(self.frame.shape)

    def copy(self) -> Canvas:
        """A canvas to draw one date's things on, the ground left as it is."""
        return Canvas(
            self.frame, self.reflectance.copy(), self.relief.copy(), self.level, self.fine, self.coarse
        )
