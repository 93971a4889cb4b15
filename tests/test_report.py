"""report.html: whole in itself, safe with any name, and saying what it must."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from outputs_fixture import BUILT, ground, make_findings, make_rasters, make_summary, write_cog

from pipeline.outputs.embed import Frame, chip, svg_path
from pipeline.outputs.picture import read_comparison
from pipeline.outputs.report import render
from pipeline.outputs.shiftplot import read_shift

EVIL = "<script>alert('x')</script>\" onload=\"alert(1)"


class Page(HTMLParser):
    """Every tag with its attributes, and all text by the tag it stands in."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        where = self.open[-1] if self.open else ""
        self.texts[where] = self.texts.get(where, "") + data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("result")
    make_rasters(path)
    return path


@pytest.fixture(scope="module")
def html(folder: Path) -> str:
    return render(make_findings(), folder, make_summary(make_findings()))


def test_page_loads_nothing_from_anywhere(html: str) -> None:
    for tag, attrs in Page(html).tags:
        for name in ("src", "href", "srcset", "action", "data", "poster", "xlink:href"):
            value = attrs.get(name)
            if value:
                fine = value.startswith(("data:image/", "#")) or (
                    tag == "a" and re.fullmatch(r"[\w.]+", value)
                )
                assert fine, (tag, name, value[:60])
    assert "@import" not in html
    assert "url(http" not in html
    assert len(html) < 10_000_000


