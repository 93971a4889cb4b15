"""What run.json says: how a result came about, in one plain dictionary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pystac
import xarray as xr

from pipeline import __version__
from pipeline.fingerprint import fingerprint
from pipeline.grid import pixel_size
from pipeline.inputs import Inputs
from pipeline.outputs.provenance import library_versions
from pipeline.recipe import recipe
from pipeline.stages.align import Alignment

if TYPE_CHECKING:
    from pipeline.job import Job, Scene


def summarise(
    job: Job,
    scene: Scene,
    alignment: Alignment,
    inputs: Inputs,
    made_at: datetime,
    **parts: Mapping[str, Any],
) -> dict[str, Any]:
    """Inputs, grid, settings and what each stage found; `parts` are added under their names.

    It suffices to do the job again: see `recipe.job_from`.
    """
    files = inputs.told(job)
    return {
        "groundbreak": __version__,
        "created": made_at.isoformat(timespec="seconds"),
        "fingerprint": fingerprint(job),
        "made": scene.made,
        "before": _date(job.before, scene.before) | files["before"],
        "after": _date(job.after, scene.after) | files["after"],
        "grid": _grid(scene),
        "alignment": _alignment(alignment),
        "versions": library_versions(),
        "model": job.settings.detect.checksums(),
        **recipe(job),
        **parts,
    }


def findings_summary(findings: gpd.GeoDataFrame) -> dict[str, Any]:
    """How many findings of which kind and direction, and their ground in square metres."""
    return {
        "count": len(findings),
        "by_kind": _counts(findings["kind"]),
        "by_direction": _counts(findings["direction"]),
        "area_m2": round(float(findings["area_m2"].sum()), 1),
    }


def _counts(column: Any) -> dict[str, int]:
    return {str(key): int(value) for key, value in sorted(column.value_counts().items())}


def _date(items: Sequence[pystac.Item], image: xr.Dataset) -> dict[str, Any]:
    return {
        "date": image.attrs["date"],
        "sensor": _told(item.properties.get("platform") for item in items),
        "providers": _told(who.get("name") for item in items for who in item.properties.get("providers", [])),
        "licence": _told(item.properties.get("license") for item in items),
    }


def _told(values: Iterable[object]) -> str | None:
    """What the items of a date tell, each once; None where none tells anything."""
    return ", ".join(sorted({str(value) for value in values if value})) or None


def _grid(scene: Scene) -> dict[str, Any]:
    grid = scene.grid
    return {
        "crs": str(grid.crs),
        "shape": list(grid.shape),
        "transform": list(grid.transform)[:6],
        "resolution_m": round(pixel_size(grid), 6),
        "bands": list(scene.bands),
    }


def _alignment(found: Alignment) -> dict[str, Any]:
    return {
        "status": found.status,
        "reason": found.reason,
        "points": found.points,
        "kept_out_points": found.kept_out_points,
        "residual_before_px": round(found.residual_before_px, 4),
        "residual_px": round(found.residual_px, 4),
        "shift_m": [round(value, 4) for value in found.shift_m],
    }
