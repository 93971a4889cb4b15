"""report.html: the result for people, in one file that needs nothing else and calls nobody."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
from jinja2.utils import htmlsafe_json_dumps
from pyproj import Transformer

from pipeline.outputs import style, words
from pipeline.outputs.embed import Chip, chip, hatch_uri, jpeg_uri, probability_uri
from pipeline.outputs.files import write_text
from pipeline.outputs.item import FILES
from pipeline.outputs.page import environment, licences, policy, script, stylesheet
from pipeline.outputs.page_data import page_data
from pipeline.outputs.picture import Comparison, read_comparison
from pipeline.outputs.provenance import plain, replace_record
from pipeline.outputs.shiftplot import read_shift
from pipeline.sight import sight

NAME = "report.html"
CHIPS = 40  # findings with close ups at full resolution, where the picture is reduced
_MOST = 3_300_000  # bytes of one of them, so that both, written as text, leave room in 10 MB
_SCRIPT = "report.js"
_FOLLOWED = '<script type="application/json" id="followed">'
_ALIGNMENT = ("reason", "points", "kept_out_points", "residual_before_px", "residual_px")
_DATE = ("date", "sensor", "licence", "providers")
_UNTOLD: dict[str, dict[str, Any]] = {
    "alignment": {"status": "unknown", **dict.fromkeys(_ALIGNMENT)},
    "radiometry": {**dict.fromkeys(("method", "reason", "surface", "unchanged_share")), "bands": {}},
    "observed": dict.fromkeys(("before", "after", "both")),
    "before": {**dict.fromkeys(_DATE), "inputs": []},
    "after": {**dict.fromkeys(_DATE), "inputs": []},
    "detector": {"name": None},
    "excluded": {"areas": [], "share": None},
    **{key: {} for key in ("screen", "settings", "stages", "versions")},
}


def write_report(
    findings: gpd.GeoDataFrame, folder: Path, summary: Mapping[str, Any], view: Comparison | None = None
) -> None:
    """Write report.html from the rasters of `folder`, the findings and the run's summary. `view`: what
    `read_comparison` gives, where it has been read.
    """
    write_text(folder / NAME, render(findings, folder, summary, view))


def tell_followed(folder: Path, facts: Mapping[int, list[tuple[str, str]]]) -> None:
    """Say in a finished report when findings were first and last seen: `facts` by id, names and texts.

    run.json is told of the new report first: where this ends half way, the next call does it again. A report
    that somebody took away is not missed.
    """
    path = folder / NAME
    if not path.is_file():
        return
    page = path.read_text(encoding="utf-8")
    head, mark, rest = page.partition(_FOLLOWED)
    told = f"{head}{mark}{htmlsafe_json_dumps(facts)}{rest[rest.index('</script>') :]}"
    if told != page:
        replace_record(folder, NAME, told.encode("utf-8"))
        write_text(path, told)


def render(
    findings: gpd.GeoDataFrame, folder: Path, summary: Mapping[str, Any], view: Comparison | None = None
) -> str:
    """The page. Every text from outside is escaped; only the page's own style and script may run."""
    view = view or read_comparison(folder)
    data = page_data(findings, view, _chips(findings, folder, view))
    css = stylesheet("report.css")
    rows = data["findings"]
    page: str = environment().get_template("report.html").render(
        css=css,
        script=script(_SCRIPT),
        policy=policy(css, script(_SCRIPT)),
        licences=licences(),
        data=data,
        rows=rows,
        summary=_complete(summary),
        sentence=words.summary_sentence(findings),
        days=words.days_apart(summary["before"].get("date"), summary["after"].get("date")),
        view=_viewer(view),
        kinds=words.counts([row["kind"] for row in rows], style.KINDS),
        directions=words.counts([row["direction"] for row in rows], style.DIRECTIONS),
        zones=sorted({row["zone"] for row in rows if row["zone"]}),
        shift=read_shift(folder / "shift.tif") if (folder / "shift.tif").exists() else None,
        sight=_sight(float(summary["grid"]["resolution_m"])),
        files=FILES,
    )  # fmt: skip
    return page


def _complete(summary: Mapping[str, Any]) -> dict[str, Any]:
    """The summary as plain values, with what a run did not tell there as unknown."""
    values: dict[str, Any] = plain(summary)
    return values | {key: gap | (values.get(key) or {}) for key, gap in _UNTOLD.items()}


def _chips(findings: gpd.GeoDataFrame, folder: Path, view: Comparison) -> dict[int, Chip]:
    """Close ups of the most confident; none where the picture shows all there is, and the page cuts them."""
    if not _reduced(view):
        return {}
    best = findings.head(CHIPS)
    return {int(i): chip(folder, view, g) for i, g in zip(best["id"], best.geometry, strict=True)}


def _reduced(view: Comparison) -> bool:
    return view.size != view.full_shape[::-1]


def _viewer(view: Comparison) -> dict[str, Any]:
    """The pictures, and what is said of them."""
    cols, rows = view.size
    return {
        "width": cols,
        "height": rows,
        "before": jpeg_uri(view.before, most=_MOST),
        "after": jpeg_uri(view.after, most=_MOST),
        "hatch": hatch_uri(view),
        "probability": probability_uri(view),
        "north": _north(view),
        "label": view.bands.label,
        "reduced": _reduced(view),
    }


def _north(view: Comparison) -> float:
    """Degrees clockwise from up, in which true north lies at the middle of the picture."""
    west, south, east, north = view.bounds
    to_lonlat = Transformer.from_crs(view.crs, "OGC:CRS84", always_xy=True)
    lon, lat = to_lonlat.transform((west + east) / 2, (south + north) / 2)
    step = 0.01 if lat < 89 else -0.01
    x, y = to_lonlat.transform([lon, lon], [lat, lat + step], direction="INVERSE")
    return float(np.degrees(np.arctan2((x[1] - x[0]) / step, (y[1] - y[0]) / step)))


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
