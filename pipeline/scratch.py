"""Large arrays that a thread uses again for every block.

Memory that is new to a process costs more to get, page by page, than to fill: of a block's sums nine tenths.
"""

from __future__ import annotations

import math
from threading import local
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

_here = local()


def scratch(name: str, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """An array of anything, this thread's own, which holds until the thread asks for `name` again."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    kept: dict[str, NDArray[np.uint8]] = _here.__dict__.setdefault("arrays", {})
    if name not in kept or kept[name].nbytes < size:
        kept[name] = np.empty(size, np.uint8)
    return kept[name][:size].view(dtype).reshape(shape)
