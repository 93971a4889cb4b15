"""The documentation: what is made from the code says what the code says; commands of pages are run.

`make docs`, which CI calls, runs those of the tutorial and the cells of the notebooks.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from docs import console, hooks
from docs.generated import commands, figures, outputs, site_file
from pipeline import __version__
from pipeline.config.schema import SiteFile
from pipeline.outputs import style
from pipeline.outputs.vectors import COLUMNS as FINDING
from pipeline.stages.track import COLUMNS as FOLLOWED
from pipeline.stages.track import PHASES

DOCS = Path(hooks.__file__).parent
PAGES = sorted(DOCS.rglob("*.md"))
NOTEBOOKS = sorted((DOCS / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_all_that_a_page_asks_for_is_there(page: Path) -> None:
    text = hooks.made(page.read_text(encoding="utf-8"))
    assert not re.search(r"<!-- (?:made|figures):", text)


def test_links_that_leave_the_documentation_are_text() -> None:
    page = "see [figures](../benchmarks/RESULTS.md#scale), [the card](../pipeline/CARD.md), [it](alerts.md)"
    assert hooks.inside(page) == "see [figures](measured/results.md#scale), the card, [it](alerts.md)"


def test_figures_come_with_the_day_they_were_measured() -> None:
    head = "# All\n\n## one: first\n\n2026-01-02 03:04 UTC, commit ab12; Linux\n\n"
    results = f"{head}### A\n\n| x |\n| --- |\n| 7 |\n\n### B\n\n"
    page = figures.filled("before\n\n<!-- figures: one / A -->\n\nafter", results)
    assert page.splitlines()[2:5] == ["| x |", "| --- |", "| 7 |"]
    assert "section `one`: 2026-01-02 03:04 UTC, commit ab12.*" in page
    with pytest.raises(KeyError, match="### C"):
        figures.filled("<!-- figures: one / C -->", results)


def column_names(page: str, head: str) -> list[str]:
    """First column of the table that is headed so."""
    rows = page.partition(f"| {head} | ")[2].partition("\n\n")[0].splitlines()[2:]
    return [row.split("|")[1].strip(" `") for row in rows]


def test_every_column_is_described() -> None:
    page = (DOCS / "reference" / "outputs.md").read_text(encoding="utf-8")
    assert column_names(page, "finding") == list(FINDING)
    assert column_names(page, "thing") == list(FOLLOWED)
    assert column_names(page, "look") == ["id", "date", "observed", "present", "area_m2"]
    assert ", ".join(f"`{kind}`" for kind in style.KINDS) in page
    assert ", ".join(f"`{phase}`" for phase in PHASES) in page


def test_every_key_of_run_json_is_described() -> None:
    rows = [line.split("|")[1:3] for line in outputs.run().splitlines()[2:]]
    assert all(meaning.strip() for _, meaning in rows)
    keys = [key.strip(" `") for key, _ in rows]
    assert {"alignment.residual_px", "observed.both", "files[].sha256", "stages[].peak_mb"} <= set(keys)


def test_every_key_of_a_site_file_is_described() -> None:
    text = site_file.reference()
    heads = re.findall(r"^## `?(.*?)`?$", text, re.MULTILINE)
    assert heads[0] == "All keys"
    assert {"source[].stac", "alerts[].to[]", "flag", "track", "compute"} <= set(heads)
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert len(rows) > len(SiteFile.model_fields) + 40
    assert all(line.rsplit("|", 2)[1].strip() for line in rows)
    assert "| `min_visible` | number | `0.3` | ≥ 0, ≤ 1 | share of the aoi" in text
    assert "| `id` | text | **required** |" in text
    assert "| `at` | list of number |" in text
    assert "| `kernel` | `nearest`, `bilinear`, `cubic`, `lanczos` | `cubic` |" in text


def test_every_command_is_there_with_its_options() -> None:
    text = commands.reference()
    assert set(re.findall(r"^## (\w+)$", text, re.MULTILINE)) >= {
        "compare",
        "run",
        "monitor",
        "check",
        "init",
    }
    assert "`--chunk-size PX`" in text
    assert "groundbreak compare 2019-09-09.tif 2019-09-21.tif --out result" in text
    assert "[bold]" not in text


def pages_of(nav: Any) -> Iterator[str]:
    if isinstance(nav, str):
        yield nav
    for part in nav.values() if isinstance(nav, dict) else nav if isinstance(nav, list) else ():
        yield from pages_of(part)


def test_every_page_has_its_place() -> None:
    nav = yaml.safe_load((DOCS.parent / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    there = {page.relative_to(DOCS).as_posix() for page in (*PAGES, *DOCS.rglob("*.ipynb"))}
    assert set(pages_of(nav)) <= there
    assert all("/" not in page for page in there - set(pages_of(nav)))  # those are given one:
    assert hooks.placed([{"A": "a.md"}], ["a.md", "b.md"]) == [{"A": "a.md"}, {"More": ["b.md"]}]
    assert hooks.placed([{"A": "a.md"}], ["a.md"]) == [{"A": "a.md"}]


def test_commands_of_a_page_are_run_and_must_succeed(tmp_path: Path) -> None:
    page = "# A\n\n```console\n$ groundbreak --version\n$ pwd; echo told >&2\n```\n"
    shown = console.filled(page, tmp_path).splitlines()
    assert shown[2:4] == ["```console", "$ groundbreak --version"]
    assert shown[4] == f"groundbreak {__version__}"
    assert shown[5:] == ["", "$ pwd; echo told >&2", str(tmp_path), "told", "```"]
    with pytest.raises(console.CommandFailedError, match="groundbreak compare nowhere"):
        console.filled("```console\n$ groundbreak compare nowhere nowhere\n```", tmp_path)


def test_paths_below_the_folder_are_told_as_seen_from_there(tmp_path: Path) -> None:
    assert console.output('echo "$PWD/result"', tmp_path) == "result\n"


def test_a_picture_that_commands_left_is_in_the_page(tmp_path: Path) -> None:
    Image.new("RGB", (2000, 10), "red").save(tmp_path / "a.png")
    shown = console.with_pictures("<!-- picture: a.png A thing -->", tmp_path)
    head = "![A thing](data:image/jpeg;base64,"
    assert shown.startswith(head)
    with Image.open(BytesIO(b64decode(shown.removeprefix(head).removesuffix(")")))) as image:
        assert image.size == (console.WIDTH, 6)


def test_pages_whose_commands_did_not_do_as_they_should_are_seen() -> None:
    """`make docs` runs the commands and cells, and looks at the pages by this; CI makes the documentation."""
    assert set(hooks.SHOWN) == {"tutorial.html", *(f"notebooks/{path.stem}.html" for path in NOTEBOOKS)}
    whole = "<img alt='x'>".join(hooks.SHOWN["tutorial.html"])
    assert hooks.lacking("tutorial.html", whole) == []
    assert hooks.lacking("tutorial.html", whole.replace("1 skipped", "1 failed")) == ["0 done, 1 skipped"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs(path: Path) -> None:
    cells = [
        cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"
    ]
    assert cells
    assert not any(cell["outputs"] or cell["execution_count"] for cell in cells)
