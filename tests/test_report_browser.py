"""report.html as a reader meets it: in Chromium, with nothing else within reach."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from outputs_fixture import BANDS, PIXEL, ground, make_findings, make_rasters, make_summary, write_cog

from pipeline.outputs.report import write_report

if TYPE_CHECKING:
    from browser import Opened
    from playwright.sync_api import Browser

ROWS, COLS = 240, 320
KINDS = ("building", "road", "earthwork", "clearing", "equipment", "other")
WAYS = ("new", "removed", "altered")
ARABIC = "المنطقة الشمالية"


def rows(count: int) -> list[dict[str, Any]]:
    """Squares of 12 pixels, 20 apart, row by row; kinds, directions, zones and sizes by turns."""
    made = []
    for i in range(count):
        row, col = divmod(i, 15)
        shape = ground(8 + 20 * row, 8 + 20 * col, 20 + 20 * row, 20 + 20 * col)
        made.append(
            {"id": i + 1, "kind": KINDS[i % 6], "direction": WAYS[i % 3],
             "confidence": round(0.95 - i / 100, 2), "area_m2": 36.0 + i, "length_m": 6.0, "width_m": 6.0,
             "zone": (ARABIC, "south", None)[i % 3], "geometry": shape}
        )  # fmt: skip
    return made


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("report")
    make_rasters(folder, ROWS, COLS)
    findings = make_findings(rows(30))
    site = {"id": "qaim", "name": "معبر القائم – Qaim crossing"}
    write_report(findings, folder, make_summary(findings, site=site))
    return folder / "report.html"


@pytest.fixture(scope="module")
def desk(chromium: Browser, report: Path) -> Iterator[Opened]:
    """One window for all tests that leave it as it was."""
    from browser import opened

    with opened(chromium, report) as shown:
        ready(shown)
        yield shown


def ready(shown: Opened) -> None:
    shown.page.wait_for_selector("html.ready", timeout=20_000)


def pixel(shown: Opened, x: float, y: float) -> list[int]:
    """The colour on the map's canvas at a share of its width and height."""
    shown.page.wait_for_timeout(120)
    told: list[int] = shown.page.evaluate(
        """([x, y]) => { const c = document.querySelector('#map-left canvas');
        return [...c.getContext('2d').getImageData(c.width * x, c.height * y, 1, 1).data].slice(0, 3); }""",
        [x, y],
    )
    return told


def listed(shown: Opened) -> list[int]:
    """The ids of findings that the list shows, in its order."""
    ids: list[int] = shown.page.evaluate(
        "[...document.querySelectorAll('#list li')].filter(i => !i.hidden).map(i => Number(i.dataset.id))"
    )
    return ids


def chosen(shown: Opened) -> int | None:
    found = shown.page.query_selector("#list li.chosen")
    return int(found.get_attribute("data-id") or 0) if found else None


def test_opens_with_no_error_and_asks_nobody(desk: Opened) -> None:
    desk.screenshot("report-desk")
    desk.check()
    assert (
        desk.page.evaluate(
            "performance.getEntriesByType('resource').filter(e => !e.name.startsWith('data:'))"
        )
        == []
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_serious_barrier(chromium: Browser, report: Path, theme: Any) -> None:
    from browser import WALL, opened

    with opened(chromium, report, WALL, theme=theme) as shown:  # tall, so that the filters are open, too
        ready(shown)
        assert shown.barriers() == []
        shown.page.click("#list li:nth-child(3) .finding")
        shown.page.check("input[value=side]", force=True)
        assert shown.barriers() == []
        shown.screenshot(f"report-{theme}", whole=True)
        shown.check()


def test_divider_shows_before_on_its_left_and_after_on_its_right(chromium: Browser, built: Path) -> None:
    from browser import opened

    with opened(chromium, built) as shown:
        ready(shown)
        shown.page.uncheck("#show-lines")
        shown.page.uncheck("#show-numbers")
        middle = 0.5, 0.3
        shown.page.locator("#divider").fill("100")
        before = pixel(shown, *middle)
        shown.page.locator("#divider").fill("0")
        after = pixel(shown, *middle)
        assert max(before) < 100 < min(after)  # dark ground, bright roof
        shown.page.locator("#divider").fill("60")
        assert pixel(shown, *middle) == before
        box = shown.page.locator("#viewer").bounding_box()
        assert box is not None
        shown.page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.7)
        shown.page.mouse.down()
        shown.page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + box["height"] * 0.7, steps=4)
        shown.page.mouse.up()
        assert float(shown.page.input_value("#divider")) == pytest.approx(20, abs=2)
        assert pixel(shown, *middle) == after


