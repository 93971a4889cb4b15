"""One map panel of a figure: image, outlines, numbers, scale bar, north arrow, the mark of made imagery."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrow, Rectangle
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from matplotlib.transforms import IdentityTransform

from pipeline.outputs import style
from pipeline.outputs.embed import Frame
from pipeline.outputs.labels import place
from pipeline.outputs.picture import Comparison, hatch
from pipeline.outputs.words import length_text, nice_length

NUMBERED = 40  # more numbers than that cannot be read
_PIXELS = IdentityTransform()  # furniture is placed in pixels of the figure, whatever the map's scale


def draw_image(axes: Axes, image: Any, view: Comparison) -> None:
    """The picture in map coordinates, hatched where it was not observed on both dates."""
    west, south, east, north = view.bounds
    extent = (west, east, south, north)
    axes.imshow(image, extent=extent, aspect="auto", interpolation="antialiased")
    if view.unobserved.any():
        axes.imshow(hatch(view.unobserved), extent=extent, aspect="auto", interpolation="nearest")
    axes.set(xlim=(west, east), ylim=(south, north), xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(color="#1b1b1b", linewidth=0.6)


def draw_outlines(axes: Axes, findings: gpd.GeoDataFrame) -> None:
    """Every finding, coloured by kind, dashed by direction, over a dark casing that reads on any ground."""
    width = 1.7 if len(findings) <= NUMBERED else 1.0
    for kind, direction in sorted(set(zip(findings["kind"], findings["direction"], strict=True))):
        chosen = findings[(findings["kind"] == kind) & (findings["direction"] == direction)]
        dash = style.direction(direction).dash
        lines = PathCollection(
            [_outline(geometry) for geometry in chosen.geometry],
            facecolors="none",
            edgecolors=style.kind(kind).colour,
            linewidths=width,
            linestyles=[(0, dash)] if dash else ["solid"],
            path_effects=[withStroke(linewidth=width + 1.6, foreground="black", alpha=0.7)],
        )
        axes.add_collection(lines, autolim=False)


def _outline(geometry: shapely.Geometry) -> Path:
    """All rings of a polygon or multipolygon as one path."""
    parts = [part for part in shapely.get_parts(geometry) if part.geom_type == "Polygon"]
    rings = [ring for part in parts for ring in (part.exterior, *part.interiors)]
    return Path.make_compound_path(*(Path(np.asarray(ring.coords)[:, :2], closed=True) for ring in rings))


def draw_numbers(axes: Axes, findings: gpd.GeoDataFrame, taken: shapely.Geometry) -> int:
    """Number the best findings beside their outlines and clear of `taken` (pixels); how many had room."""
    best = findings.head(NUMBERED)
    shapes = [shapely.transform(geometry, axes.transData.transform) for geometry in best.geometry]
    sizes = [(9.0 + 8.5 * len(str(number)), 19.0) for number in best["id"]]
    frame = axes.get_window_extent().padded(-3)
    labels = place(shapes, sizes, shapely.box(frame.x0, frame.y0, frame.x1, frame.y1).difference(taken))
    for number, kind, shape, label in zip(best["id"], best["kind"], shapes, labels, strict=True):
        if label is not None:
            _draw_number(axes, str(number), style.kind(kind).colour, shape, label)
    return sum(label is not None for label in labels)


def draw_inset(axes: Axes, image: Any, frame: Frame, row: Any, outlined: bool) -> None:
    """A finding close up, with its number; `outlined` where it is there to be seen."""
    axes.imshow(image, aspect="auto", interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    colour = style.kind(row.kind).colour
    for spine in axes.spines.values():
        spine.set(color=colour, linewidth=2.2)
    if outlined:
        edge = [withStroke(linewidth=2.6, foreground="black", alpha=0.7)]
        path = _outline(frame.pixels(row.geometry))
        look: dict[str, Any] = {"facecolors": "none", "edgecolors": colour, "path_effects": edge}
        axes.add_collection(PathCollection([path], linewidths=1.3, **look), autolim=False)
        return
    corner = axes.get_window_extent()
    plate = shapely.box(corner.x0 + 4, corner.y1 - 23, corner.x0 + 13 + 8.5 * len(str(row.id)), corner.y1 - 4)
    _plate(axes, plate, facecolor=colour, edgecolor="black", linewidth=0.8, zorder=4)
    middle = plate.centroid
    _text(axes, middle.x, middle.y, str(row.id), color="black", fontsize=10, fontweight="bold", zorder=5)


def _draw_number(
    axes: Axes, number: str, colour: str, shape: shapely.Geometry, label: shapely.Geometry
) -> None:
    """One number on a plate of its kind's colour, linked to its shape by a line where it had to move away."""
    link = shapely.shortest_line(label, shape)
    if link.length > 12:
        (x0, y0), (x1, y1) = shapely.get_coordinates(link)
        line = Line2D([x0, x1], [y0, y1], color=colour, linewidth=1.1, transform=_PIXELS)
        line.set_path_effects([withStroke(linewidth=3.2, foreground="black", alpha=0.75)])
        axes.add_line(line)
    _plate(axes, label, facecolor=colour, edgecolor="black", linewidth=0.8, zorder=4)
    x, y = label.centroid.x, label.centroid.y
    _text(axes, x, y, number, color="black", fontsize=10, fontweight="bold", zorder=5)


