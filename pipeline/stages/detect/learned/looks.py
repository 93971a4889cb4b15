"""The same scene flipped and turned: networks are asked in turn, and their answers are averaged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import cycle
from typing import Literal

import numpy as np

from pipeline.pair import Float

Looks = Literal[1, 2, 4, 8]
_ALL = [(turn, flip) for flip in (False, True) for turn in (0, 2, 1, 3)]
_ORDER = {1: _ALL[:1], 2: [(0, False), (0, True)], 4: [(0, False), (0, True), (2, False), (2, True)], 8: _ALL}


def averaged(
    asks: Sequence[Callable[[Float], Float]],
    chances: Sequence[Callable[[Float], Float]],
    pair: Float,
    looks: Looks,
    least: float = 0.0,
) -> Float:
    """The mean chance of what is answered to `pair` (channel, y, x) seen in `looks` ways, each turned back.

    `asks`, and what makes chances of their answers, take turns. 2: also mirrored. 4: also upside down. 8:
    also turned by right angles. Where the first look gives less than `least` of the first layer everywhere,
    it stands: more looks would not make a finding of it.
    """
    turns = zip(cycle(asks), cycle(chances), strict=False)
    ask, chance = next(turns)
    total = chance(ask(pair))
    if looks == 1 or float(total[0].max()) < least:
        return total
    for (turn, flip), (ask, chance) in zip(_ORDER[looks][1:], turns, strict=False):
        seen = np.rot90(pair[:, :, ::-1] if flip else pair, turn, axes=(1, 2))
        said = np.rot90(ask(seen), -turn, axes=(1, 2))
        total += chance(said[:, :, ::-1] if flip else said)
    total *= np.float32(1 / looks)
    return total
