"""How the pictures for people are made."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Annotated, Final, Literal

from pydantic import Field

Tongue = Literal["en", "fr", "ar", "es"]
Moving = Literal["gif", "webp", "mp4"]


@dataclass(frozen=True)
class Pictures:
    """Of `overview.png`, of close-ups as files, and of a site's dates as a moving picture."""

    language: Tongue = "en"
    """Of the words on them: English, French, Arabic or Spanish."""

    width: Annotated[int, Field(ge=600, le=7200)] = 1800
    """Pixels of overview.png; its height follows from the site."""

    insets: Annotated[int, Field(ge=0, le=4)] = 4
    """Findings that overview.png shows close up, one of each kind first."""

    chips: Annotated[int, Field(ge=0, le=1000)] = 0
    """Findings, the surest first, that finding-001-before.png and finding-001-after.png are made of."""

    timelapse: tuple[Moving, ...] = ()
    """What `monitor` makes of a site's dates: timelapse.gif, timelapse.webp, timelapse.mp4."""

    timelapse_width: Annotated[int, Field(ge=160, le=1600)] = 720
    """Pixels of the longer side of its picture."""

    def __post_init__(self) -> None:
        if "mp4" in self.timelapse and find_spec("av") is None:
            raise ValueError("mp4 needs PyAV; pip install 'groundbreak[video]', or take gif or webp")


USUAL: Final = Pictures()
