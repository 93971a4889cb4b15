"""Arrays that are used again: large enough, a thread's own, and let go of."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from pipeline.scratch import release, scratch


def test_the_same_memory_serves_again_whatever_the_shape() -> None:
    first = scratch("a", (3, 4), np.int32)
    assert (first.shape, first.dtype) == ((3, 4), np.int32)
    again = scratch("a", (6,), np.int16)
    assert (again.shape, again.dtype) == ((6,), np.int16)
    assert np.shares_memory(first, again)
    larger = scratch("a", (100, 4), np.int32)
    assert larger.shape == (100, 4)
    assert not np.shares_memory(first, larger)


def test_names_threads_and_those_after_a_release_share_nothing() -> None:
    mine = scratch("a", (8,), np.uint8)
    assert not np.shares_memory(mine, scratch("b", (8,), np.uint8))
    with ThreadPoolExecutor(1) as other:
        assert not np.shares_memory(mine, other.submit(scratch, "a", (8,), np.uint8).result())
    mine[:] = 7
    release()
    later = scratch("a", (8,), np.uint8)
    assert not np.shares_memory(mine, later)
    assert (mine == 7).all()
