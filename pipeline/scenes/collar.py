"""Black collars: a rim of exact 0 in all bands, around images that do not say what stands for no image.

Mosaics of aerial and drone images, and tiles that were exported anew, are filled up with it. GDAL has
`nearblack` to have it removed by hand; here 0 is taken as nodata, and that is said.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from rasterio.windows import Window

from pipeline.scenes.opening import read_from
from pipeline.scenes.raster import Header
from pipeline.secrecy import without_secrets

CORNER = 16  # pixels a side of what must be 0 for a collar, and of what tells how large it is
_LATTICE = 9  # such windows a side, from rim to rim

log = logging.getLogger(__name__)


def collars_as_nodata(headers: Sequence[Header]) -> list[Header]:
    """The same, with a nodata of 0 for images of a date of which one has a black collar, where they do not
    tell themselves what they did not see.

    Few pixels are read: four corners of each such image. One line says which it was. Raises
    SourceUnreadableError.
    """
    found = {header.path: share for header in headers if (share := _collar(header)) is not None}
    if not found:
        return list(headers)
    (path, share), *more = found.items()
    log.warning(
        "%s%s: about %d %% of the image, from its corners on, is 0 in all bands, and no nodata is declared; "
        "taken as nodata. Say so with nodata: 0 (--nodata 0), or nodata: none where it is ground.",
        *(without_secrets(str(path)), f" and {len(more)} more" if more else "", round(100 * share)),
    )
    dates = {header.date for header in headers if header.path in found}
    return [
        replace(header, nodata=(0.0,) * len(header.nodata))
        if header.date in dates and not header.tells_unseen
        else header
        for header in headers
    ]


def _collar(header: Header) -> float | None:
    """The share 0..1 of an image that is exactly 0 in all bands; None where none of its corners is, or the
    image tells what it did not see.
    """
    if header.tells_unseen:
        return None
    rows, cols = header.grid.shape.yx
    tops, lefts = _starts(rows), _starts(cols)
    corners = {(top, left) for top in (tops[0], tops[-1]) for left in (lefts[0], lefts[-1])}
    inside = {(top, left) for top in tops for left in lefts} - corners

    def share(source: Any) -> float | None:
        black = _black(source, corners)
        if max(black) < 1:
            return None
        return float(np.mean([*black, *_black(source, inside)]))

    return read_from(str(header.path), share)


def _starts(size: int) -> list[int]:
    last = max(size - CORNER, 0)
    return sorted({round(last * step / (_LATTICE - 1)) for step in range(_LATTICE)})


def _black(source: Any, corners: Iterable[tuple[int, int]]) -> list[float]:
    """The share of each window that is 0 in all bands."""
    windows = [
        Window(left, top, min(CORNER, source.width), min(CORNER, source.height))
        for top, left in sorted(corners)
    ]
    return [float((source.read(window=window) == 0).all(axis=0).mean()) for window in windows]
