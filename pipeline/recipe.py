"""What a comparison is asked for, as plain values that run.json holds, and made a job again from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pystac
import shapely
from odc.geo import Geometry
from pydantic import TypeAdapter

from pipeline.config import Settings
from pipeline.job import Job
from pipeline.outputs.provenance import plain
from pipeline.secrecy import without_secrets


def recipe(job: Job) -> dict[str, Any]:
    """All that a job asks for, but for where the result goes. Areas are geometries in their CRS; URLs are
    without secrets, so that a file has one address however it is signed today.
    """
    told = {
        "site": {"id": job.site_id, "name": job.site_name},
        "settings": asdict(job.settings),
        "job": {
            "before": [_item(item) for item in job.before],
            "after": [_item(item) for item in job.after],
            "before_mask": [str(path) for path in mask_files(job.before_mask)],
            "after_mask": [str(path) for path in mask_files(job.after_mask)],
            "aoi": None if job.aoi is None else _area(job.aoi),
            "zones": {name: _area(zone) for name, zone in (job.zones or {}).items()},
            "exclude": {name: _area(area) for name, area in (job.exclude or {}).items()},
            "bands": job.bands,
        },
    }
    return dict(_without_secrets(plain(told)))


def job_from(told: Mapping[str, Any], out: Path) -> Job:
    """The job whose recipe a run.json tells, its result to go to `out`.

    Raises KeyError, TypeError or ValueError where it does not tell one.
    """
    asked = told["job"]
    return Job(
        site_id=str(told["site"]["id"]),
        site_name=str(told["site"]["name"]),
        out=out,
        before=tuple(map(pystac.Item.from_dict, asked["before"])),
        after=tuple(map(pystac.Item.from_dict, asked["after"])),
        before_mask=_masks(asked["before_mask"]),
        after_mask=_masks(asked["after_mask"]),
        aoi=None if asked["aoi"] is None else _geometry(asked["aoi"]),
        zones={name: _geometry(area) for name, area in asked["zones"].items()},
        exclude={name: _geometry(area) for name, area in asked["exclude"].items()},
        bands=None if asked["bands"] is None else tuple(asked["bands"]),
        settings=TypeAdapter(Settings).validate_python(told["settings"]),
    )


def asset_hrefs(items: Iterable[pystac.Item]) -> list[str]:
    """The files of Items, sorted, each once, as they are opened: with whatever signs their addresses."""
    assets = (asset for item in items for asset in item.assets.values())
    return sorted({asset.get_absolute_href() or asset.href for asset in assets})


def mask_files(mask: Path | Sequence[Path] | None) -> list[Path]:
    """None, one or several masks as a list of absolute paths."""
    if mask is None:
        return []
    return [path.absolute() for path in ([mask] if isinstance(mask, Path) else mask)]


def _item(item: pystac.Item) -> dict[str, Any]:
    described = item.to_dict(include_self_link=False, transform_hrefs=False)
    described["links"] = []
    for key, asset in item.assets.items():
        described["assets"][key]["href"] = asset.get_absolute_href() or asset.href
    return described


def _masks(paths: Sequence[str]) -> tuple[Path, ...] | None:
    return tuple(map(Path, paths)) or None


def _area(area: Geometry) -> dict[str, Any]:
    """Coordinates as numbers, which come back to the last bit; those of WKT do not."""
    return {"crs": str(area.crs), "geometry": shapely.geometry.mapping(area.geom)}


def _geometry(area: Mapping[str, Any]) -> Geometry:
    return Geometry(shapely.geometry.shape(area["geometry"]), area["crs"])


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_secrets(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_secrets(item) for item in value]
    return without_secrets(value) if isinstance(value, str) else value
