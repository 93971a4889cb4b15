"""What an object looks like: its shape, and its ground on both dates against the ground around it.

Every measure is a ratio, a share or a logarithm, so that it carries over between scenes, sensors and seasons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree
from skimage.measure import regionprops
from skimage.morphology import skeletonize

from pipeline.pair import Float, Mask, Pair

RING_PX = 8  # pixels around an object that stand for its surroundings
NEARBY_M = 20.0
_GAP_PX = 2  # between the object and its surroundings: blurred edges belong to neither
_DARK = 0.6  # of the surroundings' median: in shadow, or as good as
_BRIGHT = 1.35


@dataclass(frozen=True)
class Look:
    """An object's ground on one date, relative to its surroundings on that date."""

    contrast: float  # mean brightness inside over that around, log
    dark: float  # share of pixels in the dark
    bright: float  # share of pixels that stand out bright
    texture: float  # standard deviation inside over mean brightness around
    colour: float  # spread of colour inside
    edge: float  # gradient along the outline, over mean brightness around
    vegetation: float  # NDVI, or excess green where there is no near infrared


@dataclass(frozen=True)
class Shape:
    """An object's outline, in metres."""

    area_m2: float
    length_m: float
    width_m: float
    rectangularity: float  # area over that of the smallest rectangle around it
    solidity: float  # area over that of its convex hull


@dataclass(frozen=True)
class Measures:
    """All that is known of one object."""

    shape: Shape
    before: Look
    after: Look
    alike: float  # correlation of both dates inside
    percent: float  # mean probability of change
    pixels: int
    crowd: float = 0.0  # other objects nearby

    def vector(self) -> NDArray[np.float64]:
        """As numbers for a linear model; the order is that of `names`."""
        shape, before, after = self.shape, np.array(astuple(self.before)), np.array(astuple(self.after))
        size = [
            np.log(shape.area_m2),
            np.log(shape.length_m),
            np.log(shape.width_m),
            np.log(shape.length_m / shape.width_m),
            np.log(self.pixels),
            shape.rectangularity,
            shape.solidity,
        ]
        rest = [self.alike, self.percent / 100, np.log1p(self.crowd)]
        return np.concatenate([size, rest, before, after, np.abs(after - before)])

    @staticmethod
    def names() -> list[str]:
        """What each number of `vector` is."""
        look = [f.name for f in fields(Look)]
        size = [
            "log area",
            "log length",
            "log width",
            "log elongation",
            "log pixels",
            "rectangularity",
            "solidity",
        ]
        return (
            size
            + ["alike", "percent", "log crowd"]
            + [f"{name} {when}" for when in ("before", "after", "changed") for name in look]
        )


def measure(
    pair: Pair, inside: Mask, free: Mask, percent: Float, bands: Sequence[str], pixel_m: float
) -> Measures:
    """Measure the object `inside` (y, x) of a window; `free` marks observed pixels that belong to no
    object.
    """
    ring = ndimage.binary_dilation(inside, iterations=RING_PX) & free
    ring &= ~ndimage.binary_dilation(inside, iterations=_GAP_PX)
    if not ring.any():
        ring = free & ~inside if (free & ~inside).any() else pair.observed
    looks = [_look(image, inside, ring, bands) for image in (pair.before, pair.after)]
    greys = [image.mean(axis=0)[inside] for image in (pair.before, pair.after)]
    return Measures(
        shape=measure_shape(inside, pixel_m),
        before=looks[0],
        after=looks[1],
        alike=_correlation(*greys),
        percent=float(percent[inside].mean()),
        pixels=int(inside.sum()),
    )


def measure_shape(inside: Mask, pixel_m: float) -> Shape:
    """Shape of one object in a window, pixels of `pixel_m` metres.

    A thing much longer than wide is measured along its centre line, bends and all; any other by the axes of
    the ellipse with the same second moments.
    """
    region = regionprops(inside.astype(np.uint8))[0]
    area = float(region.area)
    centre_line = _centre_line(inside)
    thickness = 2 * float(ndimage.distance_transform_edt(np.pad(inside, 1)).max()) - 1
    line_width = area / max(centre_line, 1.0)
    if area > 4 * thickness**2:
        length, width = centre_line + line_width, line_width
    else:
        length, width = (max(float(axis), 1.0) * np.sqrt(np.pi) / 2 for axis in _axes(region))
    height, breadth = _smallest_rectangle(inside)
    return Shape(
        area_m2=area * pixel_m**2,
        length_m=length * pixel_m,
        width_m=width * pixel_m,
        rectangularity=min(area / (height * breadth), 1.0),
        solidity=float(region.solidity) if area > 3 else 1.0,
    )


