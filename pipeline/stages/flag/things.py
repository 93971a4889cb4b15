"""What `flag` finds, before it is known whether it is worth reporting."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.pair import Mask
from pipeline.stages.detect.detector import CHANGE
from pipeline.stages.flag.segment import Bytes, Window
from pipeline.stages.flag.shape import Shape


@dataclass(frozen=True, eq=False)
class Thing:
    """Pixels that are one thing, and what it is taken for.

    `inside`: (y, x) in `window` of the grid. `percent`: the layer that it was found in, the same pixels.
    """

    window: Window
    inside: Mask
    percent: Bytes
    shape: Shape
    kind: str
    direction: str
    confidence: float  # probability that it is construction at all
    new: float  # probability that it is construction that was not there before
    found_in: str = CHANGE  # the layer
    level: float = 50.0  # percent of it, down to which the thing reaches
