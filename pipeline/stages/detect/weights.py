"""Which weights a result follows from: the detector's, and those by which what it finds is judged."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from pipeline import shipped
from pipeline.stages.detect.choice import ONNX

_DETECTORS = "stages/detect/"


def checksums(detector: str) -> dict[str, str]:
    """SHA-256 of every file of weights that may be used, by its path in the package; of a user's model by
    name. One that is not there has none.
    """
    every = shipped.checksums()
    if detector == "classic" or detector.startswith(ONNX):
        every = {name: checksum for name, checksum in every.items() if not name.startswith(_DETECTORS)}
    model = Path(detector.removeprefix(ONNX))
    if detector.startswith(ONNX) and model.is_file():
        status = model.stat()
        every = every | {
            model.name: _checksum(model, (status.st_size, status.st_mtime_ns, status.st_ctime_ns))
        }
    return dict(every)


@lru_cache(maxsize=64)
def _checksum(path: Path, state: tuple[int, ...]) -> str:
    """Read once, for as long as it stays as it is."""
    del state
    return sha256(path.read_bytes()).hexdigest()
