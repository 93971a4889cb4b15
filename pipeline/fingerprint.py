"""What a run's result follows from, as one short text: the same fingerprint, the same result."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import __version__
from pipeline.outputs.provenance import file_record
from pipeline.recipe import asset_hrefs, mask_files, recipe
from pipeline.secrecy import without_secrets

if TYPE_CHECKING:
    from pipeline.job import Job

_FREE = {"compute": ("chunk_size",), "pictures": ("timelapse", "timelapse_width")}
"""Settings by section on which no comparison depends: how fast it comes, and the pictures of a whole site."""


def fingerprint(job: Job) -> str:
    """SHA-256 over the version, what is asked for, the inputs' contents and the detector's models.

    What no result depends on is left out, as the size of blocks and the folder that it goes to. Files that
    are not on this machine count by their Item and address alone.
    """
    return fingerprint_of(__version__, recipe(job), contents(job), job.settings.detect.checksums())


def fingerprint_of(
    version: str, asked: Mapping[str, Any], files: Mapping[str, str | None], model: Mapping[str, str]
) -> str:
    """The fingerprint of what run.json tells. `files`: the SHA-256 of each input by its address."""
    settings = dict(asked["settings"])
    for section, names in _FREE.items():
        settings[section] = {key: value for key, value in settings[section].items() if key not in names}
    parts = {
        "groundbreak": version,
        "site": asked["site"],
        "job": asked["job"],
        "settings": settings,
        "files": files,
        "model": model,
    }
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def contents(job: Job) -> dict[str, str | None]:
    """SHA-256 of all images and masks by their address without secrets; None for those not on this machine.

    Read some at a time, and each once: checksums are kept.
    """
    masks = [str(path) for mask in (job.before_mask, job.after_mask) for path in mask_files(mask)]
    files = sorted({*asset_hrefs((*job.before, *job.after)), *masks})
    with ThreadPoolExecutor() as beside:
        return dict(zip(map(without_secrets, files), beside.map(_checksum, files), strict=True))


def _checksum(file: str) -> str | None:
    path = Path(file.removeprefix("file://"))
    there = os.path.isfile(path)  # noqa: PTH113 (which says no to names that no file can have)
    return str(file_record(path)["sha256"]) if there else None
