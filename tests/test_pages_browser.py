"""Site pages and the index in a real browser: scrubber, links, keys, phone, dark; no network, no barrier."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from pages_site import DAYS, HOSTILE, monitored, write_result

from pipeline.pages import write_index, write_site_page

if TYPE_CHECKING:
    from browser import Opened
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sites, one followed and one not."""
    folder = tmp_path_factory.mktemp("pages")
    with pytest.MonkeyPatch.context() as patch:
        monitored(patch, folder)
    plot = folder / "out" / "plot"
    write_result(plot / f"{DAYS[0]}_{DAYS[1]}", DAYS[0], DAYS[1], "Plot", built=False, report=True)
    write_site_page(plot)
    write_index(folder / "out")
    return folder / "out"


@pytest.fixture
def site(chromium: Browser, out: Path) -> Iterator[Opened]:
    from browser import opened

    with opened(chromium, out / "yard" / "index.html") as shown:
        yield shown
        shown.check()


def shown_date(site: Opened) -> tuple[str, str, bool]:
    """Of picture, stamp; and whether the picture is there."""
    image = site.page.locator("#image")
    whole = image.evaluate("async (one) => { await one.decode(); return one.naturalWidth === 100; }")
    return Path(str(image.get_attribute("src"))).stem, site.page.inner_text("#stamp"), bool(whole)


def test_the_scrubber_runs_through_the_dates(site: Opened) -> None:
    page = site.page
    assert shown_date(site) == (DAYS[-1], "3 October 2019", True)
    assert page.locator(".outline").first.is_visible()
    page.locator("#runner").focus()
    page.keyboard.press("Home")
    assert shown_date(site) == (DAYS[0], "20 August 2019", True)
    assert page.locator("#runner").get_attribute("aria-valuetext") == "20 August 2019"
    assert not page.locator(".outline").first.is_visible()  # nothing stood there yet
    page.keyboard.press("ArrowRight")
    assert shown_date(site)[:2] == (DAYS[1], "9 September 2019")
    assert page.locator(".outline.fresh").count() == 1
    assert page.locator(".now").inner_text().startswith("9 September 2019")
    assert "1 building" in page.locator(".now").inner_text()
    page.click("#on")
    assert shown_date(site)[0] == DAYS[2]
    page.click("#back")
    page.click(f"#days button:has-text('{DAYS[0]}')")
    assert shown_date(site)[0] == DAYS[0]
    assert page.locator("#days [aria-current]").inner_text() == DAYS[0]
    site.screenshot("site")


def test_the_dates_play_and_stop(site: Opened) -> None:
    page = site.page
    page.click("#play")
    assert shown_date(site)[0] == DAYS[0]
    page.locator(f"#days [aria-current]:has-text('{DAYS[1]}')").wait_for()
    page.click("#play")
    assert page.locator("#play").get_attribute("aria-pressed") == "false"
    stopped = shown_date(site)
    page.wait_for_timeout(1200)
    assert shown_date(site) == stopped


def test_a_finding_in_the_list_is_chosen_on_the_picture_and_back(site: Opened) -> None:
    page = site.page
    page.click(f"#days button:has-text('{DAYS[0]}')")
    page.locator("#things .tag").first.press("Enter")
    assert shown_date(site)[0] == DAYS[1]  # on that date it is not there: the first that shows it
    assert page.locator(".outline.chosen").count() == 1
    page.locator("#things .tag").first.press("Enter")
    assert page.locator(".outline.chosen").count() == 0
    page.locator(".outline .casing").first.dispatch_event("click")
    assert page.locator("#things tr.chosen").count() == 1
    page.uncheck("#filters input[value=confirmed]")
    assert not page.locator("#things tbody tr").first.is_visible()


def test_links_lead_to_reports_and_between_pages(chromium: Browser, out: Path) -> None:
    from browser import opened

    with opened(chromium, out / "index.html") as shown:
        page = shown.page
        assert page.locator("#sites tbody tr").count() == 2
        page.locator("#sites a").first.press("Enter")
        assert page.locator("h1").inner_text() == HOSTILE
        assert "hostile" not in page.title().split()[0]
        page.locator("#things a").first.click()
        assert page.url.endswith(f"{DAYS[0]}_{DAYS[1]}/report.html")
        page.go_back()
        page.locator(".brand a").click()
        assert page.url.endswith("out/index.html")
        shown.check()


def test_the_index_sorts_and_its_map_leads_on(chromium: Browser, out: Path) -> None:
    from browser import opened

    with opened(chromium, out / "index.html") as shown:
        page = shown.page

        def order() -> list[str]:
            return [str(row.get_attribute("id")) for row in page.locator("#sites tbody tr").all()]

        assert order() == ["site-yard", "site-plot"]
        page.locator("[data-key=name]").press("Enter")
        assert order() == ["site-plot", "site-yard"]
        assert page.locator("th:has([data-key=name])").get_attribute("aria-sort") == "ascending"
        page.locator("[data-key=phase]").click()
        page.locator("[data-key=phase]").click()
        assert order() == ["site-yard", "site-plot"]  # what has no phase is last both ways
        page.locator(".pin").first.focus()
        page.keyboard.press("Enter")
        assert "#site-" in page.url  # both lie at one place
        shown.screenshot("index", whole=True)
        shown.check()


@pytest.mark.parametrize("name", ["index.html", "yard/index.html", "plot/index.html"])
@pytest.mark.parametrize(("width", "theme"), [("desk", "light"), ("phone", "dark"), ("phone", "light")])
def test_pages_have_no_barrier_at_any_width_in_any_light(
    chromium: Browser, out: Path, name: str, width: str, theme: Literal["light", "dark"]
) -> None:
    from browser import DESK, PHONE, opened

    with opened(chromium, out / name, DESK if width == "desk" else PHONE, theme) as shown:
        assert shown.barriers() == []
        wide = shown.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0
        shown.screenshot(f"{name.replace('/', '-').removesuffix('.html')}-{width}-{theme}", whole=True)
        shown.check()


def test_without_scripts_the_last_date_and_all_links_are_there(chromium: Browser, out: Path) -> None:
    from browser import opened

    with opened(chromium, out / "yard" / "index.html", scripts=False) as shown:
        assert shown.page.locator("#image").get_attribute("src") == f"frames/{DAYS[-1]}.jpg"
        assert shown.page.locator("#dates a").count() == 5