def test_policy_allows_only_the_pages_own_style_and_script(html: str) -> None:
    page = Page(html)
    policy = next(
        tag["content"] for tag in page.all("meta") if tag.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    for tag in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(page.texts[tag].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert not any("style" in attrs or any(n.startswith("on") for n in attrs) for _, attrs in page.tags)


def test_names_from_the_user_are_text(folder: Path) -> None:
    findings = make_findings()
    findings.loc[0, "zone"] = EVIL
    page = Page(render(findings, folder, make_summary(findings, site={"id": "x", "name": EVIL})))
    assert len(page.all("script")) == 1
    assert EVIL in page.texts["h1"]
    assert EVIL in page.texts["bdi"]
    assert not any(name == "onload" for _, attrs in page.tags for name in attrs)


def test_made_images_are_marked_and_only_these(folder: Path, html: str) -> None:
    assert html.count("MADE IMAGE") >= 4
    assert "simulated, not a photograph" in html
    real = render(make_findings(), folder, make_summary(make_findings(), made=False))
    assert "MADE IMAGE" not in real


def test_page_says_what_was_found_and_how_far_to_trust_it(html: str) -> None:
    found = ("Imam Ali compound, Boukamal", "2 changes found", "9 September 2019", "12 days")
    trust = ("2.91", "0.08", "53 tie points", "neither changed nor unchanged", "1.5\u202fm", "IR-MAD")
    for text in found + trust:
        assert text in html, text


def test_page_names_a_fallback_and_a_surface(folder: Path) -> None:
    findings = make_findings()
    told = make_summary(findings)["radiometry"] | {
        "method": "robust-regression", "reason": "2 band(s) are too few for IR-MAD", "surface": "in red",
    }  # fmt: skip
    told["bands"]["red"]["surface"] = {"order": 2}
    html = render(findings, folder, make_summary(findings, radiometry=told))
    assert "stands in for IR-MAD" in html
    assert "too few for IR-MAD" in html
    assert "surface, for haze and view angle, was taken out in red" in html


def test_page_names_ground_that_was_left_out(folder: Path, html: str) -> None:
    assert "Nothing was looked for" not in html
    told = {"areas": ["quarry", EVIL], "share": 0.125}
    page = render(make_findings(), folder, make_summary(make_findings(), excluded=told))
    assert re.search(r"Nothing was looked for in quarry and &lt;script&gt;.*: 12.5.% of the ground", page)


def test_every_finding_has_an_outline_a_number_a_row_and_a_close_up(html: str) -> None:
    page = Page(html)
    ids = [attrs["data-id"] for tag, attrs in page.tags if "data-id" in attrs]
    assert sorted(ids) == ["1"] * 4 + ["2"] * 4
    images = [attrs for attrs in page.all("image") if (attrs.get("href") or "").startswith("data:image/jpeg")]
    assert len(images) == 2 + 2 * 2
    assert all(attrs.get("aria-label") for attrs in page.all("svg") if attrs.get("role") == "img")


def test_outline_lies_on_its_pixels(folder: Path) -> None:
    r0, c0, r1, c1 = BUILT
    shape = Frame.of(read_comparison(folder, 1600)).pixels(ground(*BUILT))
    assert shape.bounds == pytest.approx((c0, r0, c1, r1), abs=1e-6)
    assert svg_path(shape).startswith("M")
    assert svg_path(shapely.box(0, 0, 2, 1)).count("L") == 3


def test_close_up_shows_the_finding_in_its_middle(folder: Path) -> None:
    found = chip(folder, read_comparison(folder, 1600), ground(*BUILT))
    numbers = np.array(re.findall(r"[\d.]+", found.path), float).reshape(-1, 2)
    middle = (numbers.min(axis=0) + numbers.max(axis=0)) / 2
    assert (found.width, found.height) == (72, 72)
    assert middle[0] == pytest.approx(36, abs=1)
    # 28 is the middle of the rows, and 72 rows around it would stick out of the top: the window stays inside
    assert middle[1] == pytest.approx(28, abs=1)


def test_more_findings_than_close_ups(folder: Path) -> None:
    rows = [
        {"id": i + 1, "kind": "road", "direction": "new", "confidence": 0.9 - i / 100, "area_m2": 4.0,
         "length_m": 4.0, "width_m": 1.0, "zone": None, "geometry": ground(i, 2, i + 1, 9)}
        for i in range(45)
    ]  # fmt: skip
    findings = make_findings(rows)
    page = Page(render(findings, folder, make_summary(findings)))
    assert sum("outline" in (attrs.get("class") or "") for attrs in page.all("g")) == 45
    assert sum((attrs.get("href") or "").startswith("data:image/jpeg") for attrs in page.all("image")) == 82


def test_nothing_found(folder: Path) -> None:
    html = render(make_findings([]), folder, make_summary(make_findings([])))
    assert "No change found." in html
    assert 'id="findings"' not in html
    assert 'class="outline' not in html


def test_gaps_in_the_summary_are_shown_as_gaps(folder: Path) -> None:
    findings = make_findings()
    summary: dict[str, Any] = make_summary(
        findings,
        alignment={"status": "global-only", "reason": None, "points": 4, "kept_out_points": 0,
                   "residual_before_px": None, "residual_px": float("nan"), "shift_m": [0, 0]},
        radiometry={}, settings={}, before={"date": None, "inputs": []},
    )  # fmt: skip
    del summary["stages"], summary["detector"], summary["versions"]
    html = render(findings, folder, summary)
    assert "date unknown" in html
    assert "global-only" in html
    assert "nan" not in re.sub(r"data:[^\"]+", "", html).lower().split()
    assert "None" not in re.sub(r"data:[^\"]+", "", html)


def test_shift_plot_has_the_sign_of_the_field(folder: Path) -> None:
    plot = read_shift(folder / "shift.tif")
    assert plot is not None
    assert plot.median == pytest.approx((1.25, -0.75), abs=1e-3)
    assert plot.largest == pytest.approx(0.2, abs=0.03)
    east = max(plot.arrows, key=lambda arrow: arrow.left)
    assert east.tip_x > east.x  # in the east the field exceeds its median, so the arrow points east
    assert max(arrow.top for arrow in plot.arrows) < plot.height - plot.cell  # the unknown last rows
    assert plot.key_length == pytest.approx(plot.key * (east.tip_x - east.x) / 0.1857, rel=0.1)


def test_arrow_to_the_north_points_up(tmp_path: Path) -> None:
    field = np.zeros((2, 40, 40), np.float32)
    field[1, :10] = 3.0
    write_cog(tmp_path / "shift.tif", field, nodata=float("nan"))
    plot = read_shift(tmp_path / "shift.tif")
    assert plot is not None
    top = min(plot.arrows, key=lambda arrow: arrow.top)
    assert top.tip_y < top.y
    assert plot.median == (0.0, 0.0)


def test_unknown_shift_is_said_to_be_unknown(tmp_path: Path) -> None:
    make_rasters(tmp_path)
    write_cog(tmp_path / "shift.tif", np.full((2, 80, 100), np.nan, np.float32), nodata=float("nan"))
    assert read_shift(tmp_path / "shift.tif") is None
    assert "shift field is not known" in render(make_findings(), tmp_path, make_summary(make_findings()))


def test_one_grey_band(tmp_path: Path) -> None:
    make_rasters(tmp_path, names=("pan",))
    findings: gpd.GeoDataFrame = make_findings()
    assert "grey: pan" in render(findings, tmp_path, make_summary(findings))


def test_script_finds_every_part_that_it_names(html: str) -> None:
    script = Page(html).texts["script"]
    there = {attrs["id"] for _, attrs in Page(html).tags if attrs.get("id")}
    named = set(re.findall(r'by\("([\w-]+)"\)', script))
    assert len(named) > 10
    assert named <= there
