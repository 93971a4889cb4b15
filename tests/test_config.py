"""Site files: what they say, and that each fault is named with its line and its mend."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest
from imagery import grid, noise, write
from odc.geo.geobox import GeoBox

from pipeline.config import Settings, Site, load_site, problems
from pipeline.config.dated import dated_paths, dates_in
from pipeline.config.schema import SiteFile
from pipeline.errors import AreaError, ConfigError, SourceNotFoundError
from pipeline.scenes import acquired, band_names

BOX = grid(20, 20)
LEAST = "id: here\nsource: {files: 'images/{date}/*.tif'}\n"


def site_file(folder: Path, text: str = LEAST) -> Path:
    path = folder / "site.yaml"
    path.write_text(text)
    return path


def images(folder: Path, *days: str, box: GeoBox = BOX, names: list[str] | None = None) -> None:
    for day in days:
        write(folder / "images" / day / "a.tif", noise(box, 2), box, names=names or ["red", "nir"])


def faults(folder: Path, text: str) -> list[str]:
    path = site_file(folder, text)
    with pytest.raises(ConfigError) as caught:
        load_site(path)
    lines = str(caught.value).splitlines()
    assert problems(path) == (None, lines)
    assert all(line.startswith(f"{path}:") for line in lines)
    return [line.removeprefix(f"{path}:") for line in lines]


def test_the_least_that_works(tmp_path: Path) -> None:
    images(tmp_path, "2019-09-09", "2019-09-21", "2019-08-20")
    site = load_site(site_file(tmp_path))
    assert (site.id, site.name, site.aoi, site.zones, site.bands) == ("here", "here", None, {}, None)
    assert site.settings == Settings()
    assert site.available_dates() == ("2019-08-20", "2019-09-09", "2019-09-21")
    assert site.pair() == ("2019-09-09", "2019-09-21")
    assert problems(site.path)[1] == []
    (item,) = site.scenes("2019-09-09")
    assert acquired(item) == "2019-09-09"


def test_everything(tmp_path: Path) -> None:
    images(tmp_path, "2019-09-09", "2019-09-21")
    write(tmp_path / "clouds" / "20190909.tif", noise(BOX, 1), BOX)
    area = BOX[2:9, 3:15].extent.to_crs("EPSG:4326")
    (tmp_path / "aoi.geojson").write_text(json.dumps(area.json))
    west, south, east, north = area.boundingbox.bbox
    site = load_site(
        site_file(
            tmp_path,
            f"""
            id: here
            name: A place
            aoi: aoi.geojson
            source: {{files: 'images/{{date}}/*.tif'}}
            bands: nir, red
            scale: 0.0001
            offset: -0.1
            masks: clouds/{{date}}.tif
            dates: {{before: 2019-09-09, after: "2019-09-21"}}
            zones: {{north: [{west}, {south}, {east}, {north}]}}
            crs: EPSG:32638
            resolution: 2.5
            detector: classic
            align: {{window: 96}}
            flag: {{min_confidence: 0.4, min_area_m2: 30, max_false_per_km2: 2}}
            compute: {{chunk_size: 512, kernel: lanczos}}
            """,
        )
    )
    assert site.aoi is not None
    assert site.aoi.geom.equals_exact(area.geom, 1e-9)
    assert site.zones["north"].boundingbox.bbox == pytest.approx((west, south, east, north))
    settings = site.settings
    assert settings.align == dataclasses.replace(Settings().align, window=96)
    assert (settings.flag.min_confidence, settings.flag.min_area_m2, settings.flag.max_false_per_km2) == (
        0.4,
        30,
        2,
    )
    assert (settings.compute.chunk_size, settings.compute.kernel) == (512, "lanczos")
    assert (settings.detect.detector, settings.crs, settings.resolution) == ("classic", "EPSG:32638", 2.5)
    assert site.masks("2019-09-09") == (tmp_path / "clouds" / "20190909.tif",)
    assert site.masks("2019-09-21") == ()
    items = site.scenes("2019-09-09")
    assert band_names(items) == ("red", "nir")
    bands = items[0].assets["image"].extra_fields["bands"]
    assert [(b["name"], b["raster:scale"], b["raster:offset"]) for b in bands] == [
        ("nir", 1e-4, -0.1),
        ("red", 1e-4, -0.1),
    ]


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    text = """id: ../up
nam: y
aoi: [1, 2, 3]
source:
  files: a/{date}.tif
  file: b
