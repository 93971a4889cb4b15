"""A finding close up on both dates, as two PNG files that can be sent to someone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import shapely
from PIL import Image, ImageDraw, ImageFont

from pipeline.outputs import style, words
from pipeline.outputs.embed import Frame, close_up
from pipeline.outputs.files import replacing
from pipeline.outputs.picture import Bytes, Comparison

_SIDE = 440  # pixels that the longer side is enlarged to, by a whole number
_CAPTION = 22  # pixels high, under the picture


def write_chips(
    folder: Path, view: Comparison, outline: shapely.Geometry, kind: str, paths: tuple[Path, Path],
    dates: tuple[str, str], made: bool,
) -> None:  # fmt: skip
    """Write `paths`, before and after: cut out of `folder`'s rasters around `outline` (CRS of `view`), the
    outline drawn, the date beneath, and whether the picture is made. Raises OutputError, or
    SourceUnreadableError.
    """
    cut = close_up(folder, view, outline)
    for path, picture, date in zip(paths, (cut.before, cut.after), dates, strict=True):
        note = f"{words.long_date(date)}{f'  {style.MADE_MARK}' if made else ''}"
        image = _drawn(picture, cut.frame, outline, style.kind(kind).colour, note)
        with replacing(path) as part:
            image.save(part, "PNG", optimize=True)


def _drawn(picture: Bytes, frame: Frame, outline: shapely.Geometry, colour: str, note: str) -> Image.Image:
    height, width = picture.shape[:2]
    times = max(_SIDE // max(height, width), 1)
    image = Image.new("RGB", (width * times, height * times + _CAPTION), "white")
    image.paste(Image.fromarray(np.repeat(np.repeat(picture, times, axis=0), times, axis=1)))
    draw = ImageDraw.Draw(image)
    for part in shapely.get_parts(frame.pixels(outline)):
        for ring in (part.exterior, *part.interiors):
            corners = [(x * times, y * times) for x, y in ring.coords]
            draw.line(corners, fill="black", width=4)
            draw.line(corners, fill=colour, width=2)
    draw.rectangle((0, height * times, width * times, height * times + _CAPTION), fill="white")
    draw.text((5, height * times + 4), note, fill="black", font=ImageFont.load_default(13))
    return image
