"""report.html: the result for people, in one file that needs nothing else and calls nobody."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import shapely
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from pyproj import Transformer

from pipeline.outputs import style, words
from pipeline.outputs.embed import Chip, Frame, chip, hatch_uri, jpeg_uri, probability_uri, svg_path
from pipeline.outputs.files import write_text
from pipeline.outputs.item import FILES
from pipeline.outputs.picture import Comparison, read_comparison
from pipeline.outputs.provenance import plain
from pipeline.outputs.shiftplot import read_shift
from pipeline.sight import sight

CHIPS = 40  # findings shown close up; the rest are in the viewer and the table
_SIDE = 1400  # pixels a side of an embedded image, at most
_TEMPLATES = Path(__file__).parent / "templates"
_ALIGNMENT = ("reason", "points", "kept_out_points", "residual_before_px", "residual_px")
_UNTOLD: dict[str, dict[str, Any]] = {
    "alignment": {"status": "unknown", **dict.fromkeys(_ALIGNMENT)},
    "radiometry": {**dict.fromkeys(("method", "reason", "surface", "unchanged_share")), "bands": {}},
    "observed": dict.fromkeys(("before", "after", "both")),
    "detector": {"name": None},
    **{key: {} for key in ("screen", "settings", "stages", "versions")},
}


@dataclass(frozen=True)
class Row:
    """One finding as the page shows it; `path`, `box` and `anchors` are in pixels of the embedded images."""

    id: int
    kind: str
    direction: str
    confidence: float
    area_m2: float
    length_m: float
    width_m: float
    zone: str | None
    lon: float
    lat: float
    path: str
    box: str
    anchors: str
    chip: Chip | None


def write_report(findings: gpd.GeoDataFrame, folder: Path, summary: Mapping[str, Any]) -> None:
    """Write report.html from the rasters of `folder`, the findings and the run's summary."""
    write_text(folder / "report.html", render(findings, folder, summary))


def render(findings: gpd.GeoDataFrame, folder: Path, summary: Mapping[str, Any]) -> str:
    """The page. Every text from outside is escaped; only the templates' own style and script may run."""
    view = read_comparison(folder, _SIDE)
    css, script = _css(view), (_TEMPLATES / "report.js").read_text(encoding="utf-8")
    page: str = _environment().get_template("report.html").render(
        css=Markup(css),
        script=Markup(script),
        policy=_policy(css, script),
        summary=_complete(summary),
        sentence=words.summary_sentence(findings),
        days=words.days_apart(summary["before"].get("date"), summary["after"].get("date")),
        view=_viewer(view),
        rows=_rows(findings, folder, view),
        kinds=words.counts(list(findings["kind"]), style.KINDS),
        directions=words.counts(list(findings["direction"]), style.DIRECTIONS),
        shift=read_shift(folder / "shift.tif") if (folder / "shift.tif").exists() else None,
        sight=_sight(float(summary["grid"]["resolution_m"])),
        files=FILES,
    )  # fmt: skip
    return page


def _complete(summary: Mapping[str, Any]) -> dict[str, Any]:
    """The summary as plain values, with what a run did not tell there as unknown."""
    values: dict[str, Any] = plain(summary)
    return values | {key: gap | (values.get(key) or {}) for key, gap in _UNTOLD.items()}


@cache
def _environment() -> Environment:
    """Jinja with escaping on for everything, and the formats of `words`."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.globals.update(words=words, style=style, chip_limit=CHIPS)
    return environment


def _css(view: Comparison) -> str:
    """The stylesheet, and after it what comes from data: colours and dashes of the one table, proportions."""
    cols, rows = view.size
    lines = [f":root {{ --cols: {cols}; --rows: {rows}; }}"]
    lines += [f".kind-{name} {{ --kind: {kind.colour}; }}" for name, kind in style.KINDS.items()]
    lines += [
        f".way-{name} {{ --dash: {' '.join(f'{3 * step:.1f}px' for step in way.dash) or 'none'}; }}"
        for name, way in style.DIRECTIONS.items()
    ]
    return (_TEMPLATES / "report.css").read_text(encoding="utf-8") + "\n".join(lines) + "\n"


def _policy(css: str, script: str) -> str:
    """A Content-Security-Policy that lets this page's own style and script run, and nothing load."""
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (css, script)]
    return (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digests[0]}'; "
        f"script-src 'sha256-{digests[1]}'; base-uri 'none'; form-action 'none'"
    )


def _viewer(view: Comparison) -> dict[str, Any]:
    """What the viewer needs: both images, overlays, metres a pixel, lon/lat of corners nw, ne, se, sw."""
    west, south, east, north = view.bounds
    to_lonlat = Transformer.from_crs(view.crs, "OGC:CRS84", always_xy=True)
    corners = [
        to_lonlat.transform(x, y) for x, y in ((west, north), (east, north), (east, south), (west, south))
    ]
    cols, rows = view.size
    return {
        "width": cols,
        "height": rows,
        "before": jpeg_uri(view.before),
        "after": jpeg_uri(view.after),
        "hatch": hatch_uri(view),
        "probability": probability_uri(view),
        "metres": (east - west) / cols,
        "corners": " ".join(f"{value:.7f}" for corner in corners for value in corner),
        "label": view.bands.label,
        "reduced": view.size != view.full_shape[::-1],
    }


def _rows(findings: gpd.GeoDataFrame, folder: Path, view: Comparison) -> list[Row]:
    to_pixels = Frame.of(view).pixels
    cut = partial(chip, folder, view)
    rows = []
    for number, ((_, row), (lon, lat)) in enumerate(
        zip(findings.iterrows(), words.centres(findings), strict=True)
    ):
        shape = to_pixels(row.geometry)
        rows.append(
            Row(
                id=int(row["id"]),
                kind=row["kind"] if row["kind"] in style.KINDS else "other",
                direction=str(row["direction"]),
                confidence=float(row["confidence"]),
                area_m2=float(row["area_m2"]),
                length_m=float(row["length_m"]),
                width_m=float(row["width_m"]),
                zone=str(row["zone"]) if words.known(row["zone"]) else None,
                lon=lon,
                lat=lat,
                path=svg_path(shape),
                box=" ".join(f"{value:.1f}" for value in shape.bounds),
                anchors=_anchors(shape),
                chip=cut(row.geometry) if number < CHIPS else None,
            )
        )
    return rows


def _anchors(shape: shapely.Geometry) -> str:
    """The outermost points to the right, the left, the top and the bottom, where a number can stand."""
    points = shapely.get_coordinates(shape)
    outermost = (points[:, 0].argmax(), points[:, 0].argmin(), points[:, 1].argmin(), points[:, 1].argmax())
    return " ".join(f"{x:.1f} {y:.1f}" for x, y in points[list(outermost)])


def _sight(resolution: float) -> dict[str, Any]:
    """What can and cannot be seen at a resolution in metres a pixel, as words."""
    every = sight(resolution)
    return {
        "pixel": resolution,
        "seen": [
            (style.kind(one.kind).many, f"{words.metres(one.size_m)} {one.measure}")
            for one in every
            if one.size_m is not None
        ],
        "hidden": words.listed([style.kind(one.kind).many for one in every if one.size_m is None]),
    }
