"""overview.png: both dates side by side, findings outlined and numbered, as a newspaper would print it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from matplotlib import patheffects
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.path import Path as Outline

from pipeline.outputs import style, words
from pipeline.outputs.files import replacing
from pipeline.outputs.labels import place
from pipeline.outputs.picture import Comparison, hatch, read_comparison

WIDTH = 18.0  # inches; at 100 dots an inch
NUMBERED = 40  # more numbers than that cannot be read
_DPI = 100
_MARGIN, _GAP, _HEAD, _FOOT = 0.4, 0.25, 1.35, 1.05
_INK, _QUIET = "#1b1b1b", "#5a5a5a"
_HALO = [patheffects.withStroke(linewidth=3.2, foreground="black", alpha=0.75)]


def write_overview(findings: gpd.GeoDataFrame, folder: Path, summary: Mapping[str, Any]) -> None:
    """Draw overview.png from the rasters of `folder`, the findings and the summary; the same bytes each time."""
    figure = draw_overview(read_comparison(folder, 1600), findings, summary)
    with replacing(folder / "overview.png") as part:
        FigureCanvasAgg(figure)  # no pyplot, so no state shared with whoever calls
        figure.savefig(part, format="png", metadata={"Software": None})


def draw_overview(view: Comparison, findings: gpd.GeoDataFrame, summary: Mapping[str, Any]) -> Figure:
    """Side by side; one above the other where the site is more than twice as wide as high."""
    west, south, east, north = view.bounds
    aspect = (north - south) / (east - west)
    stacked = aspect < 0.5
    panel_w = WIDTH - 2 * _MARGIN if stacked else (WIDTH - 2 * _MARGIN - _GAP) / 2
    panel_h = min(panel_w * aspect, 14.0)
    height = _HEAD + _FOOT + panel_h * (2 if stacked else 1) + (_GAP + 0.3 if stacked else 0)
    figure = Figure(figsize=(WIDTH, height), dpi=_DPI, facecolor="white")

    def panel(number: int) -> Axes:
        left = _MARGIN + (0 if stacked else number * (panel_w + _GAP))
        bottom = _FOOT + ((1 - number) * (panel_h + _GAP + 0.3) if stacked else 0)
        box = (left / WIDTH, bottom / height, panel_w / WIDTH, panel_h / height)
        return figure.add_axes(box)

    _headings(figure, findings, summary, height)
    for number, (side, image) in enumerate((("before", view.before), ("after", view.after))):
        axes = panel(number)
        _draw_image(axes, image, view)
        _draw_outlines(axes, findings)
        _draw_title(axes, side, summary)
    figure.draw_without_rendering()
    named = _draw_numbers(figure.axes[1], findings)
    _draw_scale(figure.axes[1], view)
    _draw_made(figure, summary)
    _legend(figure, findings, height, unobserved=bool(view.unobserved.any()))
    _credit(figure, view, findings, summary, height, named)
    return figure


def _text(target: Figure | Axes, x: float, y: float, words_: str, **how: Any) -> Any:
    """Text as it stands: names of sites may hold dollar signs, which matplotlib would read as mathematics."""
    return target.text(x, y, words_, parse_math=False, **{"color": _INK, **how})


def _headings(figure: Figure, findings: gpd.GeoDataFrame, summary: Mapping[str, Any], height: float) -> None:
    site = summary["site"]
    left = _MARGIN / WIDTH
    title = str(site.get("name") or site["id"])
    _text(
        figure,
        left,
        1 - 0.3 / height,
        title,
        fontsize=24 if len(title) < 70 else 15,
        fontweight="bold",
        va="top",
    )
    sentence = words.summary_sentence(findings)
    _text(figure, left, 1 - 0.78 / height, sentence, fontsize=13, va="top", color=_QUIET)


def _draw_image(axes: Axes, image: Any, view: Comparison) -> None:
    west, south, east, north = view.bounds
    axes.imshow(image, extent=(west, east, south, north), interpolation="antialiased", aspect="auto")
    if view.unobserved.any():
        axes.imshow(
            hatch(view.unobserved), extent=(west, east, south, north), interpolation="nearest", aspect="auto"
        )
    axes.set(xlim=(west, east), ylim=(south, north), xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(color=_INK, linewidth=0.6)


def _draw_title(axes: Axes, side: str, summary: Mapping[str, Any]) -> None:
    label = f"{side.capitalize()}  ·  {words.long_date(summary[side].get('date'))}"
    axes.set_title(label, loc="left", fontsize=14, fontweight="bold", color=_INK, pad=7, parse_math=False)


def _outline(geometry: shapely.Geometry) -> Outline:
    """All rings of a polygon or multipolygon as one path."""
    parts = [p for p in shapely.get_parts(geometry) if p.geom_type == "Polygon"]
    rings = [ring for part in parts for ring in (part.exterior, *part.interiors)]
    return Outline.make_compound_path(
        *(Outline(np.asarray(ring.coords)[:, :2], closed=True) for ring in rings)
    )


def _draw_outlines(axes: Axes, findings: gpd.GeoDataFrame) -> None:
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
            path_effects=[patheffects.withStroke(linewidth=width + 1.6, foreground="black", alpha=0.7)],
        )
        axes.add_collection(lines, autolim=False)


def _draw_numbers(axes: Axes, findings: gpd.GeoDataFrame) -> int:
    """Number the best findings beside their outlines, with a thin line where the number had to move away."""
    best = findings.head(NUMBERED)
    things = [shapely.transform(g, axes.transData.transform) for g in best.geometry]
    sizes = [(9.0 + 8.5 * len(str(number)), 19.0) for number in best["id"]]
    frame = axes.get_window_extent().padded(-3)
    labels = place(things, sizes, shapely.box(frame.x0, frame.y0, frame.x1, frame.y1))
    for (_, row), thing, label in zip(best.iterrows(), things, labels, strict=True):
        if label is not None:
            _draw_number(axes, row, thing, label)
    return sum(label is not None for label in labels)


def _draw_number(axes: Axes, row: Any, thing: shapely.Geometry, label: shapely.Geometry) -> None:
    """One number on a plate of its kind's colour; `thing` and `label` are in pixels of the figure."""
    to_map = axes.transData.inverted().transform
    colour = style.kind(row["kind"]).colour
    link = shapely.shortest_line(label, thing)
    if link.length > 12:
        ends = to_map(shapely.get_coordinates(link))
        axes.add_line(Line2D(ends[:, 0], ends[:, 1], color=colour, linewidth=1.1, path_effects=_HALO))
    x0, y0, x1, y1 = shapely.transform(label, to_map).bounds
    plate = {"facecolor": colour, "edgecolor": "black", "linewidth": 0.8, "zorder": 4}
    axes.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, **plate))
    where = {"ha": "center", "va": "center_baseline", "fontsize": 10, "fontweight": "bold", "zorder": 5}
    _text(axes, (x0 + x1) / 2, (y0 + y1) / 2, str(row["id"]), color="black", **where)


