"""What a comparison will read, hold and write, known before it reads a pixel; and blocks that fit."""

from __future__ import annotations

import math
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.errors import OutputError, TooLargeError
from pipeline.job import Scene

_PROCESS = 550e6  # bytes of a process with all libraries loaded
_BLOCK_PIXEL = 420.0  # bytes a pixel of a block while it is detected: the most of any detector
_WAITING = 4608  # pixels a side of the ground whose chunks threads keep until all that need them are done
_WAITING_EACH = 3584  # the same of a process that works by itself
_LEAST = 256  # pixels a side of a block
_OVERVIEWS = 4 / 3


@dataclass(frozen=True)
class Budget:
    """Bytes: `read`, of pixels as they are stored, each decoded up to three times; `written` at most, of
    which the half is scratch and gone at the end. `pixels` and `bands`: of the grid; `workers`: blocks that
    are done at once, by `processes` beside this one, or by its threads.
    """

    read: float
    written: float
    pixels: float
    bands: int
    workers: int
    processes: int = 0

    @classmethod
    def of(cls, scene: Scene, workers: int, processes: int = 0) -> Budget:
        """For two dates as delivered, on the grid that they are compared on."""
        dates, bands = (scene.before, scene.after), len(scene.bands)
        stored = [np.dtype(image.attrs["dtype"]).itemsize for image in dates]
        ground = [float(np.prod(image["observed"].shape)) for image in dates]
        pixels = float(scene.grid.shape[0]) * float(scene.grid.shape[1])
        return cls(
            read=sum(area * bands * size for area, size in zip(ground, stored, strict=True)),
            written=pixels * (2 * bands * sum(stored) * _OVERVIEWS + 1),
            pixels=pixels,
            bands=bands,
            workers=workers,
            processes=processes,
        )

    def held(self, chunk: int) -> float:
        """By all processes at once, with blocks of `chunk` pixels a side."""
        side, times = (_WAITING_EACH, self.processes) if self.processes else (_WAITING, 1)
        waiting = times * min(self.pixels, float(side) ** 2) * self.bands * 4 * 2
        block = min(self.pixels, float(chunk) ** 2)
        at_once = min(self.workers, math.ceil(self.pixels / block))
        return _PROCESS * (1 + self.processes) + waiting + at_once * block * _BLOCK_PIXEL

    def fitting(self, chunk: int, free: float) -> int:
        """The side of a block with which `free` bytes of memory are enough, `chunk` if that is.

        Raises TooLargeError where there is none.
        """
        least = min(chunk, _LEAST)
        while self.held(chunk) > free and chunk > least:
            chunk = max(chunk // 2, least)
        if self.held(chunk) > free:
            raise TooLargeError(
                f"the comparison needs {size(self.held(chunk))} of memory in blocks of {chunk} px, and"
                f" {size(free)} are free; use fewer --workers, close other programs, or take a smaller area"
            )
        return chunk

    def check_disk(self, out: Path) -> None:
        """Raises OutputError where there is too little room for what will be written to `out`."""
        place = next(folder for folder in (out, *out.parents) if folder.exists())
        if (left := shutil.disk_usage(place).free) < self.written:
            raise OutputError(
                f"{place}: up to {size(self.written)} will be written, and {size(left)} are free;"
                " free some, or name another folder with --out"
            )

    def told(self, chunk: int) -> str:
        """For people."""
        return (
            f"reads {size(self.read)}, holds about {size(self.held(chunk))} with {self.workers} at work,"
            f" writes up to {size(self.written)}"
        )


def size(count: float) -> str:
    """Bytes, for people."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(count, 1e6) / 1e6:.0f} MB"