def draw_scale(axes: Axes, view: Comparison) -> shapely.Geometry:
    """Scale bar and north arrow on a dark plate in the lower right corner; the plate, in pixels."""
    west, _, east, _ = view.bounds
    frame = axes.get_window_extent()
    length = nice_length((east - west) / 5)
    wide = length / (east - west) * frame.width
    right, low = frame.x1 - 26, frame.y0 + 24
    left = right - wide
    plate = shapely.box(left - 54, frame.y0 + 12, right + 14, frame.y0 + 58)
    _plate(axes, plate, facecolor="black", alpha=0.55, linewidth=0, zorder=6)
    bar = Line2D([left, left, left, right, right, right], [low + 4, low - 4, low, low, low - 4, low + 4])
    bar.set(color="white", linewidth=2, zorder=7, transform=_PIXELS)
    axes.add_line(bar)
    _text(axes, (left + right) / 2, low + 17, length_text(length), color="white", fontsize=11, zorder=7)
    arrow = FancyArrow(
        left - 28, low + 5, 0, 20, width=1.6, head_width=8, head_length=9, length_includes_head=True,
        color="white", zorder=7, transform=_PIXELS,
    )  # fmt: skip
    axes.add_patch(arrow)
    _text(axes, left - 28, low - 3, "N", color="white", fontsize=10, fontweight="bold", zorder=7)
    return plate


def draw_made(axes: Axes, text: str) -> shapely.Geometry:
    """The mark of made imagery in the upper left corner, in two lines where one has no room; its place."""
    frame = axes.get_window_extent()
    roomy = frame.width > 360
    mark = text if roomy else text.replace(" - ", "\n")
    plate = {"facecolor": "#b00020", "edgecolor": "white", "linewidth": 0.8, "pad": 5}
    how: dict[str, Any] = {
        "color": "white",
        "va": "top",
        "fontsize": 11 if roomy else 9,
        "fontweight": "bold",
        "bbox": plate,
        "zorder": 8,
    }
    _text(axes, frame.x0 + 10, frame.y1 - 10, mark, ha="left", **how)
    return shapely.box(frame.x0, frame.y1 - 40, frame.x0 + 400, frame.y1)


def _plate(axes: Axes, box: shapely.Geometry, **how: Any) -> None:
    x0, y0, x1, y1 = box.bounds
    axes.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, transform=_PIXELS, **how))


def _text(axes: Axes, x: float, y: float, text: str, **how: Any) -> None:
    """Text in pixels; no part of it is read as mathematics."""
    centred: dict[str, Any] = {
        "ha": "center",
        "va": "center_baseline",
        "parse_math": False,
        "transform": _PIXELS,
    }
    axes.add_artist(Text(x, y, text, **{**centred, **how}))
