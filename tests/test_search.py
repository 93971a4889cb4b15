"""Static STAC catalogues: which Items are found, and what becomes of a site whose images they name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imagery import grid, noise, write
from jobs import groundbreak
from static_catalogue import AREA, BOX, make_catalogue

from pipeline.area import read_area
from pipeline.config import Site, load_site
from pipeline.config import seen as seen_module
from pipeline.config.looks import LeftOut, Look
from pipeline.errors import CatalogueError, ConfigError
from pipeline.scenes.search import search
from pipeline.scenes.visible import visible_share
from pipeline.scenes.wanted import Search
from pipeline.stages.load import Load

DAYS = ("2024-05-01", "2024-05-11", "2024-05-21")


def site_file(folder: Path, source: str, extra: str = "") -> Path:
    path = folder / "yard.yaml"
    path.write_text(f"id: yard\naoi: {list(AREA.boundingbox.bbox)}\nsource: {source}\n{extra}")
    return path


def site(folder: Path, source: str, extra: str = "") -> Site:
    return load_site(site_file(folder, source, extra))


def found(path: Path, **wanted: Any) -> list[str]:
    return [item.id for item in search(Search(str(path), **wanted), AREA).items]


def test_what_is_wanted_of_a_static_catalogue(tmp_path: Path) -> None:
    path = make_catalogue(tmp_path, DAYS, **{"eo:cloud_cover": 20.0, "platform": "kite"})
    everything = [f"made-{day}" for day in DAYS]
    assert found(path) == everything
    assert found(path, collections=("made",)) == everything
    assert found(path, collections=("other",)) == []
    assert found(path, start="2024-05-02", end="2024-05-11") == everything[1:2]
    assert found(path, query={"eo:cloud_cover": {"lte": 20}, "platform": {"in": ["kite"]}}) == everything
    assert found(path, query={"eo:cloud_cover": {"lt": 20}}) == []
    assert found(path, query={"platform": {"lt": 20}}) == []
    assert found(path, query={"unknown": {"eq": 1}}) == []
    assert search(Search(str(path)), read_area([2.0, 48.0, 2.1, 48.1])).items == ()


def test_a_catalogue_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("<html>")
    for name in ("a.json", "none.json"):
        with pytest.raises(CatalogueError, match=rf"{name}: cannot be searched"):
            search(Search(str(tmp_path / name)), AREA)


def test_an_item_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    path = make_catalogue(tmp_path, DAYS)
    broken = next(tmp_path.glob(f"made/*{DAYS[1]}/*.json"))
    broken.write_text("{")
    told = search(Search(str(path)), AREA)
    assert [item.id for item in told.items] == [f"made-{DAYS[0]}", f"made-{DAYS[2]}"]
    assert [broken.name in line for line in told.unread] == [True]
    yard = site(tmp_path, "{stac: {url: catalog.json}}")
    assert [(out.date, out.failed) for out in yard.left_out()] == [(None, True)]


def test_a_site_on_a_static_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_catalogue(tmp_path, DAYS)
    asked: list[Search] = []

    def counted(wanted: Search, area: Any) -> Any:
        asked.append(wanted)
        return search(wanted, area)

    monkeypatch.setattr("pipeline.scenes.search.search", counted)
    yard = site(tmp_path, "{stac: {url: catalog.json, start: 2024-05-02}}")
    assert yard.available_dates() == DAYS[1:]
    assert yard.pair() == DAYS[1:]
    (item,) = yard.scenes(DAYS[1])
    image = Load()([item], BOX)["image"].values
    np.testing.assert_allclose(image, noise(BOX, 4, seed=1) / 65535, rtol=1e-6)
    assert len(asked) == 1
    told = groundbreak("check", yard.path)
    assert (told.exit_code, len(asked)) == (0, 2), told.output


def test_scale_and_offset_of_the_site_file_count(tmp_path: Path) -> None:
    make_catalogue(tmp_path, DAYS[:1])
    source = "{stac: {url: catalog.json}, scale: 0.001, offset: -0.1}"
    (item,) = site(tmp_path, source, "scale: 5\n").scenes(DAYS[0])
    image = Load()([item], BOX)["image"].values
    np.testing.assert_allclose(image, noise(BOX, 4, seed=0) * 0.001 - 0.1, rtol=1e-5)


# What is seen


def test_dates_on_which_too_little_is_seen_are_left_out(tmp_path: Path) -> None:
    clouds = {DAYS[1]: slice(0, 72), DAYS[2]: slice(0, 24)}
    make_catalogue(tmp_path, DAYS, clouds=clouds, **{"eo:cloud_cover": 1.0})
    yard = site(tmp_path, "{stac: {url: catalog.json}}")
    assert yard.available_dates() == (DAYS[0], DAYS[2])
    reason = "25% of the area is seen, less than min_visible (30%)"
    assert yard.left_out() == (LeftOut(DAYS[1], reason, False),)
    assert yard.pair() == (DAYS[0], DAYS[2])
    assert len(yard.scenes(DAYS[1])) == 1  # who names the day gets it
    facts = json.loads(groundbreak("check", yard.path, "--json").stdout)["sites"][0]["facts"]
    assert facts[0].endswith("100% seen")
    assert facts[1].endswith("75% seen")
    assert facts[2] == f"{DAYS[1]}: left out: {reason}"
    assert site(tmp_path, "{stac: {url: catalog.json}}", "min_visible: 0.2\n").available_dates() == DAYS


def test_what_is_seen_is_of_the_area_not_of_the_image(tmp_path: Path) -> None:
    make_catalogue(tmp_path, DAYS[:2], clouds={DAYS[0]: slice(0, 72), DAYS[1]: slice(72, 96)})
    south = BOX[72:96, 0:96].extent.to_crs("EPSG:4326")
    path = site_file(tmp_path, "{stac: {url: catalog.json}}")
    path.write_text(path.read_text().replace(str(list(AREA.boundingbox.bbox)), "south.geojson"))
    (tmp_path / "south.geojson").write_text(json.dumps(south.json))
    yard = load_site(path)
    assert yard.available_dates() == DAYS[:1]  # three quarters of the image are cloud, and none of the area


def test_nodata_and_given_masks_hide_too(tmp_path: Path) -> None:
    for day, empty, cloud in ((DAYS[0], 80, 0), (DAYS[1], 0, 80), (DAYS[2], 30, 30)):
        values = noise(BOX, 2)
        values[:, :empty] = 0
        write(tmp_path / "images" / day / "a.tif", values, BOX, names=["red", "nir"], nodata=0)
        mask = np.zeros((1, 96, 96), "uint8")
        mask[:, 96 - cloud :] = 1
        write(tmp_path / "clouds" / f"{day}.tif", mask, BOX)
    yard = site(tmp_path, "{files: 'images/{date}/*.tif'}", "masks: clouds/{date}.tif\n")
    assert yard.available_dates() == (DAYS[2],)
    shares = [out.reason.split("%")[0] for out in yard.left_out()]
    assert shares == ["17", "17"]


def test_a_date_that_cannot_be_read_fails_and_the_others_go_on(tmp_path: Path) -> None:
    make_catalogue(tmp_path, DAYS, clouds={})
    (tmp_path / "images" / DAYS[1] / "made_SCL.tif").write_bytes(b"rubbish")
    yard = site(tmp_path, "{stac: {url: catalog.json}}", "detector: classic\n")
    assert yard.available_dates() == (DAYS[0], DAYS[2])
    told = json.loads(groundbreak("monitor", yard.path, "--out", tmp_path / "out", "--json").stdout)
    (lost,) = (one for one in told["outcomes"] if one["status"] == "failed")
    assert (lost["before"], lost["after"]) == (DAYS[0], DAYS[1])
    assert "made_SCL.tif: " in lost["reason"]
    assert [(one["before"], one["after"]) for one in told["outcomes"] if one["status"] == "done"] == [
        (DAYS[0], DAYS[2])
    ]


def test_what_is_seen_is_measured_once_in_all_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_catalogue(tmp_path, DAYS, clouds={DAYS[1]: slice(0, 24)})
    measured: list[str] = []
    note = [""]

    def counted(items: Any, *rest: Any) -> float:
        measured.extend(item.id for item in items)
        return visible_share(items, *rest)

    monkeypatch.setattr(seen_module, "visible_share", counted)

    def shares() -> list[float]:
        measured.clear()
        looks = site(tmp_path, "{stac: {url: catalog.json}}").looks
        looks.seen.recall(note[0])
        assert looks.usable_days() == DAYS
        note[0] = looks.seen.noted()
        return [look.seen for look in map(looks.look, DAYS) if isinstance(look, Look)]

    first = shares()
    assert first == [1.0, pytest.approx(0.75, abs=0.01), 1.0]
    assert sorted(measured) == [f"made-{day}" for day in DAYS]
    assert (shares(), measured) == (first, [])
    mask = tmp_path / "images" / DAYS[2] / "made_SCL.tif"
    write(mask, np.full((1, 96, 96), 6, "uint8"), BOX, compress="lzw")
    assert (shares(), measured) == (first, [f"made-{DAYS[2]}"])
    note[0] = "[]"
    assert (shares(), len(measured)) == (first, 3)


# Several sensors


def test_of_two_sensors_the_one_that_sees_more_stands_for_a_day(tmp_path: Path) -> None:
    make_catalogue(tmp_path / "a", DAYS[:2], collection="cloudy", clouds={DAYS[1]: slice(0, 48)})
    make_catalogue(tmp_path / "b", DAYS[1:], collection="clear", clouds={})
    fine = grid(192, 192, size=5.0)
    write(
        tmp_path / "fine" / DAYS[2] / "fine.tif", noise(fine, 4), fine, names=["blue", "green", "red", "nir"]
    )
    sources = ["stac: {url: a/catalog.json}", "stac: {url: b/catalog.json}", "files: fine/{date}/*.tif"]
    listed = "".join(f"\n  - {source}" for source in sources)
    yard = site(tmp_path, listed)
    assert yard.available_dates() == DAYS
    assert [item.id for day in DAYS for item in yard.scenes(day)] == [
        f"cloudy-{DAYS[0]}",
        f"clear-{DAYS[1]}",  # it sees more
        "fine",  # sees as much, in smaller pixels
    ]
    assert yard.left_out() == ()
    turned = site(tmp_path, "".join(f"\n  - {source}" for source in sources[::-1]))
    assert [[item.id for item in turned.scenes(day)] for day in DAYS] == [
        [item.id for item in yard.scenes(day)] for day in DAYS
    ]


# Site files


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        ("{stac: {url: 'https://me:secret@host/v1'}}", 3, "the URL holds a password or token"),
        ("{stac: {url: 'https://host/v1?api_key=secret'}}", 3, "the URL holds a password or token"),
        ("{files: 'https://host/{date}.tif?X-Amz-Signature=secret'}", 3, "the URL holds a password or token"),
        (
            "{stac: {url: a, credentials: {Authorization: 'Bearer secret'}}}",
            3,
            "not the name of an environment",
        ),
        ("{stac: {url: a, query: {p: {about: 1}}}}", 3, "unknown operator 'about'; there are eq, neq"),
        ("{stac: {url: a, query: {p: {in: 1}}}}", 3, "in takes a list"),
        ("{stac: {url: a, start: 2024-06-01, end: 2024-05-01}}", 3, "start (2024-06-01) is later than end"),
        ("{stac: {url: a, colections: b}}", 3, "unknown key; is collections meant?"),
        ("\n  - files: a\n  - {stac: {url: a, max_cloud_cover: 101}}", 5, "less than or equal to 100"),
        ("\n  - files: a\n  - {item: a}", 5, "unknown key; is items meant?"),
        ("[]", 3, "at least 1 item"),
        ("{files: a, stac: {url: a}}", 3, "name one of files, items and stac"),
    ],
)
def test_faults_of_a_source(tmp_path: Path, source: str, line: int, message: str) -> None:
    path = site_file(tmp_path, source)
    with pytest.raises(ConfigError) as caught:
        load_site(path)
    told = str(caught.value).splitlines()
    assert any(each.startswith(f"{path}:{line}: source") and message in each for each in told), told
    assert "secret" not in str(caught.value)


def test_a_stac_source_needs_an_area(tmp_path: Path) -> None:
    path = tmp_path / "yard.yaml"
    path.write_text("id: yard\nsource: {stac: {url: catalog.json}}\n")
    with pytest.raises(ConfigError, match=r"yard\.yaml:1: source\.stac needs an aoi"):
        load_site(path)


def test_check_names_what_is_wrong_with_a_catalogue(tmp_path: Path) -> None:
    told = groundbreak("check", site_file(tmp_path, "{stac: {url: none.json}}"))
    assert told.exit_code == 1
    assert "none.json: cannot be searched" in told.output
    source = "{stac: {url: none.json, credentials: {Authorization: NO_SUCH_VARIABLE}}}"
    assert "NO_SUCH_VARIABLE is not set" in groundbreak("check", site_file(tmp_path, source)).output
    make_catalogue(tmp_path, DAYS)
    nothing = groundbreak("check", site_file(tmp_path, "{stac: {url: catalog.json, collections: b}}"))
    assert "two dates are needed; dates with images: none" in nothing.output
