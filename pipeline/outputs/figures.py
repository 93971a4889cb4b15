"""overview.png: both dates side by side, findings outlined and numbered, as a newspaper would print it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import shapely
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from pipeline.outputs import panel, style, words
from pipeline.outputs.files import replacing
from pipeline.outputs.picture import Comparison, read_comparison

_DPI = 100
_WIDTH, _TALLEST = 18.0, 14.0  # inches: the whole figure, one panel
_MARGIN, _GAP, _HEAD, _FOOT, _TITLE = 0.4, 0.25, 1.35, 1.05, 0.3
_INK, _QUIET = "#1b1b1b", "#5a5a5a"


@dataclass(frozen=True)
class Layout:
    """Where things stand, in inches: panels side by side, or stacked where the site is wide and low."""

    panel: tuple[float, float]
    corners: tuple[tuple[float, float], tuple[float, float]]  # lower left, before and after
    height: float

    @classmethod
    def of(cls, view: Comparison) -> Layout:
        """The layout for the proportions of an image, which it keeps."""
        west, south, east, north = view.bounds
        aspect = (north - south) / (east - west)
        stacked = aspect < 0.5
        room = _WIDTH - 2 * _MARGIN
        wide = min(room if stacked else (room - _GAP) / 2, _TALLEST / aspect)
        high = wide * aspect
        if stacked:
            corners = ((_MARGIN, _FOOT + high + _GAP + _TITLE), (_MARGIN, _FOOT))
            return cls((wide, high), corners, _HEAD + _FOOT + 2 * high + _GAP + _TITLE)
        return cls((wide, high), ((_MARGIN, _FOOT), (_MARGIN + wide + _GAP, _FOOT)), _HEAD + _FOOT + high)

    def box(self, number: int) -> tuple[float, float, float, float]:
        """A panel as left, bottom, width and height in shares of the figure."""
        (left, bottom), (wide, high) = self.corners[number], self.panel
        return left / _WIDTH, bottom / self.height, wide / _WIDTH, high / self.height


def write_overview(findings: gpd.GeoDataFrame, folder: Path, summary: Mapping[str, Any]) -> None:
    """Draw overview.png from the rasters of `folder`, findings and summary; the same bytes each time."""
    figure = draw_overview(read_comparison(folder, 1600), findings, summary)
    with replacing(folder / "overview.png") as part:
        figure.savefig(part, format="png", metadata={"Software": None})


def draw_overview(view: Comparison, findings: gpd.GeoDataFrame, summary: Mapping[str, Any]) -> Figure:
    """The figure, made without pyplot, so that it shares no state with whoever calls."""
    layout = Layout.of(view)
    figure = Figure(figsize=(_WIDTH, layout.height), dpi=_DPI, facecolor="white")
    FigureCanvasAgg(figure)
    _headings(figure, layout, findings, summary)
    taken = shapely.Polygon()
    for number, (side, image) in enumerate((("before", view.before), ("after", view.after))):
        axes = figure.add_axes(layout.box(number))
        panel.draw_image(axes, image, view)
        panel.draw_outlines(axes, findings)
        label = f"{side.capitalize()}  ·  {words.long_date(summary[side].get('date'))}"
        axes.set_title(label, loc="left", fontsize=14, fontweight="bold", color=_INK, pad=7, parse_math=False)
        if summary.get("made"):  # on both, so that neither can be cut out without it
            taken = panel.draw_made(axes)
    taken = shapely.union(taken, panel.draw_scale(axes, view))
    numbered = panel.draw_numbers(axes, findings, taken)
    _legend(figure, layout, findings, unobserved=bool(view.unobserved.any()))
    notes = _notes(view, summary)
    if numbered < len(findings):
        notes.insert(-1, f"numbers on the best {numbered} of {len(findings)} findings")
    _text(figure, layout, 0.28, "  ·  ".join(notes), fontsize=10.5, color=_QUIET, va="bottom")
    return figure


def _text(figure: Figure, layout: Layout, y: float, text: str, **how: Any) -> None:
    """Text at the left margin, `y` inches up, as it stands: a dollar sign in a name is not mathematics."""
    figure.text(_MARGIN / _WIDTH, y / layout.height, text, parse_math=False, **{"color": _INK, **how})


def _headings(figure: Figure, layout: Layout, findings: gpd.GeoDataFrame, summary: Mapping[str, Any]) -> None:
    title = str(summary["site"].get("name") or summary["site"]["id"])
    large: dict[str, Any] = {"fontsize": 24 if len(title) < 70 else 15, "fontweight": "bold", "va": "top"}
    _text(figure, layout, layout.height - 0.3, title, **large)
    sentence = words.summary_sentence(findings)
    _text(figure, layout, layout.height - 0.78, sentence, fontsize=13, va="top", color=_QUIET)


def _legend(figure: Figure, layout: Layout, findings: gpd.GeoDataFrame, unobserved: bool) -> None:
    """Kinds with their counts, then how directions are drawn, then what the hatching means."""
    edge = [withStroke(linewidth=4.2, foreground="black")]
    entries: list[tuple[Artist, str]] = [
        (Line2D([], [], color=style.kind(name).colour, lw=2.6, path_effects=edge), f"{name} ({count})")
        for name, count in words.counts(list(findings["kind"]), style.KINDS).items()
    ]
    for name, count in words.counts(list(findings["direction"]), style.DIRECTIONS).items():
        dash = style.direction(name).dash
        line = Line2D([], [], color=_INK, linewidth=2, linestyle=(0, dash) if dash else "solid")
        entries.append((line, f"{name} ({count})"))
    if unobserved:
        look: dict[str, Any] = {
            "facecolor": "#dddddd",
            "edgecolor": "#444444",
            "hatch": "/////",
            "linewidth": 0.5,
        }
        entries.append((Rectangle((0, 0), 1, 1, **look), "not observed"))
    if entries:
        figure.legend(
            *zip(*entries, strict=True), loc="upper left", ncols=len(entries),
            bbox_to_anchor=(_MARGIN / _WIDTH - 0.004, (_FOOT - 0.08) / layout.height), frameon=False,
            fontsize=11.5, handlelength=1.8, columnspacing=1.4, borderpad=0,
        )  # fmt: skip


def _notes(view: Comparison, summary: Mapping[str, Any]) -> list[str]:
    """The credit line: where the pictures are from, how they are shown, what made the comparison."""
    sensors = dict.fromkeys(str(summary[side].get("sensor") or "") for side in ("before", "after"))
    delivered = " / ".join(name for name in sensors if name) or "Images as delivered"
    return [
        "Made images" if summary.get("made") else delivered,
        f"{view.bands.label}, one stretch for both dates",
        f"{words.number(summary['grid']['resolution_m'], 1)} m a pixel",
        f"observed on both dates: {words.percent(summary['observed']['both'])}",
        f"Groundbreak {summary['groundbreak']}",
    ]
