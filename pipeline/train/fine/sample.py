"""What the fine network learns from: a pair in 8 bits and what is where in it."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.stages.detect.detector import KINDS

CLASSES, REMOVED, STOOD, STANDS = range(4)
IGNORE: Final = 255  # nobody knows
SOMETHING: Final = 253  # constructed, of a kind that nobody knows
NO_BUILDING: Final = 254  # no new building, but whatever else nobody knows
BUILDING: Final = 1 + KINDS.index("building")
EQUIPMENT: Final = 1 + KINDS.index("equipment")

Bytes = NDArray[np.uint8]


class Sample(NamedTuple):
    """`images`: (6, y, x) uint8, red, green, blue before and after. `labels`: (4, y, x) uint8:

    `CLASSES` 0 nothing, 1 + the index in KINDS of what was constructed (new or altered), SOMETHING,
    NO_BUILDING;
    `REMOVED` the same of what was there before and is gone; `STOOD`, `STANDS` 1 on buildings before and
    after. `IGNORE` where nobody knows.
    """

    images: Bytes
    labels: Bytes

    def swapped(self) -> Sample:
        """The same with the dates exchanged: what was built is then gone. A group of machines that leaves is
        nothing, and a roof that turns into bare walls is no building work.
        """
        images = np.concatenate([self.images[3:], self.images[:3]])
        new, gone, stood, stands = self.labels
        altered = (new == BUILDING) & (stood == 1)
        classes = np.where(altered | (new == NO_BUILDING), NO_BUILDING, gone)
        classes[(gone == EQUIPMENT) | (new == IGNORE)] = IGNORE
        removed = np.where(altered | (new == EQUIPMENT) | (new == NO_BUILDING), IGNORE, new)
        return Sample(images, np.stack([classes, removed, stands, stood]))

    def turned(self, turns: int, mirrored: bool) -> Sample:
        """Turned by `turns` quarters, and mirrored."""
        layers = [np.rot90(layer, turns, axes=(1, 2)) for layer in self]
        if mirrored:
            layers = [layer[:, :, ::-1] for layer in layers]
        return Sample(*(np.ascontiguousarray(layer) for layer in layers))

    def halved(self) -> Sample:
        """At twice the pixel size: images averaged, of labels the largest."""
        _, height, width = self.images.shape
        blocks = self.images.reshape(6, height // 2, 2, width // 2, 2)
        squares = self.labels.reshape(4, height // 2, 2, width // 2, 2)
        return Sample(np.rint(blocks.mean(axis=(2, 4))).astype(np.uint8), squares.max(axis=(2, 4)))


def mosaic(four: list[Sample]) -> Sample:
    """Four samples side by side, two by two, as one of the same size at twice the pixel size."""
    parts = [sample.halved() for sample in four]
    joined = [
        np.concatenate([np.concatenate(list(row), axis=2) for row in (layers[:2], layers[2:])], axis=1)
        for layers in ([part.images for part in parts], [part.labels for part in parts])
    ]
    return Sample(joined[0], joined[1])
