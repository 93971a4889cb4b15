"""What a call needs around its work: somewhere to compute, and somewhere to put what nobody named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.cluster import connect
from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.remote import share_endpoint
from pipeline.stages.detect.choice import known, located

_KEPT: list[TemporaryDirectory[str]] = []


@contextmanager
def computing(scheduler: str | None, workers: int) -> Iterator[None]:
    """The chosen Dask scheduler active. Raises ClusterError."""
    share_endpoint()
    with connect(scheduler, workers):
        yield


def temporary() -> str:
    """A new folder that is there until Python ends."""
    _KEPT.append(TemporaryDirectory(prefix="groundbreak-"))
    return _KEPT[-1].name


def settings_with(given: Settings, chunk_size: int | None, detector: str | None) -> Settings:
    """The settings with what is said beside them. Raises ConfigError for what is no detector."""
    try:
        chosen = None if detector is None else located(known(detector), Path.cwd())
    except ValueError as error:
        raise ConfigError(f"detector: {error}") from None
    return given.told(chunk_size=chunk_size, detector=chosen)
