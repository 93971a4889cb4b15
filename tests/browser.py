"""Pages in a real browser: Debian's Chromium, driven by Playwright, with no network at all.

Tests take the fixture `chromium` (of the module: a Playwright that runs has an event loop in this thread,
which other modules must not meet) and open pages with `opened`. Where there is no Chromium they are skipped,
saying so; with GROUNDBREAK_NEED_CHROMIUM set they fail. Screenshots go to `screenshots/` in the checkout,
which git ignores.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, sync_playwright

NEED = "GROUNDBREAK_NEED_CHROMIUM"
MISSING = "no Chromium here: apt-get install chromium"
SCREENSHOTS = Path(__file__).resolve().parents[1] / "screenshots"
PHONE, DESK, WALL = (390, 844), (1280, 900), (2560, 1440)
_ARGUMENTS = ["--disable-gpu", "--disable-background-networking", "--no-sandbox"]


@dataclass(frozen=True)
class Opened:
    """A page, and what went wrong on it: errors it threw or logged, addresses it asked for."""

    page: Page
    errors: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def screenshot(self, name: str, *, whole: bool = False) -> None:
        """Keep what is seen (or all of the page) as screenshots/NAME.png."""
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=whole)

    def check(self) -> None:
        """Nothing was thrown, logged as an error, or asked of the network."""
        assert not self.errors, self.errors
        assert not self.asked, self.asked

    def barriers(self) -> list[str]:
        """What axe-core finds of serious and critical barriers: `rule: elements`, a line each."""
        found: dict[str, Any] = Axe().run(self.page).response
        return [
            f"{rule['id']}: {'; '.join(str(node['html'])[:160] for node in rule['nodes'][:5])}"
            for rule in found["violations"]
            if rule["impact"] in ("serious", "critical")
        ]


def program() -> str | None:
    """Where Chromium is; None where it is not installed."""
    return shutil.which("chromium")


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """Chromium without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=_ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def opened(
    browser: Browser,
    address: Path | str,
    size: tuple[int, int] = DESK,
    theme: Literal["light", "dark"] = "light",
    *,
    scripts: bool = True,
) -> Iterator[Opened]:
    """A file, or an address on this machine, in a new window of `size` (width, height); all else is out of
    reach. A phone's width is a phone: touch, and two pixels to one.
    """
    phone = size[0] < 600
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=theme, java_script_enabled=scripts,
        reduced_motion="reduce", has_touch=phone, device_scale_factor=2 if phone else 1,
    )  # fmt: skip
    target = address.absolute().as_uri() if isinstance(address, Path) else address
    shown = Opened(context.new_page())

    def gate(route: Route) -> None:
        url = route.request.url
        if url.startswith(("file:", "http://127.0.0.1")):
            route.continue_()
        else:
            shown.asked.append(url)
            route.abort()

    context.route("**/*", gate)
    shown.page.on("pageerror", lambda error: shown.errors.append(str(error)))
    shown.page.on("console", lambda told: shown.errors.append(told.text) if told.type == "error" else None)
    shown.page.goto(target, wait_until="load")
    try:
        yield shown
    finally:
        context.close()