def test_fade_mixes_both_dates(chromium: Browser, built: Path) -> None:
    from browser import opened

    with opened(chromium, built) as shown:
        ready(shown)
        shown.page.uncheck("#show-lines")
        shown.page.uncheck("#show-numbers")
        shown.page.check("input[value=fade]", force=True)
        shades = []
        for value in (0, 50, 100):
            shown.page.locator("#fader").fill(str(value))
            shades.append(pixel(shown, 0.5, 0.3)[0])
        assert shades[1] == pytest.approx((shades[0] + shades[2]) / 2, abs=4)
        assert shades[0] > shades[2] + 100


def test_side_by_side_moves_together(chromium: Browser, report: Path) -> None:
    from browser import opened

    with opened(chromium, report) as shown:
        ready(shown)
        shown.page.check("input[value=side]", force=True)
        shown.page.wait_for_selector("#map-right canvas")
        shown.page.locator("#map-left").focus()
        shown.page.keyboard.press("+")
        shown.page.keyboard.press("ArrowRight")
        shown.page.wait_for_timeout(700)
        scene = """side => { const c = document.querySelector(`#map-${side} canvas`);
            return [...c.getContext('2d').getImageData(c.width / 3, c.height / 2, 200, 1).data]; }"""
        left, right = (np.array(shown.page.evaluate(scene, side), int) for side in ("left", "right"))
        # the ground is the same on both dates but for what was built; outlines are on both
        assert np.abs(left - right).mean() < 12
        assert left.std() > 10
        shown.screenshot("report-side")
        shown.check()


def ground_width(shown: Opened) -> float:
    """Metres that a screen pixel is wide, by the scale bar."""
    shown.page.wait_for_timeout(400)
    bar = shown.page.locator("#scale [class*=inner]")
    text, wide = bar.inner_text(), bar.evaluate("bar => bar.getBoundingClientRect().width")
    number, unit = text.split()
    return float(number) * {"m": 1, "km": 1000, "cm": 0.01}[unit] / float(wide)


def test_zoom_by_buttons_keys_and_wheel_keeps_the_scale_bar_true(chromium: Browser, report: Path) -> None:
    from browser import opened

    with opened(chromium, report) as shown:
        ready(shown)
        page = shown.page
        whole = ground_width(shown)
        box = page.locator("#map-left").bounding_box()
        assert box is not None
        fitting = max(COLS / (box["width"] - 16), ROWS / (box["height"] - 92))  # all of it, clear of plates
        assert whole == pytest.approx(PIXEL * fitting, rel=0.02)
        page.click("#zoom-in")
        assert ground_width(shown) == pytest.approx(whole / 2, rel=0.02)
        page.locator("#map-left").focus()
        page.keyboard.press("+")
        closer = ground_width(shown)
        assert closer < whole / 3
        page.mouse.move(box["x"] + 100, box["y"] + 200)
        page.mouse.wheel(0, -300)
        assert ground_width(shown) < closer * 0.9
        page.keyboard.press("0")
        assert ground_width(shown) == pytest.approx(whole, rel=0.02)


