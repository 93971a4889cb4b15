"""Scores thing by thing; what counts as found and as false is defined in `pipeline.evaluate`."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from pipeline.evaluate.rates import f1, rate

OVERLAP = 0.2

Mask = NDArray[np.bool_]


def object_scores(findings: gpd.GeoDataFrame, things: gpd.GeoDataFrame, km2: float) -> dict[str, Any]:
    """Scores thing by thing; both frames in one CRS in metres, `km2` the ground that was observed."""
    agrees = _removed(things)[:, None] == _removed(findings)[None, :]
    found = np.array(
        [_covered(shape, findings.geometry[agrees[i]]) for i, shape in enumerate(things.geometry)], dtype=bool
    )
    real = np.array(
        [_covered(shape, things.geometry[agrees[:, j]]) for j, shape in enumerate(findings.geometry)],
        dtype=bool,
    )
    best = [_best(things.geometry[i], findings[agrees[i]]) if found[i] else None for i in range(len(things))]
    pairs = [(things.iloc[i], match) for i, match in enumerate(best) if match is not None]
    precision, recall = rate(real.sum(), len(real)), rate(found.sum(), len(found))
    false, missed = findings[~real], things[~found]
    return {
        "things": len(things),
        "found": int(found.sum()),
        "findings": len(findings),
        "false": int((~real).sum()),
        "precision": precision,
        "recall": recall,
        "f1": f1(precision, recall),
        "false_per_km2": rate(len(false), km2),
        "kind_accuracy": rate(
            sum(t.kind == f.kind for t, f in pairs if t.kind), sum(bool(t.kind) for t, _ in pairs)
        ),
        "direction_accuracy": rate(sum(t.direction == f.direction for t, f in pairs), len(pairs)),
        "by_kind": {
            str(kind): _recall(found[(things.kind == kind).to_numpy()])
            for kind in sorted(things.kind.dropna().unique())
        },
        "by_direction": {
            str(way): _recall(found[(things.direction == way).to_numpy()])
            for way in sorted(things.direction.unique())
        },
        "confusion": _confusion([(t.kind, f.kind) for t, f in pairs if t.kind]),
        "false_findings": _records(false, ("id", "kind", "direction", "confidence", "area_m2")),
        "missed": _records(missed, ("name", "kind", "direction")),
    }


def _removed(frame: gpd.GeoDataFrame) -> Mask:
    return np.asarray(frame.direction == "removed", dtype=bool)


def _covered(shape: Any, others: gpd.GeoSeries) -> bool:
    return bool(shape.intersection(shapely.union_all(others.array)).area >= OVERLAP * shape.area)


def _best(shape: Any, findings: gpd.GeoDataFrame) -> Any:
    iou = findings.intersection(shape).area / findings.union(shape).area
    return findings.iloc[int(np.argmax(iou.to_numpy()))]


def _recall(found: Mask) -> dict[str, Any]:
    return {"things": len(found), "found": int(found.sum()), "recall": rate(found.sum(), len(found))}


def _confusion(kinds: list[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """{kind in truth: {kind found: count}}."""
    table: dict[str, dict[str, int]] = {}
    for true, found in sorted(kinds):
        row = table.setdefault(true, {})
        row[found] = row.get(found, 0) + 1
    return table


def _records(frame: gpd.GeoDataFrame, columns: tuple[str, ...]) -> list[dict[str, Any]]:
    table = frame.reindex(columns=[c for c in columns if c in frame.columns]).astype(object)
    return [dict(row) for row in table.where(table.notna(), None).to_dict("records")]
