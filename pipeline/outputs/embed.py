"""Pictures as data URIs, and where things lie on them: what makes the report one file."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from PIL import Image
from rasterio.windows import Window

from pipeline.outputs.picture import HATCHING, Bytes, Comparison, fitted, hatch_steps, read_physical

_CHIP_LEAST = 72  # image pixels a side, so that a chip shows some surroundings
_CHIP_MOST = 220  # pixels a side once embedded
_COARSEST = 45  # JPEG quality below which nothing can be told apart
_FAINT = 15  # percent below which probability is not drawn


def _data_uri(image: Image.Image, format_: str, **options: object) -> str:
    return _as_uri(_encoded(image, format_, **options), format_)


def _encoded(image: Image.Image, format_: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


def _as_uri(data: bytes, format_: str) -> str:
    return f"data:image/{format_.lower()};base64,{base64.b64encode(data).decode('ascii')}"


def jpeg_uri(rgb: Bytes, quality: int = 85, most: int | None = None) -> str:
    """(y, x, 3) uint8 as JPEG, colour at full resolution: small bright things must not bleed.

    A picture that takes more than `most` bytes (noise does) is made coarser until it fits.
    """
    image = Image.fromarray(rgb)
    # Not `optimize`: it saves a hundredth, takes twice the time, and Pillow's buffer is too small for noise.
    while True:
        data = _encoded(image, "JPEG", quality=quality, subsampling=0)
        if most is None or len(data) <= most or quality <= _COARSEST:
            return _as_uri(data, "JPEG")
        quality -= 10


def hatch_uri(view: Comparison) -> str | None:
    """The hatching over what was not observed as a PNG of three colours, None where all was observed."""
    return _palette_uri(hatch_steps(view.unobserved), HATCHING) if view.unobserved.any() else None


def probability_uri(view: Comparison) -> str:
    """Probability of change as a transparent PNG in ten steps of one colour, the likelier the denser."""
    step = np.where(view.percent < _FAINT, 0, view.percent // 10 + 1).astype(np.uint8)
    return _palette_uri(step, [(0, 0, 0, 0), *((255, 0, 170, 40 + 11 * i) for i in range(11))])


def _palette_uri(index: Bytes, colours: Any) -> str:
    """(y, x) indexes into RGBA colours, as a PNG."""
    table = np.asarray(colours, np.uint8)
    image = Image.fromarray(index, "P")
    image.putpalette(table[:, :3].ravel().tolist())
    return _data_uri(image, "PNG", transparency=table[:, 3].tobytes())


@dataclass(frozen=True)
class Frame:
    """A part of the map as a picture: from map coordinates (x east, y north) to pixels (x right, y down)."""

    west: float
    north: float
    x_size: float  # metres a pixel
    y_size: float

    @classmethod
    def of(cls, view: Comparison) -> Frame:
        """The frame of a whole comparison."""
        west, south, east, north = view.bounds
        cols, rows = view.size
        return cls(west, north, (east - west) / cols, (north - south) / rows)

    def pixels(self, geometry: Any) -> Any:
        """A geometry, or an array of them, in pixels, in which a quarter of one more or less is not seen."""
        size = np.array([self.x_size, -self.y_size])
        moved = shapely.transform(geometry, lambda xy: (xy - [self.west, self.north]) / size)
        return shapely.simplify(moved, 0.25, preserve_topology=True)


@dataclass(frozen=True)
class Chip:
    """One finding close up on both dates: two data URIs, and which part of the whole picture they show (left,
    top, right, bottom in its pixels).
    """

    before: str
    after: str
    box: tuple[float, float, float, float]

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {"before": self.before, "after": self.after, "box": [round(side, 2) for side in self.box]}


@dataclass(frozen=True, eq=False)
class CloseUp:
    """A finding and its surroundings on both dates, (y, x, 3) uint8, and the frame of these pictures."""

    before: Bytes
    after: Bytes
    frame: Frame


def close_up(folder: Path, view: Comparison, geometry: shapely.Geometry) -> CloseUp:
    """Cut a finding and its surroundings out of before.tif and after.tif, in the stretch of the whole."""
    west, south, east, north = view.bounds
    rows, cols = view.full_shape
    x_size, y_size = (east - west) / cols, (north - south) / rows
    window = _window(Frame(west, north, x_size, y_size).pixels(geometry).bounds, rows, cols)
    shape = fitted(int(window.height), int(window.width), _CHIP_MOST)
    before, after = (
        view.stretch(read_physical(folder / name, view.bands.indexes, shape, window))
        for name in ("before.tif", "after.tif")
    )
    frame = Frame(
        west + window.col_off * x_size,
        north - window.row_off * y_size,
        x_size * window.width / shape[1],
        y_size * window.height / shape[0],
    )
    return CloseUp(before, after, frame)


def chip(folder: Path, view: Comparison, geometry: shapely.Geometry) -> Chip:
    """A finding close up, for the report."""
    cut = close_up(folder, view, geometry)
    height, width = cut.before.shape[:2]
    whole, part = Frame.of(view), cut.frame
    left, top = (part.west - whole.west) / whole.x_size, (whole.north - part.north) / whole.y_size
    wide, high = width * part.x_size / whole.x_size, height * part.y_size / whole.y_size
    return Chip(jpeg_uri(cut.before, 82), jpeg_uri(cut.after, 82), (left, top, left + wide, top + high))


def _window(box: tuple[float, float, float, float], rows: int, cols: int) -> Window:
    """A square window around pixel bounds with some room, moved into the image where it would stick out."""
    x0, y0, x1, y1 = box
    side = max(_CHIP_LEAST, 1.5 * max(x1 - x0, y1 - y0))
    width, height = min(cols, round(side)), min(rows, round(side))
    col = min(max(round((x0 + x1 - width) / 2), 0), cols - width)
    row = min(max(round((y0 + y1 - height) / 2), 0), rows - height)
    return Window(col, row, width, height)
