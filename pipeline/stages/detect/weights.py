"""Which weights a detector's answer follows from."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from pipeline.stages.detect.choice import ONNX

_PACKAGES = ("learned", "coarse")
_WEIGHTS = (".onnx", ".npz", ".json")


def checksums(detector: str) -> dict[str, str]:
    """SHA-256 of every file of weights that may be used, by name; a model that is not there has none."""
    if detector == "classic":
        return {}
    if detector.startswith(ONNX):
        paths = [Path(detector.removeprefix(ONNX))]
    else:
        root = Path(str(files("pipeline.stages.detect")))
        paths = sorted(p for name in _PACKAGES for p in (root / name).glob("*") if p.suffix in _WEIGHTS)
    return {path.name: _checksum(path, path.stat().st_mtime_ns) for path in paths if path.is_file()}


@lru_cache(maxsize=64)
def _checksum(path: Path, changed: int) -> str:
    """Read once, for as long as it stays as it is."""
    del changed
    return sha256(path.read_bytes()).hexdigest()
