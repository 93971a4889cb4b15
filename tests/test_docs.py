"""The documentation: what is made from the code says what the code says, and the tutorial's commands run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs import console, hooks
from docs.generated import commands, figures, outputs, site_file
from pipeline.config.schema import SiteFile
from pipeline.outputs import style
from pipeline.outputs.vectors import COLUMNS as FINDING
from pipeline.stages.track import COLUMNS as FOLLOWED
from pipeline.stages.track import PHASES

DOCS = Path(hooks.__file__).parent
PAGES = sorted(DOCS.rglob("*.md"))


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


def test_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    page = console.filled((DOCS / "tutorial.md").read_text(encoding="utf-8"), tmp_path)
    shown = console.with_pictures(page, tmp_path)
    assert "![Both dates, with what was found](data:image/jpeg;base64," in shown
    assert "<!-- picture" not in shown
    assert (tmp_path / "result" / "report.html").is_file()
    assert (tmp_path / "out" / "yard" / "timeline.geojson").is_file()
    assert not (tmp_path / "refused").exists()
    assert "report: result/report.html" in page
    assert "groundbreak: error:" in page
    assert "1 skipped" in page
    assert str(tmp_path) not in page
    with pytest.raises(console.CommandFailedError, match="groundbreak compare nowhere"):
        console.filled("```console\n$ groundbreak compare nowhere nowhere\n```", tmp_path)
