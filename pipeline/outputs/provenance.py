"""run.json: how a result came about. It is written last, and only a folder that has it is complete."""

from __future__ import annotations

import hashlib
import json
import math
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import rasterio

from pipeline import __version__
from pipeline.digests import sha256
from pipeline.outputs.files import write_text

RUN_FILE = "run.json"
_ORDER = (
    "groundbreak", "created", "made", "site", "before", "after", "grid", "alignment", "radiometry",
    "observed", "excluded", "detector", "findings", "settings", "stages", "versions", "model", "job", "files",
)  # fmt: skip
_LIBRARIES = (
    "dask", "distributed", "geopandas", "numba", "numpy", "odc-geo", "pandas",
    "pyarrow", "pystac", "rasterio", "scikit-image", "scipy", "shapely", "xarray",
)  # fmt: skip


def file_record(path: Path, href: str | None = None) -> dict[str, Any]:
    """`{href, sha256, bytes}` of a file; `href` defaults to the path."""
    return {
        "href": href if href is not None else path.as_posix(),
        "sha256": sha256(path),
        "bytes": path.stat().st_size,
    }


def library_versions() -> dict[str, str]:
    """Versions of all that can change a result: this program, Python, the libraries, GDAL and PROJ."""
    found = {"groundbreak": __version__, "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found | {"gdal": rasterio.__gdal_version__, "proj": pyproj.proj_version_str}


def plain(value: Any) -> Any:
    """A value as JSON can hold it: numpy unwrapped, NaN and infinities null, paths and the rest as text."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    return str(value)


def json_text(value: Any) -> str:
    """Indented JSON, a line break at the end."""
    return json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def begin(folder: Path) -> None:
    """Take the mark of completeness away before anything else in `folder` is replaced."""
    (folder / RUN_FILE).unlink(missing_ok=True)


def replace_record(folder: Path, name: str, data: bytes) -> None:
    """Have run.json know a file of the result as `data`, with which it is about to be replaced."""
    path = folder / RUN_FILE
    told = json.loads(path.read_text(encoding="utf-8"))
    for record in told["files"]:
        if record["href"] == name:
            record |= {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    write_text(path, json_text(told))


def write_run(folder: Path, summary: Mapping[str, Any]) -> None:
    """Write run.json: the summary, keys in a fixed order, with checksums of all other files of the result."""
    files = sorted(p for p in folder.iterdir() if p.is_file() and p.name != RUN_FILE and p.name[0] != ".")
    record = {**summary, "files": [file_record(p, href=p.name) for p in files]}
    keys = [key for key in _ORDER if key in record] + sorted(key for key in record if key not in _ORDER)
    write_text(folder / RUN_FILE, json_text({key: record[key] for key in keys}))