def crowds(centres: NDArray[np.float64]) -> NDArray[np.intp]:
    """How many other objects lie within `NEARBY_M` of each; centres (n, 2) in metres."""
    if len(centres) == 0:
        return np.zeros(0, np.intp)
    tree = cKDTree(centres)
    return np.asarray(tree.query_ball_point(centres, NEARBY_M, return_length=True), np.intp) - 1


def vegetation(image: Float, bands: Sequence[str]) -> Float:
    """NDVI (Tucker 1979) where there is near infrared, else twice the excess green index (Woebbecke 1995);
    (y, x).
    """
    index = {name: i for i, name in enumerate(bands)}
    tiny = np.float32(1e-4)
    if "nir" in index and "red" in index:
        nir, red = image[index["nir"]], image[index["red"]]
        return np.asarray((nir - red) / np.maximum(nir + red, tiny))
    if {"red", "green", "blue"} <= index.keys():
        red, green, blue = (image[index[name]] for name in ("red", "green", "blue"))
        return np.asarray(2 * (2 * green - red - blue) / np.maximum(red + green + blue, tiny))
    return np.zeros(image.shape[1:], np.float32)


def _look(image: Float, inside: Mask, ring: Mask, bands: Sequence[str]) -> Look:
    grey = np.maximum(image.mean(axis=0), np.float32(1e-4))
    level = max(float(np.median(grey[ring])), 1e-4)
    values = grey[inside]
    outline = inside ^ ndimage.binary_erosion(inside)
    filled = np.where(np.isnan(grey), np.float32(level), grey)
    gradient = ndimage.gaussian_gradient_magnitude(filled, 1.0)
    share = image[:, inside] / np.maximum(image[:, inside].sum(axis=0), np.float32(1e-4))
    return Look(
        contrast=float(np.log(max(float(values.mean()), 1e-4) / level)),
        dark=float((values < _DARK * level).mean()),
        bright=float((values > _BRIGHT * level).mean()),
        texture=float(values.std()) / level,
        colour=float(share.std(axis=1).mean()) * len(bands),
        edge=float(gradient[outline].mean()) / level,
        vegetation=float(vegetation(image, bands)[inside].mean()),
    )


def _correlation(a: Float, b: Float) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / max(float(np.sqrt((a * a).sum() * (b * b).sum())), 1e-9))


def _axes(region: object) -> tuple[float, float]:
    return region.axis_major_length, region.axis_minor_length  # type: ignore[attr-defined]


def _smallest_rectangle(inside: Mask) -> tuple[float, float]:
    """Sides in pixels of the smallest rectangle, at any angle, around the pixels' centres, and half a pixel
    more.
    """
    rows, cols = np.nonzero(inside ^ ndimage.binary_erosion(inside))
    angles = np.deg2rad(np.arange(0, 90, 3.0))[:, None]
    u = np.cos(angles) * cols + np.sin(angles) * rows
    v = np.cos(angles) * rows - np.sin(angles) * cols
    sides = np.ptp(u, axis=1) + 1, np.ptp(v, axis=1) + 1
    best = int(np.argmin(sides[0] * sides[1]))
    return float(sides[0][best]), float(sides[1][best])


def _centre_line(inside: Mask) -> float:
    """Length of the skeleton in pixels: straight and diagonal steps, less what stairs add (Kulpa 1977)."""
    line = skeletonize(inside)
    straight = (line[1:] & line[:-1]).sum() + (line[:, 1:] & line[:, :-1]).sum()
    diagonal = (line[1:, 1:] & line[:-1, :-1]).sum() + (line[1:, :-1] & line[:-1, 1:]).sum()
    return 0.948 * float(straight + np.sqrt(2) * diagonal)
