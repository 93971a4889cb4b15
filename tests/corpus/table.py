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

PROPERTIES = """## Properties

What `tests/test_properties.py` holds for scenes that hypothesis makes up, rather than for cases:

| property | how far it holds |
|---|---|
| no change in, no finding out | for the same ground under another gain (0.7 to 1.3), level and noise: none |
| moving both images moves the findings | by whole metres: as many, of the same kinds; outlines share 98 % of their ground, confidences are within 0.001. The lattice of sample windows and tiles lies elsewhere then, so no more than that |
| swapping the dates turns `new` into `removed` | the smaller outline lies within the larger to 90 %; one of both may take the shadow along, which is on the ground of one date only. Held by `classic`; the networks have learned what is built, and tell what was taken away by a layer of its own |
| any chunking, any tile split, any order of files | byte for byte, `classic` and `learned` |
| masking more never adds findings | no more of them, none on ground that is hidden, none but where there was one before. The line above which something is change follows from the unchanged pixels that are left, so confidence and outline of those that stay may move; a finding near that line could come up, on scenes other than these |
| a site file written out and read in is the same | equal in every value |
"""


def page() -> str:
    """The page's text."""
    refused = sum(case.expect.told().startswith("refused") for case in CASES)
    parts = [HEAD.format(count=len(CASES), done=len(CASES) - refused, refused=refused)]
    for group, cases in groupby(CASES, key=lambda case: case.group):
        rows = [f"| {cell(case.what)} | {cell(case.expect.told())} |" for case in cases]
        parts.append("\n".join([f"## {group}\n", "| input | outcome |", "|---|---|", *rows]) + "\n")
    parts.append(PROPERTIES)
    return "\n".join(parts)


def cell(text: str) -> str:
    """Text that stays within its cell."""
    return text.replace("|", "\\|")


if __name__ == "__main__":
    TABLE.write_text(page(), encoding="utf-8")
