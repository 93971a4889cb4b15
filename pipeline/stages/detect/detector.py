"""What a detector is, and what it hands on to `flag`: layers of percentages, by name."""

from __future__ import annotations

from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.pair import Pair

NOT_OBSERVED = 255

Kind = Literal["building", "road", "earthwork", "clearing", "equipment"]
KINDS: tuple[Kind, ...] = ("building", "road", "earthwork", "clearing", "equipment")

CHANGE = "change"  # probability that something was constructed here: new or altered, of any kind
REMOVED = "removed"  # probability that something built was taken away here
STANDING = "standing"  # probability that a building stood here before: a find on it is altered, not new
LAYERS: tuple[str, ...] = (CHANGE, REMOVED, *KINDS, STANDING)  # all there can be; the kinds sum to change


class Detector(Protocol):
    """A detector fitted to one scene: turns any block of it into layers, on its own."""

    @property
    def name(self) -> str:
        """`classic`, `learned` or `onnx`."""

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of what it gives, of `LAYERS`, `change` first. It may be `change` alone."""

    @property
    def reach(self) -> int:
        """Pixels that a block needs around itself, so that blocks join without a seam."""

    @property
    def tile(self) -> int:
        """Side in pixels of the tiles, counted from the grid's first pixel, that are judged as a whole.

        A block should be made of whole tiles (but for the grid's last ones). 1: every pixel is judged alone.
        """

    def __call__(self, pair: Pair, origin: tuple[int, int] = (0, 0)) -> NDArray[np.uint8]:
        """Percent (layer, y, x), `NOT_OBSERVED` in every layer where either date was not seen.

        `origin`: row and column of the pair's first pixel on the site's grid (negative in the margin around
        it). Tiles that are at least `reach` from the pair's rim depend on neither its size nor its place.
        """

    def as_dict(self) -> dict[str, Any]:
        """As in run.json: the name, the model, and its false-alarm rate or its calibration."""


class LayerReader(Protocol):
    """The layers of a whole scene, read a window at a time."""

    @property
    def detector(self) -> str:
        """The name of the detector that gave them; empty for the usual one of such layers."""

    @property
    def names(self) -> tuple[str, ...]:
        """The layers there are, `change` first."""

    def __call__(self, rows: slice, cols: slice) -> NDArray[np.uint8]:
        """A window of all layers (layer, y, x) in percent, `NOT_OBSERVED` where not seen on both dates."""

    def layer(self, name: str, rows: slice) -> NDArray[np.uint8]:
        """Some rows of one layer, as wide as the grid (y, x). Raises KeyError where there is none of that
        name.
        """