dates: {before: 2019-02-30, after: soon}
flag:
  min_confidance: 0.5
  min_area_m2: many
align: 3
crs: EPSG:99999999
resolution: -1
detector: magic
masks: clouds.tif
compute: {chunk_size: 3}
"""
    assert faults(tmp_path, text) == [
        "1: id: '../up' is not a name for a folder; use letters, digits, - and _ only.",
        "2: nam: unknown key; is name meant?",
        "3: aoi: neither a file nor a box; write a path, or [west, south, east, north].",
        "6: source.file: unknown key; is files meant?",
        "7: dates.before: '2019-02-30' is not a date; write YYYY-MM-DD.",
        "7: dates.after: 'soon' is not a date; write YYYY-MM-DD.",
        "9: flag.min_confidance: unknown key; is min_confidence meant?",
        "10: flag.min_area_m2: should be a valid number, unable to parse string as a number, not 'many'.",
        "11: align: 3 is not a section; write its keys below it, indented.",
        "12: crs: 'EPSG:99999999' is not a known CRS; write one such as EPSG:32637.",
        "13: resolution: should be greater than 0, not -1.",
        "14: detector: 'magic' is no detector; there are auto, classic, learned and onnx:PATH.",
        "15: masks: has no {date} in it; put it where the files' date stands.",
        "16: compute.chunk_size: should be greater than or equal to 64, not 3.",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("source: {files: a}\n", "1: id: missing; add it."),
        ("id: a\n", "1: source: missing; add it."),
        ("id: a\nsource: {}\n", "2: source: name one of files, items and stac."),
        ("id: a\nsource: {files: a, items: b}\n", "2: source: name one of files, items and stac."),
        ("id: a\nid: b\nsource: {files: a}\n", "2: id: stands twice; keep one."),
        ("id: a\nsource: {files: a}\nfoo: 1\n bar: 2\n", "4: not valid YAML"),
        ("- a\n", "1: not a site file"),
        ("", "1: not a site file"),
        (
            LEAST + "dates: {before: 2019-09-21, after: 2019-09-09}\n",
            "3: dates: before (2019-09-21) is not earlier than after (2019-09-09).",
        ),
        (LEAST + "zones:\n  a: 3\n", "4: zones.a: neither a file nor a box"),
        (LEAST + "exclude:\n  a: 3\n", "4: exclude.a: neither a file nor a box"),
        (LEAST + "smart: {region_id: SY1}\n", "3: smart.region_id: 'SY1' is no name of a region; write a"),
        (LEAST + "alerts:\n- name: a\n  knd: road\n", "5: alerts.0.knd: unknown key; is kind meant?"),
        (LEAST + "alerts:\n- name: a\n  kind: hut\n", "5: alerts.0.kind: 'hut' is not known; there are"),
        (LEAST + "alerts:\n- name: a\n  zone: b\n", "3: alerts: 'a': there is no zone 'b'; there are none."),
        (
            LEAST + "zones: {north gate: [1, 2, 3, 4]}\nalerts:\n- name: a\n  zone: north gaet\n",
            "4: alerts: 'a': there is no zone 'north gaet'; is north gate meant?.",
        ),
        (
            LEAST + "alerts:\n- name: a\n- name: a\n",
            "3: alerts: two are called 'a'; give each a name of its own.",
        ),
        (LEAST + "alerts: [{name: a, to: [{}]}]\n", "3: alerts.0.to.0: name one of file, atom, webhook and"),
        (
            LEAST + "compute: {kernel: cubik}\n",
            "3: compute.kernel: should be 'nearest', 'bilinear', 'cubic' or 'lanczos'",
        ),
    ],
)
def test_single_faults(tmp_path: Path, text: str, expected: str) -> None:
    (fault,) = faults(tmp_path, text)
    assert fault.startswith(expected)


def test_site_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: no such site file; `groundbreak init`"):
        load_site(tmp_path / "none.yaml")
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(ConfigError, match=r"b\.yaml: cannot be read as text"):
        load_site(tmp_path / "b.yaml")


def test_areas_at_fault(tmp_path: Path) -> None:
    images(tmp_path, "2019-09-09", "2019-09-21")
    path = site_file(tmp_path, LEAST + "aoi: none.geojson\nzones: {a: [2, 1, 1, 2]}\n")
    with pytest.raises(AreaError, match=r"aoi: .*none\.geojson: no such file"):
        load_site(path)
    first, second = problems(path)[1]
    assert "aoi: " in first
    assert "zones.a: area [2, 1, 1, 2]: empty" in second


def test_days_without_images_name_the_days_there_are(tmp_path: Path) -> None:
    images(tmp_path, "2019-09-09", "2019-09-21")
    path = site_file(tmp_path, LEAST + "dates: {before: 2019-09-10}\n")
    message = (
        "here: no images of 2019-09-10; dates with images: 2019-09-09, 2019-09-21 (nearest: 2019-09-09)."
    )
    with pytest.raises(SourceNotFoundError, match=re.escape(message)):
        load_site(path).scenes("2019-09-10")
    assert problems(path)[1] == [message]


def test_no_images_at_all(tmp_path: Path) -> None:
    (problem,) = problems(site_file(tmp_path))[1]
    assert problem == "here: two dates are needed; dates with images: none."


def test_dates_that_share_no_band(tmp_path: Path) -> None:
    images(tmp_path, "2019-09-09")
    images(tmp_path, "2019-09-21", names=["green", "blue"])
    (problem,) = problems(site_file(tmp_path))[1]
    assert problem.startswith("no band in common: before has red, nir, after has blue, green")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, None, ("2019-09-09", "2019-09-21")),
        ("2019-08-20", None, ("2019-08-20", "2019-09-21")),
        (None, "2019-09-09", ("2019-08-20", "2019-09-09")),
        ("2018-01-01", "2018-01-02", ("2018-01-01", "2018-01-02")),
    ],
)
def test_pair(tmp_path: Path, before: str | None, after: str | None, expected: tuple[str, str]) -> None:
    images(tmp_path, "2019-08-20", "2019-09-09", "2019-09-21")
    assert load_site(site_file(tmp_path)).pair(before, after) == expected


def test_dates_from_metadata_where_the_pattern_has_none(tmp_path: Path) -> None:
    for day in ("2019-09-21", "20190909"):
        write(tmp_path / f"{day}.tif", noise(BOX, 1), BOX)
    site: Site = load_site(site_file(tmp_path, "id: a\nsource: {files: '*.tif'}\n"))
    assert site.available_dates() == ("2019-09-09", "2019-09-21")
    assert [item.id for item in site.scenes("2019-09-09")] == ["20190909"]


def test_items_on_disk(tmp_path: Path) -> None:
    images(tmp_path, "2019-09-09", "2019-09-21")
    plain = load_site(site_file(tmp_path))
    (tmp_path / "items").mkdir()
    for day in plain.available_dates():
        (tmp_path / "items" / f"{day}.json").write_text(json.dumps(plain.scenes(day)[0].to_dict()))
    site = load_site(site_file(tmp_path, "id: a\nsource: {items: items}\n"))
    assert site.available_dates() == plain.available_dates()
    assert (
        site.scenes("2019-09-09")[0].assets["image"].href
        == plain.scenes("2019-09-09")[0].assets["image"].href
    )


@pytest.mark.parametrize(
    ("files", "pattern"),
    [
        (["a [x]/2019-09-09/t.tif"], "a [[]x]/{date}/*.tif"),
        (["20190909/t_20190909.tif", "20190909/t_20190910.tif"], "{date}/t_{date}.tif"),
        (["x/y/2019-09-09_b.tif"], "**/{date}_?.tif"),
        (["2019-09-09/t.tif", "2019-13-09/t.tif", "120190909/t.tif"], "{date}"),
    ],
)
def test_patterns(tmp_path: Path, files: list[str], pattern: str) -> None:
    folder = tmp_path / "odd [1] *"
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()
    assert dates_in(folder, pattern) == ("2019-09-09",)
    assert dates_in(Path("elsewhere"), str(tmp_path / "odd*" / pattern)) == ("2019-09-09",)
    (found,) = dated_paths(folder, pattern, "2019-09-09")
    assert found in {folder / file for file in files} | {(folder / file).parent for file in files}


def test_every_key_is_described() -> None:
    for name, field in SiteFile.model_fields.items():
        assert field.description, name


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("clasic", "is classic meant?"),
        ("onx:model.onnx", "is onnx:model.onnx meant?"),
        ("model.onnx", "is onnx:model.onnx meant?"),
        ("onnx:", "is onnx:PATH meant?"),
        ("magic", "there are auto, classic, learned and onnx:PATH"),
    ],
)
@pytest.mark.parametrize("key", ["detector: '{}'", "detect: {{detector: '{}'}}"])
def test_a_detector_nearly_named(tmp_path: Path, given: str, hint: str, key: str) -> None:
    text = f"id: a\nsource: {{files: 'a/{{date}}.tif'}}\n{key.format(given)}\n"
    name = "detector" if key.startswith("detector") else "detect.detector"
    assert faults(tmp_path, text) == [f"3: {name}: {given!r} is no detector; {hint}."]


def test_a_model_lies_relative_to_the_site_file(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text("id: a\nsource: {files: 'a/{date}.tif'}\ndetector: onnx:models/m.onnx\n")
    assert load_site(path).settings.detect.detector == f"onnx:{tmp_path}/models/m.onnx"
    assert any("detector:" in line and "no such model" in line for line in problems(path)[1])


@pytest.mark.parametrize(
    "target",
    [
        "webhook: https://me:hush@example.org/x",
        "webhook: https://example.org/x?token=hush",
        "webhook: ftp://example.org/hush",
        "apprise: mailto://me:hush@example.org",
        "apprise: $hush",
        "webhok: https://hush.example.org/",
        "- apprise: [hush]",
        "hush",
    ],
)
def test_a_secret_in_an_alert_is_refused_and_not_repeated(tmp_path: Path, target: str) -> None:
    (fault,) = faults(tmp_path, LEAST + f"alerts:\n- name: a\n  to:\n  - {target}\n")
    assert "hush" not in fault
    assert fault.endswith((".", "?"))


def test_alerts_as_written(tmp_path: Path) -> None:
    text = (
        LEAST
        + """
zones: {north: [40, 34, 41, 35]}
exclude: {quarry: [40, 34, 40.5, 35]}
alerts:
- name: built
  zone: north
  kind: building, road
  to: [{webhook: "${HOOK}"}, {webhook: https://example.org/hook}, {apprise: "${CHAT}"}, {atom: a.xml}]
- name: all
"""
    )
    site = load_site(site_file(tmp_path, text))
    built, everything = site.file.alerts
    assert (built.zone, built.kind, built.status) == (("north",), ("building", "road"), ("confirmed",))
    assert [target.name for target in built.to] == [
        "webhook ${HOOK}", "webhook https://example.org/hook", "apprise ${CHAT}", "atom a.xml",
    ]  # fmt: skip
    assert [target.name for target in everything.to] == ["file alerts.jsonl"]
    assert list(site.exclude) == ["quarry"]
