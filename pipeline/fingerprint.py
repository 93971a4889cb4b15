"""What a run's result follows from, as one short text: the same fingerprint, the same result."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pystac
from odc.geo import Geometry

from pipeline import __version__
from pipeline.outputs.provenance import file_record, plain
from pipeline.secrecy import without_secrets

if TYPE_CHECKING:
    from pipeline.job import Job


def fingerprint(job: Job) -> str:
    """SHA-256 over the version, the inputs' contents, the areas, the settings and the detector's models.

    The size of blocks changes how fast a result comes, never the result, and is left out; so is the folder it
    goes to. Files that are not on this machine count by their Item and address alone.
    """
    _read_all(job)
    settings = asdict(job.settings)
    settings["compute"].pop("chunk_size")
    for name in ("timelapse", "timelapse_width"):  # of a site, not of a comparison
        settings["pictures"].pop(name)
    parts = {
        "groundbreak": __version__,
        "site": [job.site_id, job.site_name],
        "before": [_item(item) for item in job.before],
        "after": [_item(item) for item in job.after],
        "masks": [[_checksum(path) for path in _paths(mask)] for mask in (job.before_mask, job.after_mask)],
        "aoi": None if job.aoi is None else _area(job.aoi),
        "zones": [[name, _area(zone)] for name, zone in (job.zones or {}).items()],
        "exclude": [[name, _area(area)] for name, area in (job.exclude or {}).items()],
        "bands": job.bands,
        "settings": settings,
        "model": job.settings.detect.checksums(),
    }
    text = json.dumps(plain(parts), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _read_all(job: Job) -> None:
    """Checksums of the images, some files at a time: they are kept."""
    assets = [asset for item in (*job.before, *job.after) for asset in item.assets.values()]
    with ThreadPoolExecutor() as beside:
        list(beside.map(_checksum, {Path(asset.get_absolute_href() or asset.href) for asset in assets}))


def _item(item: pystac.Item) -> Any:
    described = item.to_dict(include_self_link=False, transform_hrefs=False)
    described.pop("links", None)
    for asset in described["assets"].values():  # one file, however its address is signed today
        asset["href"] = without_secrets(asset["href"])
    return [described, list(_contents(item))]


def _contents(item: pystac.Item) -> Iterator[list[str | None]]:
    for key, asset in sorted(item.assets.items()):
        path = Path(asset.get_absolute_href() or asset.href)
        yield [key, _checksum(path)]


def _checksum(path: Path) -> str | None:
    return str(file_record(path)["sha256"]) if path.is_file() else None


def _paths(mask: Path | Sequence[Path] | None) -> list[Path]:
    if mask is None:
        return []
    return [mask] if isinstance(mask, Path) else list(mask)


def _area(area: Geometry) -> list[str]:
    return [str(area.crs), area.wkt]
