"""The files that a run reads, as they were when it began; one that changes meanwhile is refused."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import SourceChangedError
from pipeline.job import Job
from pipeline.outputs.provenance import file_record
from pipeline.recipe import asset_hrefs, mask_files
from pipeline.remote import is_remote
from pipeline.remote_state import remote_state
from pipeline.scenes.assets import gdal_name
from pipeline.scenes.opening import forget
from pipeline.secrecy import without_secrets

Record = dict[str, Any]
"""`href` without secrets, `sha256`, `bytes`; of a file on another machine `sha256` None, and its `etag`."""

_BESIDE = 8  # files that are asked for at a time
_last: dict[str, Record] = {}  # remote files as this process read them last, which GDAL may have kept


@dataclass(frozen=True)
class Inputs:
    """Every image and mask of a job by the address that it is opened by."""

    files: dict[str, Record]

    @classmethod
    def of(cls, job: Job) -> Inputs:
        """As they are now."""
        return cls(_records(_files(job)))

    def begin(self) -> Inputs:
        """Have remote files read anew that are not what this process read before."""
        for name, record in self.files.items():
            if record["sha256"] is None and _differ(_last.get(name, record), record):
                forget(gdal_name(name))
            _last[name] = record
        return self

    def mark(self, fingerprint: str) -> str:
        """Names what a run has done so far: a fingerprint does not tell remote files by their contents."""
        text = fingerprint + json.dumps(self.files, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def check(self) -> None:
        """Raises SourceChangedError where a file is not any longer what it was; what a server does not tell
        counts as the same.
        """
        for name, now in _records(self.files).items():
            if _differ(self.files[name], now):
                raise SourceChangedError(
                    f"{now['href']}: changed while it was read; run again when it stays as it is"
                )

    def told(self, job: Job) -> dict[str, dict[str, list[Record]]]:
        """As run.json has them: `inputs` and `masks` of `before` and `after`, by address."""
        return {
            side: {
                "inputs": [self.files[href] for href in asset_hrefs(items)],
                "masks": [self.files[str(path)] for path in mask_files(mask)],
            }
            for side, items, mask in (
                ("before", job.before, job.before_mask),
                ("after", job.after, job.after_mask),
            )
        }


def record(name: str) -> Record:
    """Of one file as it is now; all unknown where it is not there, or its server does not tell."""
    shown = {"href": without_secrets(name)}
    if is_remote(name):
        return {**shown, "sha256": None, **remote_state(name)}
    path = Path(name.removeprefix("file://"))
    there = os.path.isfile(path)  # noqa: PTH113 (which says no to names that no file can have)
    return {**file_record(path), **shown} if there else {**shown, "sha256": None, "bytes": None}


def _files(job: Job) -> list[str]:
    masks = (str(path) for mask in (job.before_mask, job.after_mask) for path in mask_files(mask))
    return sorted({*asset_hrefs((*job.before, *job.after)), *masks})


def _records(names: Iterable[str]) -> dict[str, Record]:
    every = list(names)
    with ThreadPoolExecutor(_BESIDE) as beside:
        return dict(zip(every, beside.map(record, every), strict=True))


def _differ(then: Record, now: Record) -> bool:
    """Whether anything that was known then and is known now is not the same."""
    return any(
        then.get(key) is not None and now.get(key) is not None and then[key] != now[key]
        for key in ("sha256", "bytes", "etag")
    )
