"""What matters for a report of a bug: versions, the machine, GDAL, the weights; and whether a small pair is
compared as it should be. Names of settings that may hold a secret are told, their values never.
"""

from __future__ import annotations

import importlib.metadata
import locale
import os
import platform
import shutil
import sys
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
import rasterio
from dask.system import CPU_COUNT

from pipeline.errors import GroundbreakError
from pipeline.outputs.provenance import library_versions

_MORE_LIBRARIES = ("onnxruntime", "pillow", "pydantic", "pyogrio", "pyproj", "rich", "typer")
_SHIPPED = {"fine.onnx", "trees.npz", "weights.json"}
_WEIGHTS = (".onnx", ".npz", ".json")
_DRIVERS = ("COG", "GTiff", "JP2OpenJPEG", "JPEG", "PNG", "NITF", "VRT")
_SETTINGS = (
    "AWS_",
    "AZURE_",
    "CPL_",
    "CURL_",
    "DASK_",
    "GDAL_",
    "GROUNDBREAK_",
    "GS_",
    "OSS_",
    "PROJ_",
    "VSI_",
)
_NETWORK = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
_LEAST_DISK, _LEAST_MEMORY = 1e9, 1e9  # bytes: what a small comparison takes
Facts = dict[str, Any]


@dataclass
class Examined:
    """Facts by section, and what is wrong, a line each with its mend."""

    facts: dict[str, Facts] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def examine(out: Path, scheduler: str | None = None, *, test: bool = False) -> Examined:
    """Look at everything that a comparison needs here, writing to `out`.

    scheduler: the address of a Dask scheduler to be asked. test: compare a made pair too. What fails is a
    problem among the others, never raised.
    """
    found = Examined()
    looks: dict[str, Callable[[], Iterator[str]]] = {}

    def section(name: str, look: Callable[[Facts], Iterator[str]]) -> None:
        looks[name] = lambda: look(found.facts.setdefault(name, {}))

    section("versions", _versions)
    section("machine", lambda facts: _machine(facts, out))
    section("weights", _weights)
    section("drivers", _drivers)
    section("environment", _environment)
    if scheduler is not None:
        section("scheduler", lambda facts: _scheduler(facts, scheduler))
    if test:
        section("test", _self_test)
    for name, look in looks.items():
        try:
            found.problems += look()
        except Exception as error:  # a look that fails is what is looked for
            found.problems.append(f"{name}: {type(error).__name__}: {' '.join(str(error).split())}")
    return found


def _versions(facts: Facts) -> Iterator[str]:
    facts |= library_versions()
    for name in _MORE_LIBRARIES:
        try:
            facts[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            yield f"{name} is not installed; install groundbreak again"
    facts["installed in"] = str(Path(str(files("pipeline"))).parent)


def _machine(facts: Facts, out: Path) -> Iterator[str]:
    memory = psutil.virtual_memory()
    folder = next(place for place in (out.absolute(), *out.absolute().parents) if place.exists())
    disk = shutil.disk_usage(folder)
    facts |= {
        "system": platform.platform(),
        "processor": platform.machine(),
        "cores": CPU_COUNT,
        "memory_bytes": memory.total,
        "memory_free_bytes": memory.available,
        "out": str(out),
        "out_free_bytes": disk.free,
        "out_writable": os.access(folder, os.W_OK),
    }
    if not facts["out_writable"]:
        yield f"{folder}: cannot be written to; choose another --out"
    if disk.free < _LEAST_DISK:
        yield f"{folder}: {disk.free / 1e6:.0f} MB free; free some, or choose another --out"
    if memory.available < _LEAST_MEMORY:
        yield f"only {memory.available / 1e6:.0f} MB of memory free; end other programs"


def _weights(facts: Facts) -> Iterator[str]:
    """Each file of weights by its checksum, as the installation recorded it, where it did."""
    recorded = dict(_recorded())
    for path in sorted(Path(str(files("pipeline.stages"))).rglob("*")):
        if path.suffix not in _WEIGHTS:
            continue
        digest = sha256(path.read_bytes()).hexdigest()
        facts[path.name] = f"sha256:{digest[:16]}, {path.stat().st_size} bytes"
        if recorded.get(path.name, digest) != digest:
            yield f"{path}: not as it was installed; install groundbreak again"
    for name in sorted(_SHIPPED - set(facts)):
        yield f"{name}: no such weights; install groundbreak again"


def _recorded() -> Iterator[tuple[str, str]]:
    """Name and SHA-256 of the files that a wheel brought; an editable installation has none."""
    for file in importlib.metadata.files("groundbreak") or []:
        if file.suffix in _WEIGHTS and file.hash is not None and file.hash.mode == "sha256":
            digest = urlsafe_b64decode(file.hash.value + "=" * (-len(file.hash.value) % 4)).hex()
            yield file.name, digest


def _drivers(facts: Facts) -> Iterator[str]:
    with rasterio.Env() as env:
        there = env.drivers()
    facts["raster"] = [name for name in _DRIVERS if name in there]
    for name in _DRIVERS:
        if name not in there:
            yield f"GDAL has no driver {name}; install rasterio from its own wheels (pip install rasterio)"


def _environment(facts: Facts) -> Iterator[str]:
    facts |= {
        "locale": ".".join(part or "?" for part in locale.getlocale()),
        "file_names": sys.getfilesystemencoding(),
        "output": getattr(sys.stdout, "encoding", None),
        "settings": sorted(_settings(os.environ)),
    }
    if "utf" not in facts["file_names"].lower():
        yield f"file names are {facts['file_names']}; set PYTHONUTF8=1"


def _settings(environment: Mapping[str, str]) -> Iterator[str]:
    """Names of variables that change how images are read or work is done."""
    for name in environment:
        if name.upper() in _NETWORK or name.startswith(_SETTINGS):
            yield name


def _scheduler(facts: Facts, address: str) -> Iterator[str]:
    from pipeline.cluster import connect
    from pipeline.compute import worker_count

    facts["address"] = address
    try:
        with connect(address):
            facts["threads"] = worker_count()
    except GroundbreakError as error:
        yield str(error)


def _self_test(facts: Facts) -> Iterator[str]:
    """Compare a made pair, buildings on the steppe, and look for what was built."""
    from pipeline.config import Settings
    from pipeline.evaluate import evaluate
    from pipeline.job import Job
    from pipeline.progress import Progress
    from pipeline.run import run
    from pipeline.scenes import describe
    from pipeline.simulate.pair import PairStyle, simulate_pair

    with TemporaryDirectory(prefix="groundbreak-doctor-") as scratch:
        folder, progress = Path(scratch), Progress()
        simulate_pair(
            folder, seed=7, size=256, resolution=0.5, style=PairStyle(works=("building", "building"))
        )
        before, after = (tuple(describe(folder / name)) for name in ("before", "after"))
        job = Job("doctor", "Self-test", folder / "result", before, after, Settings())
        run(job, progress)
        scores = evaluate(folder / "result", folder / "truth.geojson")["objects"]
        facts |= {"built": scores["things"], "found": scores["found"], "false": scores["false"]}
        facts["seconds"] = round(sum(stage["seconds"] for stage in progress.stages.values()), 1)
        if scores["found"] < scores["things"]:
            yield f"self-test: {scores['found']} of {scores['things']} made buildings found; report a bug"