def nice_length(span: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is at most `span`."""
    power = 10.0 ** np.floor(np.log10(span))
    return float(max(step * power for step in (1, 2, 5) if step * power <= span * (1 + 1e-9)))


def _draw_scale(axes: Axes, view: Comparison) -> None:
    """Scale bar and north arrow on a dark plate, in the lower right corner."""
    west, south, east, _ = view.bounds
    pixel = (east - west) / axes.get_window_extent().width
    length = nice_length((east - west) / 5)
    right, low = east - 26 * pixel, south + 24 * pixel
    label = (
        f"{words.number(length / 1000)} km"
        if length >= 1000
        else f"{words.number(length, 0 if length >= 1 else 1)} m"
    )
    plate = (right - length - 40 * pixel - 14 * pixel, low - 12 * pixel)
    axes.add_patch(
        Rectangle(
            plate, length + 68 * pixel, 46 * pixel, facecolor="black", alpha=0.55, linewidth=0, zorder=6
        )
    )
    start = right - length
    for a, b in (
        ((start, low), (right, low)),
        *(((x, low - 4 * pixel), (x, low + 4 * pixel)) for x in (start, right)),
    ):
        axes.add_line(Line2D((a[0], b[0]), (a[1], b[1]), color="white", linewidth=2, zorder=7))
    _text(
        axes, (start + right) / 2, low + 8 * pixel, label, color="white", fontsize=11, ha="center", zorder=7
    )
    arrow = start - 24 * pixel
    axes.annotate(
        "N", (arrow, low + 32 * pixel), (arrow, low - 2 * pixel), color="white", fontsize=11, ha="center",
        va="center", fontweight="bold", zorder=7, arrowprops={"arrowstyle": "-|>", "color": "white", "linewidth": 1.6},
    )  # fmt: skip


def _draw_made(figure: Figure, summary: Mapping[str, Any]) -> None:
    """Mark made imagery on both panels, so that neither can be cut out without the mark."""
    if not summary.get("made"):
        return
    for axes in figure.axes:
        plate = {"facecolor": "#b00020", "edgecolor": "white", "linewidth": 0.8, "pad": 5}
        _text(
            axes, 0.012, 0.985, f"{style.MADE_MARK} - {style.MADE_NOTE}", transform=axes.transAxes, color="white",
            fontsize=11, fontweight="bold", ha="left", va="top", bbox=plate, zorder=8,
        )  # fmt: skip


def _legend(figure: Figure, findings: gpd.GeoDataFrame, height: float, unobserved: bool) -> None:
    """Kinds with their counts, then how directions are drawn, then what the hatching means."""
    edge = [patheffects.withStroke(linewidth=4.2, foreground="black")]
    entries: list[tuple[Artist, str]] = [
        (Line2D([], [], color=style.kind(name).colour, linewidth=2.6, path_effects=edge), f"{name} ({count})")
        for name, count in words.counts(list(findings["kind"]), style.KINDS).items()
    ]
    for name, count in words.counts(list(findings["direction"]), style.DIRECTIONS).items():
        dash = style.direction(name).dash
        line = Line2D([], [], color=_INK, linewidth=2, linestyle=(0, dash) if dash else "solid")
        entries.append((line, f"{name} ({count})"))
    if unobserved:
        plate = Rectangle(
            (0, 0), 1, 1, facecolor="#dddddd", edgecolor="#444444", hatch="/////", linewidth=0.5
        )
        entries.append((plate, "not observed"))
    if entries:
        figure.legend(
            [mark for mark, _ in entries], [text for _, text in entries], loc="upper left", ncols=len(entries),
            bbox_to_anchor=(_MARGIN / WIDTH - 0.004, (_FOOT - 0.08) / height), frameon=False, fontsize=11.5,
            handlelength=1.8, columnspacing=1.4, borderpad=0,
        )  # fmt: skip


def _credit(
    figure: Figure,
    view: Comparison,
    findings: gpd.GeoDataFrame,
    summary: Mapping[str, Any],
    height: float,
    named: int,
) -> None:
    """Where the pictures are from, how they are shown, what made the comparison."""
    sensors = dict.fromkeys(str(summary[side].get("sensor") or "") for side in ("before", "after"))
    source = (
        "Made images" if summary.get("made") else " / ".join(s for s in sensors if s) or "Images as delivered"
    )
    notes = [
        source,
        f"{view.bands.label}, one stretch for both dates",
        f"{words.number(summary['grid']['resolution_m'], 1)} m a pixel",
        f"observed on both dates: {words.percent(summary['observed']['both'])}",
    ]
    if named < len(findings):
        notes.append(f"numbers on the best {named} of {len(findings)} findings")
    notes.append(f"Groundbreak {summary['groundbreak']}")
    _text(
        figure, _MARGIN / WIDTH, 0.28 / height, "  ·  ".join(notes), fontsize=10.5, color=_QUIET, va="bottom"
    )
