"""What every benchmark is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """`scratch`: a folder for results; `quick`: fewer cases; `large`: the costly ones too; `cycles`: of soak,
    where they are not as many as usual.
    """

    scratch: Path
    quick: bool = False
    large: bool = False
    cycles: int | None = None
