"""Whether a result is whole, unchanged and reproducible, by what its run.json says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fsspec.core import url_to_fs

from pipeline import __version__
from pipeline.errors import GroundbreakError, ResultError
from pipeline.fingerprint import fingerprint_of
from pipeline.inputs import record
from pipeline.outputs.provenance import RUN_FILE, library_versions
from pipeline.progress import Replay
from pipeline.recipe import job_from
from pipeline.registration import register
from pipeline.remote import is_url
from pipeline.results import is_pair
from pipeline.run import run

Told = Mapping[str, Any]


@dataclass(frozen=True)
class Verdict:
    """What was found of one result: how many files it has, the SHA-256 of its run.json (which names those of
    all others), and what is wrong with it, a line each.
    """

    result: str
    files: int
    sha256: str | None
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def verify(result: str, again: bool = False) -> Iterator[Verdict]:
    """The verdict on a result, or on each of those below a folder of them. `again`: those that are whole and
    unchanged are made once more by run.json alone, and compared byte by byte.

    `result`: a folder, or the URL of one. Raises ResultError where there is no such folder.
    """
    for place in _results(result):
        verdict, told = _whole(place)
        if again and verdict.ok and told is not None:
            problems = tuple(_made_again(place, told))
            verdict = Verdict(verdict.result, verdict.files, verdict.sha256, problems)
        yield verdict


@dataclass(frozen=True)
class _Place:
    """A folder anywhere that fsspec reaches."""

    url: str

    def read(self, name: str) -> bytes:
        """A small file. Raises OSError."""
        fs, root = url_to_fs(self.url)
        return bytes(fs.cat_file(f"{root.rstrip('/')}/{name}"))

    def checksum(self, name: str) -> tuple[str, int]:
        """SHA-256 and bytes of a file of any size. Raises OSError."""
        fs, root = url_to_fs(self.url)
        digest, size = hashlib.sha256(), 0
        with fs.open(f"{root.rstrip('/')}/{name}", "rb", block_size=2**20) as stream:
            while part := stream.read(2**20):
                digest.update(part)
                size += len(part)
        return digest.hexdigest(), size


def _results(result: str) -> list[_Place]:
    """The result itself; else those in the folder, also ones that are not complete."""
    folder = Path(result)
    if is_url(result) or (folder / RUN_FILE).exists():
        return [_Place(result.rstrip("/"))]
    if not folder.is_dir():
        raise ResultError(f"{result}: no such folder; name one that a run has left")
    inside = sorted(path for path in folder.rglob("*") if path.is_dir() and _could_be(path))
    return [_Place(str(path)) for path in inside or [folder]]


def _could_be(folder: Path) -> bool:
    return (folder / RUN_FILE).exists() or is_pair(folder.name)


def _whole(place: _Place) -> tuple[Verdict, Told | None]:
    """Whether all files are there and as they were written; and what run.json says, where it can be read."""
    try:
        text = place.read(RUN_FILE)
    except OSError:
        problem = f"no {RUN_FILE}: the run did not end, or the file was lost; run it again"
        return Verdict(place.url, 0, None, (problem,)), None
    digest = hashlib.sha256(text).hexdigest()
    try:
        told = json.loads(text)
        files = {str(one["href"]): (str(one["sha256"]), int(one["bytes"])) for one in told["files"]}
        problems = [*_altered(told), *_broken(place, files)]
    except (ValueError, KeyError, TypeError, AttributeError):
        problem = f"{RUN_FILE}: is not one that this version ({__version__}) writes; run it again"
        return Verdict(place.url, 0, digest, (problem,)), None
    return Verdict(place.url, len(files) + 1, digest, tuple(problems)), told


def _altered(told: Told) -> Iterator[str]:
    """run.json against its own fingerprint."""
    sides = told["before"], told["after"]
    files = {one["href"]: one["sha256"] for side in sides for one in (*side["inputs"], *side["masks"])}
    if fingerprint_of(told["groundbreak"], told, files, told["model"]) != told["fingerprint"]:
        yield f"{RUN_FILE}: what it says of inputs or settings was altered: it does not fit the fingerprint"


def _broken(place: _Place, files: Mapping[str, tuple[str, int]]) -> Iterator[str]:
    for name, (checksum, size) in files.items():
        if Path(name).is_absolute() or ".." in Path(name).parts:
            yield f"{name!r}: is not a file of the result"
            continue
        try:
            found, length = place.checksum(name)
        except OSError:
            yield f"{name}: is missing, or cannot be read"
            continue
        if length != size:
            yield f"{name}: has {length} bytes, not {size}"
        elif found != checksum:
            yield f"{name}: was altered (SHA-256 {found[:12]}…, not {checksum[:12]}…)"


def _made_again(place: _Place, told: Told) -> Iterator[str]:
    """What differs where the job is done once more."""
    if lost := [*_inputs(told)]:
        yield from lost
        return
    with TemporaryDirectory(prefix="groundbreak-") as scratch:
        out = Path(scratch) / "result"
        try:
            job = job_from(told, out)
            progress = Replay(told["created"], told["stages"])
            if "detector" in told:
                run(job, progress)
            else:
                register(job, progress, warp=any(one["href"] == "after.tif" for one in told["files"]))
        except GroundbreakError as error:
            yield f"cannot be made again: {error}"
            return
        except (ValueError, KeyError, TypeError) as error:
            yield f"{RUN_FILE}: cannot be run again by this version ({' '.join(str(error).split())[:160]})"
            return
        differing = list(_differences(told, json.loads((out / RUN_FILE).read_text(encoding="utf-8"))))
    if differing:
        yield from differing
        yield from _other_versions(told)


def _inputs(told: Told) -> Iterator[str]:
    """Images and masks that are not what they were."""
    for side in ("before", "after"):
        for then in (*told[side]["inputs"], *told[side]["masks"]):
            now = record(then["href"])
            if now == then:
                continue
            if now["bytes"] is None and then["bytes"] is not None:
                yield f"input {then['href']}: cannot be read any longer; put it back to check the result"
            else:
                yield f"input {then['href']}: is not any longer the file that was read; put that back"


def _differences(then: Told, now: Told) -> Iterator[str]:
    """Between two run.json; that versions are others is no difference of its own."""
    old, new = ({one["href"]: one["sha256"] for one in told["files"]} for told in (then, now))
    for name in sorted(old.keys() | new.keys()):
        if name not in new or name not in old:
            yield f"{name}: is {'not made' if name in old else 'made, too,'} when the job is done again"
        elif old[name] != new[name]:
            yield f"{name}: is not the same when the job is done again"
    keys = sorted(key for key in then.keys() | now.keys() if then.get(key) != now.get(key))
    if others := [key for key in keys if key not in {"versions", "files"}]:
        yield f"{RUN_FILE}: is not the same when the job is done again, in {', '.join(others)}"


def _other_versions(told: Told) -> Iterator[str]:
    now = library_versions()
    others = [
        f"{name} {version} then, {now.get(name, 'none')} now"
        for name, version in told["versions"].items()
        if now.get(name) != version
    ]
    if others:
        yield f"versions differ, which may be why: {'; '.join(others)}"
