"""A finding close up on both dates, as two PNG files that can be sent to someone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from PIL import Image, ImageDraw

from pipeline.config.pictures import Pictures
from pipeline.outputs import style
from pipeline.outputs.embed import Frame, close_up
from pipeline.outputs.files import replacing
from pipeline.outputs.languages import LANGUAGES, Language
from pipeline.outputs.lettering import line
from pipeline.outputs.picture import Bytes, Comparison, read_comparison

_SIDE = 440  # pixels that the longer side is enlarged to, by a whole number
_CAPTION = 22  # pixels high, under the picture


def write_chips(
    folder: Path, view: Comparison, outline: shapely.Geometry, kind: str, paths: tuple[Path, Path],
    dates: tuple[str | None, str | None], made: bool, language: Language = LANGUAGES["en"],
) -> None:  # fmt: skip
    """Write `paths`, before and after: cut out of `folder`'s rasters around `outline` (CRS of `view`), the
    outline drawn, the date beneath, and whether the picture is made. Raises OutputError, or
    SourceUnreadableError.
    """
    cut = close_up(folder, view, outline)
    for path, picture, date in zip(paths, (cut.before, cut.after), dates, strict=True):
        image = _drawn(picture, cut.frame, outline, style.kind(kind).colour)
        notes = [language.long_date(date), *([language.made] if made else [])]
        strips = [line(note, image.width, _CAPTION, rtl=language.right_to_left) for note in notes]
        image = Image.fromarray(np.concatenate([np.asarray(image), *strips]))
        with replacing(path) as part:
            image.save(part, "PNG", optimize=True)


def write_all_chips(
    findings: gpd.GeoDataFrame, folder: Path, summary: Mapping[str, Any], pictures: Pictures
) -> None:
    """Write `finding-<id>-before.png` and `-after.png` for as many findings as `pictures` asks for."""
    if not pictures.chips:
        return
    view, language = read_comparison(folder, 1600), LANGUAGES[pictures.language]
    dates = summary["before"].get("date"), summary["after"].get("date")
    for _, row in findings.head(pictures.chips).iterrows():
        before, after = (folder / f"finding-{row['id']:03d}-{side}.png" for side in ("before", "after"))
        made = bool(summary.get("made"))
        write_chips(folder, view, row.geometry, row["kind"], (before, after), dates, made, language)


def _drawn(picture: Bytes, frame: Frame, outline: shapely.Geometry, colour: str) -> Image.Image:
    height, width = picture.shape[:2]
    times = max(_SIDE // max(height, width), 1)
    image = Image.new("RGB", (width * times, height * times))
    image.paste(Image.fromarray(np.repeat(np.repeat(picture, times, axis=0), times, axis=1)))
    draw = ImageDraw.Draw(image)
    for part in shapely.get_parts(frame.pixels(outline)):
        for ring in (part.exterior, *part.interiors):
            corners = [(x * times, y * times) for x, y in ring.coords]
            draw.line(corners, fill="black", width=4)
            draw.line(corners, fill=colour, width=2)
    return image
