"""What the report's script works with: the picture's geometry and every finding, as one value for JSON.

Its shape is that of web/src/report/data.ts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from pyproj import Transformer

from pipeline.outputs import style, words
from pipeline.outputs.embed import Chip, Frame
from pipeline.outputs.picture import Comparison
from pipeline.outputs.position import positions

_NODES = (
    9  # a side; between them longitude and latitude are as good as linear, on a whole Sentinel-2 tile too
)


def page_data(findings: gpd.GeoDataFrame, view: Comparison, chips: Mapping[int, Chip]) -> dict[str, Any]:
    """Plain values; rings and boxes in pixels of the picture (x right, y down). `chips` by finding."""
    west, _, east, _ = view.bounds
    cols, rows = view.size
    return {
        "width": cols,
        "height": rows,
        "metres": (east - west) / cols,
        "reduced": view.full_shape[1] / cols,
        "nodes": {"side": _NODES, "lonlat": _nodes(view)},
        "kinds": {name: {"colour": kind.colour, "mark": kind.mark} for name, kind in style.KINDS.items()},
        "dashes": {name: way.dash for name, way in style.DIRECTIONS.items()},
        "findings": _findings(findings, Frame.of(view)),
        "chips": {number: chip.as_dict() for number, chip in chips.items()},
    }


def _nodes(view: Comparison) -> list[float]:
    """Longitude and latitude at evenly spread nodes, row by row from the upper left."""
    west, south, east, north = view.bounds
    x, y = np.meshgrid(np.linspace(west, east, _NODES), np.linspace(north, south, _NODES))
    lonlat = Transformer.from_crs(view.crs, "OGC:CRS84", always_xy=True).transform(x.ravel(), y.ravel())
    flat: list[float] = np.stack(lonlat, axis=1).round(7).ravel().tolist()
    return flat


def _findings(findings: gpd.GeoDataFrame, frame: Frame) -> list[dict[str, Any]]:
    shapes = frame.pixels(findings.geometry.to_numpy()) if len(findings) else []
    rows = findings.drop(columns="geometry").to_dict("records")
    return [
        {
            "id": int(row["id"]),
            "kind": known_kind(row["kind"]),
            "direction": str(row["direction"]),
            "confidence": float(row["confidence"]),
            "area": float(row["area_m2"]),
            "length": float(row["length_m"]),
            "zone": zone(row["zone"]),
            "name": name(row),
            "facts": _facts(row),
            "places": list(positions(lon, lat).items()),
            "rings": rings(shape),
        }
        for row, shape, (lon, lat) in zip(rows, shapes, words.centres(findings), strict=True)
    ]


def known_kind(kind: Any) -> str:
    """A kind of the table in style.py; any other is `other`."""
    return str(kind) if kind in style.KINDS else "other"


def name(row: Mapping[str, Any]) -> str:
    """`new building`."""
    return f"{style.direction(row['direction']).word} {style.kind(row['kind']).one}"


def zone(value: Any) -> str | None:
    """The zone's name, None where a finding is in none."""
    return str(value) if words.known(value) else None


def _facts(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    facts = [
        ("Confidence", f"{float(row['confidence']):.2f}"),
        ("Area", words.square_metres(row["area_m2"])),
        ("Length", words.metres(row["length_m"])),
        ("Width", words.metres(row["width_m"])),
        ("Zone", zone(row["zone"]) or ""),
    ]
    return [(label, text) for label, text in facts if text]


def rings(shape: shapely.Geometry) -> list[list[float]]:
    """All rings of a polygon or multipolygon, each x, y, x, y, ... to a tenth, not closed."""
    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    every = [ring for part in parts for ring in (part.exterior, *part.interiors)]
    return [np.asarray(ring.coords)[:-1, :2].round(1).ravel().tolist() for ring in every]
