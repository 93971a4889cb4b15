"""What region and site models of IARPA SMART must hold, as JSON schemas.

Written after `region_model_spec.md`, `site_model_spec.md` and `smart.schema.json` of
https://github.com/pubgeo/IARPA-SMART: the same fields, types, patterns and vocabularies.
"""

from __future__ import annotations

from typing import Any

REGION = r"[A-Z]{2}_([RST]\d{3}|C[0-7]\d{2})"
DAY = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}
SCORE = {"type": "number", "minimum": 0, "maximum": 1}
PERFORMERS = ("acc", "ara", "ast", "bla", "iai", "kit", "str")
PHASES = "(No Activity|Site Preparation|Active Construction|Post Construction|Unknown)"
SENSORS = "(Landsat 8|Sentinel-2|WorldView|Planet)"
_POINT = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
_POLYGON = {"type": "array", "items": {"type": "array", "items": _POINT, "minItems": 4}}
_MADE_BY = {
    "version": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
    "mgrs": {"type": "string", "pattern": r"^(0[1-9]|[1-5]\d|60)[C-HJ-NP-X][A-HJ-NP-Z][A-HJ-NP-V]$"},
    "model_content": {"const": "proposed"},
    "originator": {"enum": list(PERFORMERS)},  # where the content is proposed
    "cache": {"type": "object"},
}
_COMMON = {
    **_MADE_BY, "status": {"enum": ["system_proposed", "system_confirmed", "system_rejected"]},
    "start_date": DAY, "end_date": DAY, "score": SCORE,
    "site_id": {"type": "string", "pattern": rf"^{REGION}_\d{{4}}$"},
}  # fmt: skip


def _text(pattern: str) -> dict[str, Any]:
    return {"type": ["string", "null"], "pattern": f"^{pattern}$"}


def _feature(kind: str, geometry: str, **fields: Any) -> dict[str, Any]:
    coordinates = _POLYGON if geometry == "Polygon" else {"type": "array", "items": _POLYGON}
    properties = {"type": {"const": kind}, **fields}
    return {
        "type": "object",
        "required": ["type", "properties", "geometry"],
        "properties": {
            "type": {"const": "Feature"},
            "properties": {
                "type": "object",
                "properties": properties,
                "required": sorted(properties.keys() - {"cache", "score", "comments"}),
                "additionalProperties": False,
            },
            "geometry": {
                "type": "object",
                "required": ["type", "coordinates"],
                "properties": {"type": {"const": geometry}, "coordinates": coordinates},
            },
        },
    }


def _model(first: dict[str, Any], rest: dict[str, Any], least: int) -> dict[str, Any]:
    features = {"type": "array", "prefixItems": [first], "items": rest, "minItems": least}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["type", "features"],
        "properties": {"type": {"const": "FeatureCollection"}, "features": features},
    }


REGION_MODEL = _model(
    _feature(
        "region", "Polygon", **_MADE_BY, region_id=_text(REGION), start_date=DAY, end_date=DAY,
        comments={"type": ["string", "null"]},
    ),
    _feature("site_summary", "Polygon", **_COMMON),
    1,
)  # fmt: skip
SITE_MODEL = _model(
    _feature("site", "Polygon", **_COMMON, region_id=_text(REGION)),
    _feature(
        "observation", "MultiPolygon", observation_date=DAY, source={"type": ["string", "null"]},
        sensor_name=_text(SENSORS), current_phase=_text(PHASES), is_occluded=_text("(True|False)"),
        is_site_boundary=_text("(True|False)"), score=SCORE, cache={"type": "object"},
    ),
    2,
)  # fmt: skip
