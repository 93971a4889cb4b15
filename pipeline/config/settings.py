"""How a comparison is done: the parameters of all stages, as one value."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated

from pydantic import AfterValidator, Field

from pipeline.config.pictures import Pictures
from pipeline.resample import Kernel
from pipeline.stages.align import Align
from pipeline.stages.detect import Detect
from pipeline.stages.detect.choice import known
from pipeline.stages.flag import Flag
from pipeline.stages.normalize import Normalize
from pipeline.stages.screen import Screen

Detector = Annotated[str, AfterValidator(known)]


@dataclass(frozen=True)
class Compute:
    """How the work is cut up and images are resampled."""

    chunk_size: Annotated[int, Field(ge=64, le=16384)] = 1024
    """Pixels a side of one block; speed and memory depend on it, results do not."""

    kernel: Kernel = "cubic"
    """Interpolation of the one resampling to the site's grid."""


@dataclass(frozen=True)
class Settings:
    """Parameters of every stage, and of the grid; `Settings()` is what is done unless told otherwise."""

    align: Align = field(default_factory=lambda: Align(accept_uncertain=True))
    screen: Screen = field(default_factory=Screen)
    normalize: Normalize = field(default_factory=Normalize)
    detect: Detect = field(default_factory=Detect)
    flag: Flag = field(default_factory=Flag)
    compute: Compute = field(default_factory=Compute)
    pictures: Pictures = field(default_factory=Pictures)
    crs: str | None = None  # of the site's grid; None: the before image's own, or UTM
    resolution: float | None = None  # metres; None: the before image's own

    def told(self, *, chunk_size: int | None = None, detector: str | None = None) -> Settings:
        """The same with what is said here, where it is said."""
        compute, detect = self.compute, self.detect
        if chunk_size is not None:
            compute = replace(compute, chunk_size=chunk_size)
        if detector is not None:
            detect = replace(detect, detector=detector)
        return replace(self, compute=compute, detect=detect)
