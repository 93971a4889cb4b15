"""Made objects of known shape for the tests of `flag`, in pixels of half a metre."""

from __future__ import annotations

import numpy as np
import shapely
from imagery import grid
from numpy.typing import NDArray
from scipy import ndimage
from shapely.affinity import affine_transform, rotate, translate
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from pipeline.pair import Mask
from pipeline.stages.flag.shape import measure_shape
from pipeline.stages.flag.things import Thing

GRID = grid(120, 160, size=0.5)
Bytes = NDArray[np.uint8]
Box = tuple[float, float, float, float]  # length, width, along, across

RECTANGLE: tuple[Box, ...] = ((30, 18, 0, 0),)
ELL: tuple[Box, ...] = ((40, 14, 0, 0), (14, 30, 13, 8))
TEE: tuple[Box, ...] = ((44, 12, 0, 0), (12, 30, 0, 15))


def turned(length: float, width: float, degrees: float, size: int = 140) -> Mask:
    """Pixels whose centres lie in a rectangle around the middle, turned anticlockwise."""
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    angle = np.deg2rad(degrees)
    along, across = x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)
    return np.asarray((np.abs(along) < length / 2) & (np.abs(across) < width / 2))


def footprint(degrees: float, *parts: Box) -> tuple[BaseGeometry, Mask]:
    """Boxes around (60, 60), turned together: as a shape in pixels, and the pixels whose centres it holds."""
    boxes = [box(u - a / 2, v - b / 2, u + a / 2, v + b / 2) for a, b, u, v in parts]
    shape = translate(rotate(shapely.union_all(boxes), degrees, origin=(0, 0)), 60, 60)
    rows, cols = np.mgrid[:120, :160] + 0.5
    return shape, shapely.contains_xy(shape, cols, rows)


def blurred(inside: Mask, noise: float = 5.0, sigma: float = 1.2, level: float = 92.0) -> Bytes:
    """Percentages as a network gives them: soft edges, and noise of a pixel or two."""
    rng = np.random.default_rng(8)
    rough = ndimage.gaussian_filter(rng.normal(0, 1, inside.shape), 1.0) * 3 * noise
    return np.clip(ndimage.gaussian_filter(level * inside, sigma) + rough, 0, 100).astype(np.uint8)


def thing(inside: Mask, kind: str = "building", percent: Bytes | None = None) -> Thing:
    """A thing in the upper left of GRID; the probability is that of an even roof unless given."""
    window = slice(0, inside.shape[0]), slice(0, inside.shape[1])
    likely = np.where(inside, 90, 3).astype(np.uint8) if percent is None else percent
    return Thing(window, inside, likely, measure_shape(inside, 0.5), kind, "new", 0.9, 0.9, level=40)


def largest(mask: Mask) -> Mask:
    """The largest connected piece (y, x)."""
    labels, _ = ndimage.label(mask, np.ones((3, 3)))
    return np.asarray(labels == 1 + np.bincount(labels.ravel())[1:].argmax())


def iou(one: BaseGeometry, other: BaseGeometry) -> float:
    """Intersection over union."""
    return float(one.intersection(other).area / one.union(other).area)


def in_pixels(shape: BaseGeometry) -> BaseGeometry:
    """A shape in the CRS of GRID, in columns and rows."""
    back = ~GRID.transform
    return affine_transform(shape, [back.a, back.b, back.d, back.e, back.c, back.f])
