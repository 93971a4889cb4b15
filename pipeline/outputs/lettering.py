"""A line of text as a picture, in any script: Matplotlib shapes it and runs it the right way (libraqm)."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.outputs.picture import Bytes

_DPI = 100


def line(
    text: str, width: int, height: int, *, ink: str = "black", ground: str = "white", rtl: bool = False
) -> Bytes:
    """(height, width, 3) uint8: the text from the left, or from the right where it runs that way; made
    smaller where it has no room.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # slow to import, and seldom needed
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, facecolor=ground)
    canvas: Any = FigureCanvasAgg(figure)
    margin = 6 / width
    drawn = figure.text(
        1 - margin if rtl else margin, 0.5, text, ha="right" if rtl else "left", va="center_baseline",
        fontsize=height * 0.4, color=ink, parse_math=False,
    )  # fmt: skip
    room = width - 12
    taken = drawn.get_window_extent(canvas.get_renderer()).width
    if taken > room:
        drawn.set_fontsize(height * 0.4 * room / taken)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
