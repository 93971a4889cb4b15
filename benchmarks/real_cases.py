"""Which real pairs there are under ../shared/real."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path


@dataclass(frozen=True)
class Case:
    """Two dates of one place. `truth` is the folder that score.py reads; naip_quiet's holds no truth.tif."""

    name: str
    before: Path
    after: Path
    dates: tuple[str, str]
    truth: Path


def cases(folder: Path) -> Iterator[Case]:
    """Every folder of a set, by name."""
    for path in sorted(p for p in folder.iterdir() if p.is_dir()):
        told = json.loads((path / "case.json").read_text(encoding="utf-8"))
        yield Case(path.name, path / "before", path / "after", (told["before"], told["after"]), path)


def dates(folder: Path) -> Iterator[Case]:
    """All pairs of dates, the successive ones first."""
    images = sorted(folder.glob("*.tif"))
    pairs = sorted(combinations(range(len(images)), 2), key=lambda ij: (ij[1] - ij[0] > 1, ij))
    for before, after in ((images[i], images[j]) for i, j in pairs):
        yield Case(f"{before.stem}_{after.stem}", before, after, (before.stem, after.stem), folder)
