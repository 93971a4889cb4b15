"""A guard against stages that compute before they should (as in satpy's tests)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dask.callbacks import Callback


@contextmanager
def computes(at_most: int) -> Iterator[None]:
    """Fails where more Dask graphs are computed inside, by threads or in place."""
    started: list[object] = []
    with Callback(start=started.append):
        yield
    assert len(started) <= at_most, f"{len(started)} graphs were computed, {at_most} may be"
