"""Memory that is used again for every block, rather than given back to the system and got anew.

Memory that is new to a process costs more to get, page by page, than to fill: of a block's sums nine tenths.
"""

from __future__ import annotations

import ctypes
import math
from threading import get_ident
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

KEPT_BYTES = {"MALLOC_MMAP_THRESHOLD_": 32 << 20, "MALLOC_TRIM_THRESHOLD_": 128 << 20}
"""What glibc's allocator keeps of freed arrays, as the environment of a new process says it (mallopt(3)): it
would give each larger than a few megabytes back at once.
"""
_MALLOPT = {"MALLOC_MMAP_THRESHOLD_": -3, "MALLOC_TRIM_THRESHOLD_": -1}  # the same in malloc.h

_kept: dict[tuple[int, str], NDArray[np.uint8]] = {}


def scratch(name: str, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """An array of anything, this thread's own, which holds until the thread asks for `name` again."""
    size, key = math.prod(shape) * np.dtype(dtype).itemsize, (get_ident(), name)
    array = _kept.get(key)
    if array is None or array.nbytes < size:
        array = _kept[key] = np.empty(size, np.uint8)
    return array[:size].view(dtype).reshape(shape)


def keep_freed() -> None:
    """Have this process keep `KEPT_BYTES` for the next arrays; where there is no glibc, nothing changes."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for name, size in KEPT_BYTES.items():
            mallopt(_MALLOPT[name], size)


def release() -> None:
    """Keep nothing any longer; arrays in use live until they are not."""
    _kept.clear()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
