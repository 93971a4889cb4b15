"""The weights that ship with the package, each checked when it is read against the list of their checksums.

`python -m pipeline.shipped` writes that list anew, after weights were made again. It has the format of
sha256sum, which can check it too.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path

from pipeline.errors import ModelError

ROOT = Path(__file__).parent
SUMS = ROOT / "weights.sha256"
_WEIGHTS = ("stages/detect/learned/*.onnx", "stages/detect/coarse/*.npz", "stages/flag/*.json")


def shipped_weights(name: str) -> bytes:
    """Contents of a file of weights, by its path in the package. Raises ModelError where it is not there, or
    not the one that belongs to this version.
    """
    path = ROOT / name
    if not path.is_file():
        raise ModelError(f"{path}: these weights belong to Groundbreak and are not there; install it again")
    content = path.read_bytes()
    if sha256(content).hexdigest() != checksums().get(name):
        raise ModelError(
            f"{path}: not the weights that belong to this version (by their SHA-256); install Groundbreak"
            " again, or, if you made them yourself, run: python -m pipeline.shipped"
        )
    return content


@cache
def checksums() -> dict[str, str]:
    """SHA-256 of all weights by their path in the package, as listed."""
    lines = SUMS.read_text(encoding="utf-8").splitlines()
    return {name: checksum for checksum, name in (line.split("  ", 1) for line in lines)}


def listed() -> str:
    """The list as it should be, for the files that are there."""
    names = sorted(path.relative_to(ROOT).as_posix() for pattern in _WEIGHTS for path in ROOT.glob(pattern))
    return "".join(f"{sha256((ROOT / name).read_bytes()).hexdigest()}  {name}\n" for name in names)


def write_list() -> None:
    """After weights were made again."""
    SUMS.write_text(listed(), encoding="utf-8")
    checksums.cache_clear()


if __name__ == "__main__":
    write_list()
    print(listed(), end="")
