"""GeoPackage, KML and CSV: opened by other programs they show the same findings, and run nothing."""

from __future__ import annotations

import csv
import html
import io
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import geopandas as gpd
import pyogrio
import pytest
from outputs_fixture import CRS, make_findings, make_summary

from pipeline.outputs import geopackage, style
from pipeline.outputs.geopackage import write_geopackage
from pipeline.outputs.kml import kml, write_kml
from pipeline.outputs.vectors import typed, write_findings

HOSTILE = '=HYPERLINK("https://example.org","x")<b>&\x00مجمع'
KML = {"k": "http://www.opengis.net/kml/2.2"}


def named(zone: str) -> gpd.GeoDataFrame:
    findings = make_findings()
    findings.loc[0, "zone"] = zone
    return findings


def test_the_geopackage_holds_the_table_in_the_grids_crs(tmp_path: Path) -> None:
    write_geopackage(make_findings(), tmp_path)
    back = pyogrio.read_dataframe(tmp_path / "changes.gpkg", layer="changes")
    known = typed(make_findings())
    assert back.crs == CRS
    assert list(back.columns) == list(known.columns)
    assert back.drop(columns="geometry").equals(
        known.drop(columns="geometry").astype(back.dtypes.drop("geometry"))
    )
    assert (back.geometry.area - known.geometry.area).abs().max() < 1e-6
    assert set(back.geom_type) == {"MultiPolygon"}


def test_qgis_finds_a_default_style_of_the_layer(tmp_path: Path) -> None:
    write_geopackage(make_findings(), tmp_path)
    with sqlite3.connect(tmp_path / "changes.gpkg") as database:
        row = database.execute(
            "SELECT styleQML FROM layer_styles WHERE f_table_catalog = '' AND f_table_schema = ''"
            " AND f_table_name = 'changes' AND f_geometry_column = 'geom' ORDER BY useAsDefault DESC,"
            " update_time DESC LIMIT 1"
        ).fetchone()  # as QgsOgrProviderMetadata::loadStyle asks
        columns = dict(database.execute("SELECT column_name, geometry_type_name FROM gpkg_geometry_columns"))
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert not database.execute("PRAGMA foreign_key_check").fetchall()
    assert columns == {"geom": "MULTIPOLYGON"}
    drawn = ElementTree.fromstring(row[0].split("\n", 1)[1])
    rules = {rule.get("filter"): rule.get("symbol") for rule in drawn.iter("rule")}
    assert set(rules) == {
        "\"kind\" = 'building' AND \"direction\" = 'new'",
        "\"kind\" = 'earthwork' AND \"direction\" = 'altered'",
        "ELSE",
    }
    symbols = {symbol.get("name"): symbol for symbol in drawn.iter("symbol")}
    assert set(symbols) == set(rules.values())

    def options(symbol: str | None, layer: int) -> dict[str | None, str | None]:
        found = symbols[symbol].findall("layer")[layer]
        return {
            option.get("name"): option.get("value") for option in found.iter("Option") if option.get("name")
        }

    altered = options(rules["\"kind\" = 'earthwork' AND \"direction\" = 'altered'"], 1)
    assert altered["line_color"] == "240,228,66,255"
    assert (altered["use_custom_dash"], altered["customdash"]) == ("1", "0.6;0.9")
    assert options(rules["\"kind\" = 'building' AND \"direction\" = 'new'"], 1)["use_custom_dash"] == "0"


@pytest.mark.parametrize("rows", [None, []])
def test_the_same_findings_give_the_same_bytes_at_any_time(tmp_path: Path, rows: list[Any] | None) -> None:
    findings = make_findings(rows)
    write_geopackage(findings, tmp_path)
    write_kml(findings, tmp_path, make_summary(findings))
    first = [(tmp_path / name).read_bytes() for name in ("changes.gpkg", "changes.kml")]
    write_geopackage(findings.iloc[::-1], tmp_path / "again")
    write_kml(findings.iloc[::-1], tmp_path / "again", make_summary(findings))
    assert [(tmp_path / "again" / name).read_bytes() for name in ("changes.gpkg", "changes.kml")] == first
    assert len(pyogrio.read_dataframe(tmp_path / "changes.gpkg", layer="changes")) == len(findings)