def test_filters_and_sorting(desk: Opened) -> None:
    from playwright.sync_api import expect

    page = desk.page
    page.click("#filter summary")
    assert listed(desk) == list(range(1, 31))
    page.uncheck("input[value=building]")
    assert listed(desk) == [i for i in range(1, 31) if (i - 1) % 6]
    page.select_option("select[name=zone]", label=ARABIC)
    assert listed(desk) == [i for i in range(1, 31) if (i - 1) % 6 == 3]
    page.click("button[type=reset]")
    expect(page.locator("#shown")).to_have_text(re.compile("^30 "))
    page.locator("input[name=confidence]").fill("0.9")
    assert listed(desk) == [1, 2, 3, 4, 5, 6]
    assert page.text_content("#shown") == "6 of 30 shown"
    page.uncheck("input[value=removed]")
    page.locator("input[name=area]").fill("40")
    assert listed(desk) == [6]
    page.click("button[type=reset]")
    page.select_option("select[name=order]", "area")
    assert listed(desk) == list(range(30, 0, -1))
    page.check("input[name=turned]")
    assert listed(desk) == list(range(1, 31))
    page.select_option("select[name=order]", "kind")
    assert [KINDS[(i - 1) % 6] for i in listed(desk)] == sorted(
        [KINDS[i % 6] for i in range(30)], reverse=True
    )
    page.click("button[type=reset]")
    expect(page.locator("#list li").first).to_have_attribute("data-id", "1")


def test_what_is_filtered_out_leaves_the_map(chromium: Browser, report: Path) -> None:
    from browser import opened

    with opened(chromium, report) as shown:
        ready(shown)
        count = """() => { const c = document.querySelector('#map-left canvas');
            const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; let n = 0;
            for (let i = 0; i < d.length; i += 4) if (d[i] === 213 && d[i + 1] === 94 && d[i + 2] === 0) n++;
            return n; }"""
        buildings = shown.page.evaluate(count)
        assert buildings > 200
        shown.page.click("#filter summary")
        shown.page.uncheck("input[value=building]")
        shown.page.wait_for_timeout(200)
        assert shown.page.evaluate(count) == 0


def test_from_the_list_to_the_map_and_back(chromium: Browser, report: Path) -> None:
    from browser import opened

    with opened(chromium, report) as shown:
        ready(shown)
        page = shown.page
        page.click("#list li[data-id='17'] .finding")
        page.wait_for_timeout(600)
        assert page.get_attribute("#list li[data-id='17'] .finding", "aria-expanded") == "true"
        assert page.evaluate("location.hash") == "#finding-17"
        # the finding lies in the middle of the map now: pointing there and clicking chooses it again
        page.keyboard.press("Escape")
        page.click("#zoom-all")
        page.wait_for_timeout(300)
        page.click("#list li[data-id='17'] .finding")
        assert chosen(shown) is None or chosen(shown) == 17
        box = page.locator("#map-left").bounding_box()
        assert box is not None
        page.click("#list li[data-id='3'] .finding")
        page.wait_for_timeout(600)
        page.mouse.click(box["x"] + box["width"] * 0.52, box["y"] + box["height"] / 2)
        assert chosen(shown) == 3
        shown.screenshot("report-finding")
        shown.check()


def test_an_address_names_a_finding(chromium: Browser, report: Path) -> None:
    from browser import opened

    with opened(chromium, f"{report.as_uri()}#finding-23") as shown:
        ready(shown)
        assert chosen(shown) == 23
        drawn = shown.page.evaluate(
            "[...document.querySelectorAll('.details canvas')].map(c => [c.width, c.height, c.ariaLabel])"
        )
        assert drawn == [
            [440, 440, f"Finding 23, removed equipment group: {side}"] for side in ("before", "after")
        ]


def test_coordinates_are_copied(chromium: Browser, report: Path) -> None:
    from browser import opened

    with opened(chromium, f"{report.as_uri()}#finding-1") as shown:
        ready(shown)
        shown.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        copied = []
        for button in shown.page.query_selector_all(".places button"):
            button.click()
            shown.page.wait_for_timeout(60)
            copied.append(shown.page.evaluate("navigator.clipboard.readText()"))
        assert re.fullmatch(r"34\.\d{6}, 41\.\d{6}", copied[0])
        assert re.fullmatch(r"34°\d\d′\d\d\.\d\d″N 41°\d\d′\d\d\.\d\d″E", copied[1])
        assert re.fullmatch(r"37S GT \d{5} \d{5}", copied[2])
        assert "Copied 37S" in (shown.page.text_content("#said") or "")


