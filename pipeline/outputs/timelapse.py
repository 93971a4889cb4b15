"""A site's dates as a moving picture: timelapse.gif for everywhere, timelapse.webp a tenth of its size."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pipeline.outputs.files import replacing
from pipeline.outputs.languages import Language
from pipeline.outputs.lettering import line
from pipeline.outputs.picture import Bytes

_CAPTION = 30  # pixels high, under the picture
_SHOWN, _REST = 1000, 2500  # milliseconds: each date, and the last
_MADE = "#b00020"


def write_timelapse(
    path: Path, pictures: Iterable[tuple[str, Bytes]], language: Language, made: bool
) -> None:
    """Write `path`, .gif or .webp by its name: each date (YYYY-MM-DD) with its picture (y, x, 3), the date
    beneath, and whether it is made. The same pictures give the same bytes. Raises OutputError.
    """
    frames = [_captioned(picture, date, language, made) for date, picture in pictures]
    times = [_SHOWN] * (len(frames) - 1) + [_REST]
    if path.suffix == ".gif":
        # one palette for all, so that what did not change does not flicker
        palette = _mosaic(frames).quantize(256, dither=Image.Dither.NONE)
        frames = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
        how: dict[str, Any] = {"optimize": True, "disposal": 1}
    else:
        how = {"quality": 80, "method": 4}
    with replacing(path) as part:
        frames[0].save(part, save_all=True, append_images=frames[1:], duration=times, loop=0, **how)


def _captioned(picture: Bytes, date: str, language: Language, made: bool) -> Image.Image:
    width = picture.shape[1]
    rtl = language.right_to_left
    strips = [line(language.long_date(date), width, _CAPTION, rtl=rtl)]
    if made:
        strips.append(line(language.made, width, _CAPTION, ink="white", ground=_MADE, rtl=rtl))
    return Image.fromarray(np.concatenate([picture, *strips]))


def _mosaic(frames: list[Image.Image]) -> Image.Image:
    """All of them small, one below the other: what the palette is chosen on."""
    small = [np.asarray(frame.resize((200, 200), Image.Resampling.NEAREST)) for frame in frames]
    return Image.fromarray(np.concatenate(small))