def test_the_kml_shows_each_finding_in_its_kinds_colour(tmp_path: Path) -> None:
    findings = make_findings()
    write_kml(findings, tmp_path, make_summary(findings))
    root = ElementTree.parse(tmp_path / "changes.kml").getroot()
    marks = root.findall(".//k:Placemark", KML)
    assert [mark.findtext("k:name", namespaces=KML) for mark in marks] == ["1", "2"]
    styles = {
        one.get("id"): one.findtext("k:LineStyle/k:color", namespaces=KML)
        for one in root.iter(f"{{{KML['k']}}}Style")
    }
    colour = style.kind("building").colour
    assert styles["building-new"] == f"ff{colour[5:7]}{colour[3:5]}{colour[1:3]}"  # alpha, blue, green, red
    assert marks[0].findtext("k:styleUrl", namespaces=KML) == "#building-new"
    told = {
        d.get("name"): d.findtext("k:value", namespaces=KML) for d in marks[0].iter(f"{{{KML['k']}}}Data")
    }
    assert told["area_m2"] == "120.0"
    assert "zone" not in {d.get("name") for d in marks[1].iter(f"{{{KML['k']}}}Data")}
    document = root.findtext("k:Document/k:description", namespaces=KML)
    assert "MADE IMAGE" in str(document)
    folders = [one.findtext("k:name", namespaces=KML) for one in root.iter(f"{{{KML['k']}}}Folder")]
    assert folders == ["buildings (1)", "earthworks (1)"]


def test_gdal_reads_the_same_outlines_from_the_kml(tmp_path: Path) -> None:
    findings = make_findings()
    write_kml(findings, tmp_path, make_summary(findings))
    shapes = []
    for layer, _ in pyogrio.list_layers(tmp_path / "changes.kml"):
        shapes += list(pyogrio.read_dataframe(tmp_path / "changes.kml", layer=layer).to_crs(CRS).geometry)
    for found, known in zip(shapes, findings.geometry, strict=True):
        area = next(part for part in found.geoms if part.geom_type == "Polygon")
        assert area.symmetric_difference(known).area < 0.5


def test_hostile_texts_are_only_texts(tmp_path: Path) -> None:
    findings = named(HOSTILE)
    site = {"id": "x", "name": HOSTILE}
    text = kml(findings, make_summary(findings, site=site))
    root = ElementTree.fromstring(text.encode())
    balloon = str(root.findtext(".//k:Placemark/k:description", namespaces=KML))
    assert "<b>" not in balloon
    assert "<b>&" in html.unescape(balloon)
    assert "\x00" not in text
    write_findings(findings, tmp_path)
    raw = (tmp_path / "changes.csv").read_bytes()
    assert raw.startswith("\ufeff".encode())
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))
    assert rows[0]["zone"] == f"'{HOSTILE}"
    assert rows[1]["zone"] == ""
    assert float(rows[0]["confidence"]) == 0.9123
    centre = findings.to_crs("OGC:CRS84").geometry.iloc[0].centroid
    assert float(rows[0]["longitude"]) == pytest.approx(centre.x, abs=1e-6)
    assert float(rows[0]["latitude"]) == pytest.approx(centre.y, abs=1e-6)


def test_how_often_sqlite_committed_is_not_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "a.gpkg"
    contents = []
    for commits in (1, 3):
        file.unlink(missing_ok=True)
        with closing(sqlite3.connect(file)) as database:
            database.execute("CREATE TABLE a (b)")
            for _ in range(commits):
                database.execute("DELETE FROM a")
                database.execute("INSERT INTO a VALUES (1)")
                database.commit()
        counted = file.read_bytes()
        geopackage._forget_count(file)
        contents.append(file.read_bytes())
        assert counted != contents[-1]
        with closing(sqlite3.connect(file)) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert database.execute("SELECT b FROM a").fetchall() == [(1,)]
    assert contents[0] == contents[1]
