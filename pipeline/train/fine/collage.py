"""Pairs made of real images: roofs taken away, put elsewhere, ground dug up, or nothing but another light.

What is built is real, as is the ground it stands on; what was there before is real ground of the same image,
or soil. Learning change from single-date images so is the idea of ChangeStar (Zheng et al. 2021).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.draw import polygon as polygon_pixels

from pipeline.stages.detect.detector import KINDS
from pipeline.train.fine.backgrounds import Background, Labels
from pipeline.train.fine.sample import BUILDING, IGNORE, NO_BUILDING, Bytes, Sample

Float = NDArray[np.float32]
_SOILS = ((150, 125, 95), (170, 150, 120), (130, 105, 80), (185, 170, 150), (140, 95, 70), (160, 160, 150))
_PAVING = ((95, 95, 98), (125, 125, 125), (165, 162, 155), (190, 185, 175))
_TRIES = 30
_CHANCES = {"erase": 0.4, "plant": 0.25, "quiet": 0.2, "other place": 0.15}


@dataclass(frozen=True, eq=False)
class _Crop:
    """Part of a background, float32 (3, y, x), and its roofs."""

    image: Float
    roofs: Labels
    source: Background


def collage(rng: np.random.Generator, grounds: Sequence[Background], size: int = 256) -> Sample:
    """A random pair of `size` pixels a side."""
    how = str(rng.choice(list(_CHANCES), p=list(_CHANCES.values())))
    labelled = [ground for ground in grounds if ground.labelled]
    first = _crop(rng, labelled if how in ("erase", "other place") else grounds, size)
    unknown = first.roofs < 0
    stood = np.where(unknown, IGNORE, first.roofs > 0).astype(np.uint8)
    classes = np.zeros(stood.shape, np.uint8)
    if how == "quiet":
        before, after = first.image, first.image.copy()
        stands = stood
    elif how == "erase":
        before, after, classes, stood, stands = _erased(rng, first, stood)
    elif how == "plant":
        before, after = first.image, first.image.copy()
        stands = stood.copy()
        _plant(rng, after, classes, stands, labelled)
    else:
        second = _crop(rng, labelled, size)
        before, after = first.image, second.image
        stands = np.where(second.roofs < 0, IGNORE, second.roofs > 0).astype(np.uint8)
        classes = np.where((stands == 1) & (stood == 0), BUILDING, NO_BUILDING).astype(np.uint8)
        classes[(stands == IGNORE) | (stood == 1)] = IGNORE
    removed = np.zeros_like(classes)
    if how == "other place":
        removed[:] = np.where((stood == 1) & (stands == 0), BUILDING, IGNORE)
    elif rng.random() < 0.3:
        _dig(rng, after, classes, stands)
    _park(rng, before if rng.random() < 0.5 else after)
    images = [_another_light(rng, image) for image in (before, after)]
    return Sample(np.concatenate(images), np.stack([classes, removed, stood, stands]))


def _crop(rng: np.random.Generator, grounds: Sequence[Background], size: int) -> _Crop:
    """A random part of a random image, turned and mirrored; reflected at its rim where the image is small."""
    weights = np.sqrt([ground.image[0].size for ground in grounds])
    ground = grounds[int(rng.choice(len(grounds), p=weights / weights.sum()))]
    rows, cols = ground.roofs.shape
    row, col = (int(rng.integers(0, max(n - size, 0) + 1)) for n in (rows, cols))
    image = ground.image[:, row : row + size, col : col + size].astype(np.float32)
    roofs = ground.roofs[row : row + size, col : col + size]
    lack = [(0, size - n) for n in roofs.shape]
    image = np.pad(image, [(0, 0), *lack], mode="symmetric")
    roofs = np.pad(roofs, lack, mode="symmetric")
    turns, mirror = int(rng.integers(4)), rng.random() < 0.5
    image, roofs = np.rot90(image, turns, (1, 2)), np.rot90(roofs, turns)
    if mirror:
        image, roofs = image[:, :, ::-1], roofs[:, ::-1]
    return _Crop(np.ascontiguousarray(image), np.ascontiguousarray(roofs), ground)


def _erased(rng: np.random.Generator, crop: _Crop, stood: Bytes) -> tuple[Float, Float, Bytes, Bytes, Bytes]:
    """Some roofs are new: before there was other ground of the same image there, or soil."""
    numbers = [n for n in np.unique(crop.roofs) if n > 0]
    chosen = [n for n in numbers if rng.random() < rng.choice([0.3, 0.6, 1.0])]
    built = np.isin(crop.roofs, chosen)
    classes = np.where(built, BUILDING, 0).astype(np.uint8)
    classes[crop.roofs < 0] = IGNORE
    lot = int(rng.choice([5, 7, 10, 25]))  # pixels around a roof that went with it
    changed = _grown(built, lot)
    if lot > 9:  # whole gardens: nobody outlined their drives and walls
        classes[changed & ~built & (classes == 0)] = NO_BUILDING
    kept = (crop.roofs > 0) & ~built
    changed &= ~_grown(kept, 3)
    before = _blended(crop.image, _other_ground(rng, crop, changed), changed)
    earlier = np.where(built, 0, stood).astype(np.uint8)
    return before, crop.image.copy(), classes, earlier, stood


def _other_ground(rng: np.random.Generator, crop: _Crop, hole: NDArray[np.bool_]) -> Float:
    """Ground without roofs to fill a hole with: the image itself, moved or from elsewhere; else soil."""
    if rng.random() < 0.75:
        size = hole.shape[0]
        rows, cols = crop.source.roofs.shape
        for _ in range(_TRIES):
            if rows >= size and cols >= size:
                row, col = int(rng.integers(rows - size + 1)), int(rng.integers(cols - size + 1))
                part = (slice(row, row + size), slice(col, col + size))
                roofs, image = crop.source.roofs[part], crop.source.image[:, *part]
            else:
                move = tuple(int(n) for n in rng.integers(-size // 2, size // 2, 2))
                roofs, image = np.roll(crop.roofs, move, (0, 1)), np.roll(crop.image, move, (1, 2))
            if (_grown(roofs != 0, 6) & hole).sum() < 0.02 * hole.sum():
                return image.astype(np.float32)
    return _soil(rng, hole.shape, float(crop.image.mean()), _SOILS)


def _soil(
    rng: np.random.Generator, shape: tuple[int, ...], level: float, colours: Sequence[tuple[int, ...]]
) -> Float:
    """Bare or paved ground: one colour, uneven at two scales."""
    colour = np.array(colours[int(rng.integers(len(colours)))], np.float32)
    colour = colour * (level / 120) ** 0.5 * np.exp(rng.normal(0, 0.12)) + rng.normal(0, 6, 3)
    noise = rng.standard_normal(shape).astype(np.float32)
    patches = ndimage.zoom(rng.standard_normal((9, 9)).astype(np.float32), shape[0] / 9, order=1)[
        : shape[0], : shape[1]
    ]
    uneven = (
        1
        + rng.uniform(0.02, 0.07) * ndimage.gaussian_filter(noise, 0.8) * 2
        + rng.uniform(0.02, 0.1) * patches
    )
    return np.asarray(colour[:, None, None] * uneven, np.float32)


def _blended(image: Float, other: Float, where: NDArray[np.bool_]) -> Float:
    share = ndimage.gaussian_filter(where.astype(np.float32), 1.2)
    return image * (1 - share) + other * share


def _plant(
    rng: np.random.Generator, image: Float, classes: Bytes, stands: Bytes, labelled: Sequence[Background]
) -> None:
    """Put roofs of other places, with a rim of what is around them and their shadow, on free ground."""
    donor = _crop(rng, labelled, classes.shape[0])
    numbers = [n for n in np.unique(donor.roofs) if n > 0]
    rng.shuffle(numbers)
    tone = np.clip(image.mean(axis=(1, 2)) / np.maximum(donor.image.mean(axis=(1, 2)), 1), 0.6, 1.6)[
        :, None, None
    ]
    for number in numbers[: int(rng.integers(1, 9))]:
        part = ndimage.find_objects((donor.roofs == number).astype(np.uint8))[0]
        rim = int(rng.integers(2, 7))
        box = tuple(slice(max(s.start - rim, 0), s.stop + rim) for s in part)
        roof = donor.roofs[box] == number
        if (donor.roofs[box] != 0).sum() > 1.6 * roof.sum():
            continue
        for _ in range(_TRIES):
            row, col = (
                int(rng.integers(0, max(n - m, 0) + 1))
                for n, m in zip(classes.shape, roof.shape, strict=True)
            )
            spot = (slice(row, row + roof.shape[0]), slice(col, col + roof.shape[1]))
            if (stands[spot] != 0).any() or (classes[spot] != 0).any():
                continue
            changed = _grown(roof, rim)
            changed[[0, -1]] = changed[:, [0, -1]] = False
            image[:, *spot] = _blended(image[:, *spot], donor.image[:, *box] * tone, changed | roof)
            classes[spot][roof] = BUILDING
            stands[spot][roof] = 1
            break


def _dig(rng: np.random.Generator, image: Float, classes: Bytes, stands: Bytes) -> None:
    """Clear ground, or lay a road, where nothing stands."""
    size = classes.shape[0]
    kind = "road" if rng.random() < 0.4 else "clearing"
    inside = np.zeros(classes.shape, bool)
    if kind == "road":
        at = np.cumsum(rng.normal(0, 0.1, 40)) + rng.uniform(0, 2 * np.pi)
        steps = np.stack([np.sin(at), np.cos(at)]) * rng.uniform(3, 7)
        rows, cols = (np.cumsum(steps, axis=1) + rng.uniform(0.1, 0.9, (2, 1)) * size).round().astype(int)
        held = (rows >= 0) & (rows < size) & (cols >= 0) & (cols < size)
        line = np.ones_like(inside)
        line[rows[held], cols[held]] = False
        inside = ndimage.distance_transform_edt(line) < max(rng.uniform(3, 8), steps.max() * 0.6)
    else:
        angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(4, 9))))
        reach = rng.uniform(12, 50)
        centre = rng.uniform(0.15, 0.85, 2) * size
        rows, cols = polygon_pixels(
            centre[0] + reach * np.sin(angles), centre[1] + reach * np.cos(angles), classes.shape
        )
        inside[rows, cols] = True
    inside &= ~_grown((stands != 0) | (classes != 0), 2)
    if inside.sum() < 60:
        return
    colours = _PAVING if kind == "road" and rng.random() < 0.6 else _SOILS
    image[:] = _blended(image, _soil(rng, inside.shape, float(image.mean()), colours), inside)
    classes[inside] = 1 + KINDS.index(kind)


def _park(rng: np.random.Generator, image: Float) -> None:
    """Cars that are there on one date only."""
    size = image.shape[1]
    for _ in range(int(rng.integers(0, 12))):
        row, col = rng.integers(2, size - 16, 2)
        long, wide = (8, 4) if rng.random() < 0.5 else (4, 8)
        colour = rng.choice([30, 60, 200, 235, 120]) + rng.normal(0, 12, 3)
        image[:, row : row + long, col : col + wide] = colour[:, None, None]


def _another_light(rng: np.random.Generator, image: Float) -> Bytes:
    """Another light, haze and season: plants dry, brightness drifts over the image."""
    red, green, blue = image
    plants = np.clip((2 * green - red - blue) / np.maximum(red + green + blue, 1) * 6, 0, 1)
    drift = ndimage.zoom(rng.standard_normal((4, 4)).astype(np.float32), image.shape[1] / 4, order=1)
    dried = plants * np.clip(rng.uniform(-0.3, 0.9) + 0.2 * drift, 0, 1)
    straw = image.mean(axis=0) * np.array([1.15, 1.05, 0.8], np.float32)[:, None, None]
    changed = (image * (1 - dried) + straw * dried) * np.exp(rng.uniform(0, 0.08) * drift)
    return np.clip(np.rint(changed), 0, 255).astype(np.uint8)


def _grown(mask: NDArray[np.bool_], pixels: int) -> NDArray[np.bool_]:
    """Every pixel within `pixels` of the mask."""
    if not mask.any():
        return mask.copy()
    return np.asarray(ndimage.distance_transform_edt(~mask) <= pixels)