def test_with_the_keyboard_alone(chromium: Browser, report: Path) -> None:
    from browser import opened

    with opened(chromium, report) as shown:
        ready(shown)
        page, reached = shown.page, []
        focused = "(({id, className, name}) => `${id || name || className}`)(document.activeElement)"
        for _ in range(60):
            page.keyboard.press("Tab")
            reached.append(page.evaluate(focused))
            if "finding" in reached[-1]:
                break
        assert {"map-left", "divider", "zoom-in", "order", "previous"} <= set(reached)
        page.keyboard.press("Enter")
        assert chosen(shown) == 1
        page.locator("#map-left").focus()
        page.keyboard.press("n")
        page.keyboard.press("n")
        page.keyboard.press("p")
        assert chosen(shown) == 2
        assert "Finding 2: removed road" in (page.text_content("#said") or "")
        page.keyboard.press("Escape")
        assert chosen(shown) is None
        page.locator("#divider").focus()
        page.keyboard.press("Home")
        assert page.input_value("#divider") == "0"
        assert page.get_attribute("#divider", "aria-valuetext") == "0 percent before, 100 percent after"


def test_on_a_phone(chromium: Browser, report: Path) -> None:
    from browser import PHONE, opened

    with opened(chromium, report, PHONE) as shown:
        ready(shown)
        page = shown.page
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        page.tap("#list li[data-id='5'] .finding")
        page.wait_for_timeout(400)
        assert chosen(shown) == 5
        # the map stays in sight above the list
        box = page.locator("#viewer").bounding_box()
        assert box is not None
        assert -1 <= box["y"] < PHONE[1] / 2
        shown.screenshot("report-phone")
        assert shown.barriers() == []
        shown.check()


def test_on_a_wall(chromium: Browser, report: Path) -> None:
    from browser import WALL, opened

    with opened(chromium, report, WALL) as shown:
        ready(shown)
        box = shown.page.locator("#viewer").bounding_box()
        assert box is not None
        assert box["width"] > WALL[0] * 0.6
        assert box["height"] > WALL[1] * 0.8
        shown.screenshot("report-wall")


def test_without_scripts_both_images_and_the_list_are_there(chromium: Browser, report: Path) -> None:
    from browser import opened

    with opened(chromium, report, scripts=False) as shown:
        assert shown.page.locator(".still img").count() == 2
        assert all(image.is_visible() for image in shown.page.locator(".still img").all())
        assert shown.page.locator("#list li").count() == 30
        shown.screenshot("report-no-script")


def test_on_paper(chromium: Browser, report: Path) -> None:
    from browser import SCREENSHOTS, opened

    with opened(chromium, report) as shown:
        ready(shown)
        shown.page.emulate_media(media="print")
        shown.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert shown.page.locator(".still svg path.edge").count() == 2 * 30
        assert shown.page.locator(".details canvas").count() == 2 * 30
        shown.screenshot("report-paper", whole=True)
        shown.page.pdf(path=SCREENSHOTS / "report.pdf", format="A4")
        shown.page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert shown.page.locator(".still svg, .details").count() == 0


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of a dark plain on which a bright roof has come, at the middle of its upper half."""
    folder: Path = tmp_path_factory.mktemp("built")
    make_rasters(folder)
    plain = np.full((4, 80, 100), 1000, np.uint16)
    plain[:, :2, :2] = 9000
    roofed = plain.copy()
    roofed[:, 10:60, 20:80] = 8000
    for name, data in (("before", plain), ("after", roofed)):
        write_cog(folder / f"{name}.tif", data, nodata=0, names=BANDS, scale=1e-4)
    findings = make_findings()
    write_report(findings, folder, make_summary(findings))
    return folder / "report.html"
