"""What mkdocs does beside turning pages into HTML: fills in what the code says, runs the tutorial, and looks
at what tutorial and notebooks have shown.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

from docs import console
from docs.generated import commands, figures, outputs, site_file

REPO = Path(__file__).parent.parent
RESULTS = REPO / "benchmarks" / "RESULTS.md"
GROWTH = "growth.svg"
TUTORIAL = "tutorial.md"
_ELSEWHERE = re.compile(
    r"<(?:script|img|iframe|source|video)\b[^>]*\bsrc=[\"']?(?:https?:)?//|<link\b[^>]*\brel=[\"']?"
    r"(?:stylesheet|preload|preconnect|icon)[^>]*\bhref=[\"']?(?:https?:)?//|@import[^;]*//|url\([\"']?(?:https?:)?//"
)
SHOWN: Mapping[str, Iterable[str]] = {
    "tutorial.html": (
        'alt="Both dates, with what was found" src="data:image/jpeg;base64,',
        "report: result/report.html",
        "report.html",
        "groundbreak: error:",
        "exit status 1",
        "1 done, 0 skipped",
        "0 done, 1 skipped",
        "(out/yard/timeline.geojson)",
    ),
    "notebooks/one_pair.html": ("MADE IMAGE", "data:image/png;base64,"),
    "notebooks/a_site_over_a_year.html": ("MADE IMAGE", "data:image/png;base64,"),
}
"""What must be on a page where commands and cells were run for it."""

_LEAVES = re.compile(r"(?<!!)\[(?P<text>[^\]]+)\]\(\.\./[^)]*\)")
_ASKED = re.compile(r"^<!-- made: (?P<name>[\w ]+) -->$", re.MULTILINE)
_MADE: Mapping[str, Callable[[], str]] = {
    "commands": commands.reference,
    "files": outputs.files,
    "run": outputs.run,
    "site file": site_file.reference,
    "template": site_file.template,
    "results": lambda: RESULTS.read_text(encoding="utf-8"),
}


def made(page: str) -> str:
    """The page with what it asks for: `<!-- made: NAME -->`, and figures. Raises KeyError."""
    text = _ASKED.sub(lambda asked: _MADE[asked["name"]](), page)
    return figures.filled(text, RESULTS.read_text(encoding="utf-8"))


def inside(page: str) -> str:
    """A page of the top folder without links that leave the documentation: the figures are a page of it, of
    other files the name stays.
    """
    return _LEAVES.sub(r"\g<text>", page.replace("](../benchmarks/RESULTS.md", "](measured/results.md"))


def placed(nav: list[Any], pages: Iterable[str]) -> list[Any]:
    """The navigation, with a section for pages that have no place in it."""
    named = str(nav)
    rest = [page for page in pages if f"'{page}'" not in named]
    return [*nav, {"More": rest}] if rest else nav


def on_config(config: Any) -> Any:
    """Gives every page of the top folder a place."""
    config.nav = placed(config.nav, sorted(page.name for page in Path(config.docs_dir).glob("*.md")))
    return config


def on_files(files: Files, config: Any) -> Files:
    """Adds the picture that the results show."""
    picture = RESULTS.with_name(GROWTH)
    files.append(File.generated(config, f"measured/{GROWTH}", abs_src_path=str(picture)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """The page as it is shown; of the tutorial, with what its commands say."""
    text = made(markdown if "/" in page.file.src_uri else inside(markdown))
    if page.file.src_uri != TUTORIAL:
        return text
    with tempfile.TemporaryDirectory(prefix="groundbreak-docs-") as folder:
        return console.with_pictures(console.filled(text, Path(folder)), Path(folder))


def lacking(name: str, page: str) -> list[str]:
    """What a page whose commands or cells were run must show, and does not."""
    return [words for words in SHOWN[name] if words not in page]


def on_post_build(config: Any) -> None:
    """Raises PluginError where a page would load something from elsewhere, or does not show what was run."""
    site = Path(config.site_dir)
    for page in sorted(site.rglob("*.html")):
        if found := _ELSEWHERE.search(page.read_text(encoding="utf-8")):
            raise PluginError(f"{page}: loads from elsewhere: {found[0][:120]}")
    for name in SHOWN:
        if words := lacking(name, (site / name).read_text(encoding="utf-8")):
            raise PluginError(
                f"{site / name}: does not show {words[0]!r}; what was run did not do as it should"
            )
