"""Writes docs/robustness.md: python tests/corpus/table.py."""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from corpus import CASES

TABLE = Path(__file__).parents[2] / "docs" / "robustness.md"
HEAD = """# Bad and odd input

What happens to input that is broken, wrong, or only unusual. Each row is a case of the corpus (`tests/corpus/`), made on
the spot and walked by `tests/test_corpus.py`: two images of 96 x 96 pixels, of which the later one shows a new
building, with one thing changed. Either the right result comes, checked for its findings, for what is observed and for
values that are no numbers; or one line on standard error that holds the words below, exit status 1, and no file left
behind. *This page is written by `python tests/corpus/table.py`; a test holds it to the corpus.*

{count} cases: {done} that are done, {refused} that are refused.
"""


def page() -> str:
    """The page's text."""
    refused = sum(case.expect.told().startswith("refused") for case in CASES)
    parts = [HEAD.format(count=len(CASES), done=len(CASES) - refused, refused=refused)]
    for group, cases in groupby(CASES, key=lambda case: case.group):
        rows = [f"| {cell(case.what)} | {cell(case.expect.told())} |" for case in cases]
        parts.append("\n".join([f"## {group}\n", "| input | outcome |", "|---|---|", *rows]) + "\n")
    return "\n".join(parts)


def cell(text: str) -> str:
    """Text that stays within its cell."""
    return text.replace("|", "\\|")


if __name__ == "__main__":
    TABLE.write_text(page(), encoding="utf-8")
