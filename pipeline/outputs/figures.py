"""overview.png: both dates side by side, findings outlined and numbered, as a newspaper would print it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import geopandas as gpd
import shapely
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from PIL import Image

from pipeline.config.pictures import USUAL, Pictures
from pipeline.outputs import panel, style, words
from pipeline.outputs.embed import CloseUp, close_up
from pipeline.outputs.files import replacing
from pipeline.outputs.languages import LANGUAGES, Language
from pipeline.outputs.picture import SIDE, Comparison, read_comparison

_DPI = 100
_WIDTH, _TALLEST = 18.0, 14.0  # inches: the whole figure, one panel
_MARGIN, _GAP, _HEAD, _FOOT, _TITLE = 0.4, 0.25, 1.35, 1.05, 0.3
_INSET = 2.02  # inches a side of a close-up
_INK, _QUIET = "#1b1b1b", "#5a5a5a"


Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Layout:
    """Where things stand, in inches: panels side by side, or stacked where the site is wide and low."""

    panel: tuple[float, float]
    corners: tuple[tuple[float, float], tuple[float, float]]  # lower left, before and after
    low: float  # where the panels begin, above close-ups and legend
    right_to_left: bool
    height: float

    @classmethod
    def of(cls, view: Comparison, insets: int, right_to_left: bool) -> Layout:
        """The layout for the proportions of an image, which it keeps. `insets`: close-ups in a row below, at
        most four. Where one reads from the right, before is on the right.
        """
        west, south, east, north = view.bounds
        aspect = (north - south) / (east - west)
        stacked = aspect < 0.5
        room = _WIDTH - 2 * _MARGIN
        wide = min(room if stacked else (room - _GAP) / 2, _TALLEST / aspect)
        high = wide * aspect
        low = _FOOT + (_INSET + _GAP + _TITLE if insets else 0)
        if stacked:
            corners = ((_MARGIN, low + high + _GAP + _TITLE), (_MARGIN, low))
            return cls((wide, high), corners, low, right_to_left, _HEAD + low + 2 * high + _GAP + _TITLE)
        left, right = (_MARGIN, low), (_MARGIN + wide + _GAP, low)
        corners = (right, left) if right_to_left else (left, right)
        return cls((wide, high), corners, low, right_to_left, _HEAD + low + high)

    def box(self, number: int) -> Box:
        """A panel as left, bottom, width and height in shares of the figure."""
        return self._share(*self.corners[number], *self.panel)

    def inset(self, number: int, side: int) -> Box:
        """A close-up, likewise: `side` 0 before, 1 after."""
        step = number * (2 * _INSET + 0.31) + (side * (_INSET + 0.05))
        left = _WIDTH - _MARGIN - _INSET - step if self.right_to_left else _MARGIN + step
        return self._share(left, _FOOT + 0.12, _INSET, _INSET)

    def _share(self, left: float, bottom: float, wide: float, high: float) -> Box:
        return left / _WIDTH, bottom / self.height, wide / _WIDTH, high / self.height


def write_overview(
    findings: gpd.GeoDataFrame,
    folder: Path,
    summary: Mapping[str, Any],
    looks: Pictures = USUAL,
    view: Comparison | None = None,
) -> None:
    """Draw overview.png from the rasters of `folder`, findings and summary; the same bytes each time. `view`:
    what `read_comparison` gives, where it has been read; a wider picture than that is made of its own.

    Without transparency, and not pressed to the last percent: a third of the time, and smaller all the same.
    """
    if view is None or looks.width > SIDE:
        view = read_comparison(folder, max(SIDE, looks.width))
    close = [(row, close_up(folder, view, row.geometry)) for row in _varied(findings, looks.insets)]
    figure = draw_overview(view, findings, summary, LANGUAGES[looks.language], close)
    figure.set_dpi(looks.width / _WIDTH)
    canvas: Any = FigureCanvasAgg(figure)
    pixels, size = canvas.print_to_buffer()
    with replacing(folder / "overview.png") as part:
        Image.frombuffer("RGBA", size, pixels).convert("RGB").save(part, "PNG", compress_level=4)


def _varied(findings: gpd.GeoDataFrame, count: int) -> list[Any]:
    """So many rows, the best of each kind before the second best of any."""
    turn = findings.groupby("kind").cumcount()
    chosen = findings.assign(turn=turn).sort_values(["turn", "id"], kind="stable").head(count)
    return list(chosen.sort_values("id").itertuples())


def draw_overview(
    view: Comparison,
    findings: gpd.GeoDataFrame,
    summary: Mapping[str, Any],
    language: Language = LANGUAGES["en"],
    close: Sequence[tuple[Any, CloseUp]] = (),
) -> Figure:
    """The figure, made without pyplot, so that it shares no state with whoever calls. `close`: findings that
    are shown close up, with what is shown.
    """
    layout = Layout.of(view, len(close), language.right_to_left)
    figure = Figure(figsize=(_WIDTH, layout.height), dpi=_DPI, facecolor="white")
    FigureCanvasAgg(figure)
    _headings(figure, layout, findings, summary, language)
    taken = shapely.Polygon()
    for number, (side, image) in enumerate((("before", view.before), ("after", view.after))):
        axes = figure.add_axes(layout.box(number))
        panel.draw_image(axes, image, view)
        panel.draw_outlines(axes, findings)
        label = f"{getattr(language, side)}  ·  {language.long_date(summary[side].get('date'))}"
        heading: dict[str, Any] = {"fontsize": 14, "fontweight": "bold", "color": _INK, "parse_math": False}
        axes.set_title(label, loc=_start(language), pad=7, **heading)
        if summary.get("made"):  # on both, so that neither can be cut out without it
            taken = panel.draw_made(axes, language.made)
    taken = shapely.union(taken, panel.draw_scale(axes, view))
    numbered = panel.draw_numbers(axes, findings, taken)
    for place, (row, cut) in enumerate(close):
        for later, picture in enumerate((cut.before, cut.after)):
            axes = figure.add_axes(layout.inset(place, later))
            panel.draw_inset(axes, picture, cut.frame, row, outlined=bool(later))
    _legend(figure, layout, findings, language, unobserved=bool(view.unobserved.any()))
    notes = _notes(view, summary, language)
    if numbered < len(findings):
        notes.insert(-1, language.numbered.format(some=numbered, all=len(findings)))
    _text(figure, layout, 0.28, "  ·  ".join(notes), fontsize=10.5, color=_QUIET, va="bottom")
    return figure


def _start(language: Language) -> Literal["left", "right"]:
    """The side on which a line begins."""
    return "right" if language.right_to_left else "left"


def _text(figure: Figure, layout: Layout, y: float, text: str, **how: Any) -> None:
    """Text at the margin, `y` inches up, as it stands: a dollar sign in a name is not mathematics."""
    x, side = (1 - _MARGIN / _WIDTH, "right") if layout.right_to_left else (_MARGIN / _WIDTH, "left")
    figure.text(x, y / layout.height, text, parse_math=False, **{"color": _INK, "ha": side, **how})


def _headings(
    figure: Figure,
    layout: Layout,
    findings: gpd.GeoDataFrame,
    summary: Mapping[str, Any],
    language: Language,
) -> None:
    title = str(summary["site"].get("name") or summary["site"]["id"])
    large: dict[str, Any] = {"fontsize": 24 if len(title) < 70 else 15, "fontweight": "bold", "va": "top"}
    _text(figure, layout, layout.height - 0.3, title, **large)
    sentence = _sentence(findings, language)
    _text(figure, layout, layout.height - 0.78, sentence, fontsize=13, va="top", color=_QUIET)


def _sentence(findings: gpd.GeoDataFrame, language: Language) -> str:
    """What was found: a sentence in English, counts in languages that decline what is counted."""
    if language is LANGUAGES["en"]:
        return words.summary_sentence(findings)
    if findings.empty:
        return language.nothing
    kinds = words.counts(list(findings["kind"]), style.KINDS)
    parts = "  ·  ".join(f"{language.kinds.get(name, name)} ({count})" for name, count in kinds.items())
    return f"{language.found}: {len(findings)}  ·  {parts}"


def _legend(
    figure: Figure, layout: Layout, findings: gpd.GeoDataFrame, language: Language, unobserved: bool
) -> None:
    """Kinds with their counts, then how directions are drawn, then what the hatching means."""
    edge = [withStroke(linewidth=4.2, foreground="black")]
    entries: list[tuple[Artist, str]] = [
        (
            Line2D([], [], color=style.kind(name).colour, lw=2.6, path_effects=edge),
            f"{language.kinds.get(name, name)} ({count})",
        )
        for name, count in words.counts(list(findings["kind"]), style.KINDS).items()
    ]
    for name, count in words.counts(list(findings["direction"]), style.DIRECTIONS).items():
        dash = style.direction(name).dash
        line = Line2D([], [], color=_INK, linewidth=2, linestyle=(0, dash) if dash else "solid")
        entries.append((line, f"{language.directions.get(name, name)} ({count})"))
    if unobserved:
        look: dict[str, Any] = {
            "facecolor": "#dddddd",
            "edgecolor": "#444444",
            "hatch": "/////",
            "linewidth": 0.5,
        }
        entries.append((Rectangle((0, 0), 1, 1, **look), language.unobserved))
    margin = _MARGIN / _WIDTH - 0.004
    if entries:
        figure.legend(
            *zip(*entries, strict=True), ncols=len(entries),
            loc="upper right" if language.right_to_left else "upper left",
            bbox_to_anchor=(1 - margin if language.right_to_left else margin, (_FOOT - 0.08) / layout.height),
            frameon=False,
            fontsize=11.5, handlelength=1.8, columnspacing=1.4, borderpad=0,
        )  # fmt: skip


def _notes(view: Comparison, summary: Mapping[str, Any], language: Language) -> list[str]:
    """The credit line: where the pictures are from, how they are shown, what made the comparison."""
    sensors = dict.fromkeys(str(summary[side].get("sensor") or "") for side in ("before", "after"))
    delivered = " / ".join(name for name in sensors if name) or language.delivered
    return [
        language.made_images if summary.get("made") else delivered,
        f"{language.colours.get(view.bands.label, view.bands.label)}, {language.stretch}",
        language.pixel.format(size=words.number(summary["grid"]["resolution_m"], 1)),
        language.observed.format(share=words.percent(summary["observed"]["both"])),
        f"Groundbreak {summary['groundbreak']}",
    ]
