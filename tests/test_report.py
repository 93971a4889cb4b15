"""report.html: whole in itself, safe with any name, and saying what it must."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from outputs_fixture import (
    BUILT,
    CRS,
    NORTH,
    PIXEL,
    WEST,
    ground,
    make_findings,
    make_rasters,
    make_summary,
    write_cog,
)
from pyproj import Transformer

from pipeline.outputs.embed import Frame, jpeg_uri
from pipeline.outputs.page_data import page_data, rings
from pipeline.outputs.picture import SIDE, read_comparison
from pipeline.outputs.report import CHIPS, render
from pipeline.outputs.shiftplot import read_shift

EVIL = "<script>alert('x')</script>\" onload=\"alert(1)"


class Page(HTMLParser):
    """Every tag with its attributes, all text by the tag it stands in, and the data for the script."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self.data: dict[str, Any] = {}
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
        if where == "script" and self.tags[-1][1].get("type") == "application/json":
            if self.tags[-1][1]["id"] == "data":
                self.data = json.loads(data)
            return
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
                fine = value.startswith(("data:image/", "data:,", "#")) or (
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
    assert [tag.get("type") for tag in page.all("script")] == ["application/json"] * 2 + [None]
    assert page.data["findings"][0]["zone"] == EVIL
    assert EVIL in page.texts["h1"]
    assert EVIL in page.texts["bdi"]
    assert not any(name == "onload" for _, attrs in page.tags for name in attrs)


def test_made_images_are_marked_and_only_these(folder: Path, html: str) -> None:
    assert html.count("MADE IMAGE") >= 5
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


def test_every_finding_has_an_outline_and_a_line_in_the_list(html: str) -> None:
    page = Page(html)
    assert [attrs["data-id"] for attrs in page.all("li") if "data-id" in attrs] == ["1", "2"]
    building, ring = page.data["findings"]
    assert (building["name"], building["confidence"], building["area"]) == ("new building", 0.912345, 120.0)
    assert building["facts"][1:] == [
        ["Area", "120\u202fm²"], ["Length", "15.0\u202fm"], ["Width", "8.0\u202fm"],
        ["Zone", "north compound"],
    ]  # fmt: skip
    assert [name for name, _ in building["places"]] == ["Decimal", "DMS", "MGRS"]
    assert [len(part) for part in ring["rings"]] == [8, 8]
    assert ring["zone"] is None
    assert all(attrs.get("aria-label") for attrs in page.all("svg") if attrs.get("role") == "img")


def test_outline_lies_on_its_pixels(folder: Path) -> None:
    r0, c0, r1, c1 = BUILT
    shape = Frame.of(read_comparison(folder, 1600)).pixels(ground(*BUILT))
    assert shape.bounds == pytest.approx((c0, r0, c1, r1), abs=1e-6)
    (ring,) = rings(shape)
    assert {tuple(ring[i : i + 2]) for i in range(0, 8, 2)} == {(c0, r0), (c0, r1), (c1, r0), (c1, r1)}


def test_rings_of_a_multipolygon_with_a_hole() -> None:
    hole = shapely.box(0, 0, 9, 9) - shapely.box(3, 3, 6, 6)
    found = rings(shapely.MultiPolygon([hole, shapely.box(20, 0, 22, 1)]))
    assert [len(ring) for ring in found] == [8, 8, 8]
    assert max(found[2][::2]) == 22.0


def test_longitude_and_latitude_of_the_nodes(folder: Path) -> None:
    view = read_comparison(folder, 1600)
    nodes = page_data(make_findings([]), view, {})["nodes"]
    side, lonlat = nodes["side"], np.array(nodes["lonlat"]).reshape(nodes["side"], nodes["side"], 2)
    to_lonlat = Transformer.from_crs(CRS, "OGC:CRS84", always_xy=True)
    assert lonlat[0, 0] == pytest.approx(to_lonlat.transform(WEST, NORTH), abs=1e-6)
    assert lonlat[side - 1, 0] == pytest.approx(to_lonlat.transform(WEST, NORTH - 80 * PIXEL), abs=1e-6)


def test_a_reduced_picture_comes_with_close_ups(tmp_path: Path) -> None:
    make_rasters(tmp_path, 40, SIDE + 200)
    like = make_findings().iloc[0].to_dict()
    rows = [
        like | {"id": i + 1, "geometry": ground(5, 50 * i + 200, 15, 50 * i + 220)} for i in range(CHIPS + 2)
    ]
    findings = make_findings(rows)
    page = Page(render(findings, tmp_path, make_summary(findings)))
    assert page.data["width"] == SIDE
    assert page.data["reduced"] == pytest.approx((SIDE + 200) / SIDE)
    assert sorted(int(i) for i in page.data["chips"]) == list(range(1, CHIPS + 1))
    chip, rings = page.data["chips"]["3"], page.data["findings"][2]["rings"]
    assert chip["before"].startswith("data:image/jpeg;base64,")
    left, top, right, bottom = chip["box"]
    assert left < min(rings[0][::2]) < max(rings[0][::2]) < right
    assert top <= min(rings[0][1::2]) < max(rings[0][1::2]) <= bottom
    assert (right - left) * page.data["reduced"] == pytest.approx(72, abs=0.1)


def test_a_picture_at_full_size_needs_none(html: str) -> None:
    data = Page(html).data
    assert (data["chips"], data["reduced"], data["width"]) == ({}, 1.0, 100)


def test_noise_is_made_coarser_until_it_fits() -> None:
    noise = np.random.default_rng(5).integers(0, 256, (200, 200, 3), np.uint8)
    full, fitted = jpeg_uri(noise), jpeg_uri(noise, most=40_000)
    assert len(full) > 80_000
    assert len(fitted) < 40_000 * 4 / 3 + 30


def test_north_is_turned_off_the_central_meridian(folder: Path) -> None:
    angle = re.search(r'class="north".*?rotate\(([-\d.]+)\)', render(make_findings(), folder, make_summary(
        make_findings())))  # fmt: skip
    assert angle is not None
    # grid convergence of UTM, degrees: (lon - lon0) sin(lat); true north lies that far left of grid north
    assert float(angle[1]) == pytest.approx(-2.17 * np.sin(np.radians(34.3)), abs=0.02)


def test_source_and_licence_are_told_or_said_to_be_unknown(folder: Path, html: str) -> None:
    assert "not told by the images" in html
    told = {"date": "2019-09-09", "sensor": "sentinel-2a", "providers": "ESA", "licence": EVIL, "inputs": []}
    page = Page(render(make_findings(), folder, make_summary(make_findings(), before=told)))
    assert EVIL in page.texts["bdi"]
    assert "sentinel-2a" in page.texts["dd"]


def test_nothing_found(folder: Path) -> None:
    html = render(make_findings([]), folder, make_summary(make_findings([])))
    assert "No change was found" in html
    assert 'id="list"' not in html
    assert Page(html).data["findings"] == []


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
    assert "None" not in re.sub(r"data:[^\"]+|<script>.*</script>", "", html, flags=re.DOTALL)


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
    assert "Grey: pan" in render(findings, tmp_path, make_summary(findings))
