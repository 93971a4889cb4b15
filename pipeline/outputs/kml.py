"""changes.kml: findings for Google Earth and the like, styled by kind and direction (OGC KML 2.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import geopandas as gpd
import shapely

from pipeline.outputs import style, words
from pipeline.outputs.files import write_text
from pipeline.outputs.vectors import COLUMNS, to_lonlat, typed

_NO_XML = re.compile(
    "[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)  # XML 1.0 has no way to say these


def write_kml(findings: gpd.GeoDataFrame, folder: Path, summary: Mapping[str, Any]) -> None:
    """Write `folder`/changes.kml: a folder a kind, a placemark a finding, its number as label, its figures in
    the balloon and as ExtendedData. Raises OutputError.
    """
    write_text(folder / "changes.kml", kml(findings, summary))


def kml(findings: gpd.GeoDataFrame, summary: Mapping[str, Any]) -> str:
    """The document. Texts are escaped twice: a balloon is HTML within XML."""
    table = typed(findings)
    root = Element("kml", xmlns="http://www.opengis.net/kml/2.2")
    document = SubElement(root, "Document")
    site = summary["site"].get("name") or summary["site"]["id"]
    dates = [words.long_date(summary[side].get("date")) for side in ("before", "after")]
    _text(document, "name", f"{site}: {dates[0]} to {dates[1]}")
    _text(document, "open", "1")
    made = f"{style.MADE_MARK} \N{EN DASH} {style.MADE_NOTE}. " if summary.get("made") else ""
    _text(document, "description", escape(f"{made}{words.summary_sentence(findings)}"))
    for kind, direction in sorted(set(zip(table["kind"], table["direction"], strict=True))):
        _style(document, kind, direction)
    shapes = list(to_lonlat(table)) if len(table) else []
    points = words.centres(table)
    folders: dict[str, Element] = {}
    for kind, count in words.counts(list(table["kind"]), style.KINDS).items():
        folders[kind] = SubElement(document, "Folder")
        _text(folders[kind], "name", f"{style.kind(kind).many} ({count})")
    for row, shape, point in zip(table.to_dict("records"), shapes, points, strict=True):
        _placemark(folders[row["kind"]], row, shape, point)
    indent(root, " ")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _text(parent: Element, tag: str, text: str, **attributes: str) -> Element:
    child = SubElement(parent, tag, attributes)
    child.text = _NO_XML.sub("\N{REPLACEMENT CHARACTER}", text)
    return child


def _style(document: Element, kind: str, direction: str) -> None:
    """KML knows no dashes: what was removed is not filled."""
    look = SubElement(document, "Style", id=f"{kind}-{direction}")
    colour = style.kind(kind).colour
    abgr = colour[5:7] + colour[3:5] + colour[1:3]
    icon = SubElement(look, "IconStyle")
    _text(icon, "scale", "0")
    label = SubElement(look, "LabelStyle")
    _text(label, "color", f"ff{abgr}")
    line = SubElement(look, "LineStyle")
    _text(line, "color", f"ff{abgr}")
    _text(line, "width", "3")
    area = SubElement(look, "PolyStyle")
    _text(area, "color", f"{'00' if direction == 'removed' else '59'}{abgr}")


def _placemark(
    folder: Element, row: Mapping[str, Any], shape: shapely.Geometry, point: tuple[float, float]
) -> None:
    mark = SubElement(folder, "Placemark", id=f"finding-{row['id']}")
    _text(mark, "name", str(row["id"]))
    _text(mark, "styleUrl", f"#{row['kind']}-{row['direction']}")
    _text(mark, "description", _balloon(row, point))
    held = SubElement(mark, "ExtendedData")
    for name in COLUMNS:
        if words.known(row[name]):
            _text(SubElement(held, "Data", name=name), "value", str(row[name]))
    several = SubElement(mark, "MultiGeometry")
    _text(SubElement(several, "Point"), "coordinates", f"{point[0]:.7f},{point[1]:.7f}")
    for part in shapely.get_parts(shape):
        polygon = SubElement(several, "Polygon")
        _text(polygon, "tessellate", "1")
        for tag, ring in (
            ("outerBoundaryIs", part.exterior),
            *(("innerBoundaryIs", hole) for hole in part.interiors),
        ):
            corners = " ".join(f"{x:.7f},{y:.7f}" for x, y in ring.coords)
            _text(SubElement(SubElement(polygon, tag), "LinearRing"), "coordinates", corners)


def _balloon(row: Mapping[str, Any], point: tuple[float, float]) -> str:
    """A small table of HTML."""
    lines = {
        "what": f"{style.direction(row['direction']).word} {style.kind(row['kind']).one}",
        "confidence": f"{row['confidence']:.2f}",
        "area": words.square_metres(row["area_m2"]),
        "length, width": f"{words.metres(row['length_m'])}, {words.metres(row['width_m'])}",
        "zone": str(row["zone"]) if words.known(row["zone"]) else words.DASH,
        "where": words.position(*point),
    }
    rows = "".join(f"<tr><th>{name}</th><td>{escape(text)}</td></tr>" for name, text in lines.items())
    return f"<table>{rows}</table>"
