"""Large arrays that a thread uses again for every block.

Memory that is new to a process costs more to get, page by page, than to fill: of a block's sums nine tenths.
"""

from __future__ import annotations

import math
from threading import get_ident
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

_kept: dict[tuple[int, str], NDArray[np.uint8]] = {}


def scratch(name: str, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """An array of anything, this thread's own, which holds until the thread asks for `name` again."""
    size, key = math.prod(shape) * np.dtype(dtype).itemsize, (get_ident(), name)
    array = _kept.get(key)
    if array is None or array.nbytes < size:
        array = _kept[key] = np.empty(size, np.uint8)
    return array[:size].view(dtype).reshape(shape)


def release() -> None:
    """Keep none any longer; those in use live until they are not."""
    _kept.clear()
