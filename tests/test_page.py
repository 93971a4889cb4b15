"""What every page stands on: the policy holds in a real browser, and tests see what goes wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.outputs.page import policy, stylesheet

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SCRIPT = "document.title = 'ran';"


def page(folder: Path, body: str, css: str = "") -> Path:
    """A page under the policy, with `SCRIPT` as its own script."""
    path = folder / "page.html"
    path.write_text(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>plain</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{policy(css, SCRIPT)}">'
        f"<style>{css}</style></head>"
        f"<body><main><h1>Page</h1>{body}</main><script>{SCRIPT}</script></body></html>",
        encoding="utf-8",
    )
    return path


def test_own_style_and_script_run(chromium: Browser, tmp_path: Path) -> None:
    from browser import opened

    path = page(tmp_path, '<p class="unseen">x</p>', stylesheet())
    for theme, paper in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 22, 23)")):
        with opened(chromium, path, theme=theme) as shown:  # type: ignore[arg-type]
            assert shown.page.title() == "ran"
            ground = "getComputedStyle(document.documentElement).backgroundColor"
            assert shown.page.evaluate(ground) == paper
            assert shown.barriers() == []
            shown.check()


@pytest.mark.parametrize(
    "body",
    [
        "<script>document.title = 'hostile'</script>",
        '<p onclick="document.title = \'hostile\'" id="x">x</p><a href="#x">x</a>',
        '<img src="https://example.org/track.png" alt="">',
        '<iframe src="data:text/html,x" title="x"></iframe>',
        '<link rel="stylesheet" href="https://example.org/style.css">',
        '<p style="color: red">x</p>',
    ],
)
def test_nothing_else_runs_or_loads(chromium: Browser, tmp_path: Path, body: str) -> None:
    from browser import opened

    with opened(chromium, page(tmp_path, body)) as shown:
        if shown.page.locator("#x").count():
            shown.page.click("#x")
        assert shown.page.title() == "ran"
        assert any("Content Security Policy" in error for error in shown.errors)
        assert not shown.asked


def test_barriers_are_found(chromium: Browser, tmp_path: Path) -> None:
    from browser import opened

    with opened(chromium, page(tmp_path, '<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">')) as shown:
        assert any(line.startswith("image-alt") for line in shown.barriers())
