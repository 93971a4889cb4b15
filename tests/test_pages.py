"""Site pages and the index: what they say is so, for any name, however often and by however many written."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
from jobs import groundbreak
from outputs_fixture import BUILT
from pages_site import DAYS, HOSTILE, Whole, monitored, write_result
from PIL import Image
from test_monitor import write_site

from pipeline.outputs.picture import Stretch
from pipeline.pages import locator, write_index, write_site_page
from pipeline.pages.card import Card
from pipeline.pages.chart import HEIGHT, TimeAxis, stacked
from pipeline.pages.frames import Frames
from pipeline.pages.history import read_history


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        return monitored(patch, tmp_path_factory.mktemp("pages"))


def test_a_card_says_what_was_built_and_when(out: Path) -> None:
    card = Card.read(out / "yard")
    assert card is not None
    assert (card.name, card.made, card.phase) == (HOSTILE, True, "active")
    assert (card.first_date, card.last_date, card.last_activity) == (DAYS[0], DAYS[-1], DAYS[1])
    assert (card.counts, card.built_m2, card.comparisons) == ({"confirmed": 1}, 120.0, 5)
    west, south, east, north = card.box
    assert west < card.place[0] < east
    assert south < card.place[1] < north


def test_each_thing_is_shown_by_the_comparison_that_ends_when_it_came(out: Path) -> None:
    history = read_history(out / "yard")
    assert history is not None
    (thing,) = history.things
    shown = history.shown_by(thing)
    assert shown is not None
    assert shown.folder.name == f"{DAYS[0]}_{DAYS[1]}"


def test_the_page_has_the_facts_and_links_to_every_report(out: Path) -> None:
    page = (out / "yard" / "index.html").read_text(encoding="utf-8")
    for pair in (out / "yard").glob("*_*"):
        assert f'href="{pair.name}/report.html"' in page
        assert (pair / "report.html").is_file()
    for fact in ("120\u202fm²", "1 confirmed", "9 September 2019", "MADE IMAGE", "2019-09-09-01"):
        assert fact in page
    assert "<script>document" not in page
    assert "&lt;script&gt;document" in page


def test_pictures_are_those_of_the_dates_in_one_stretch(out: Path) -> None:
    first, last = (
        np.asarray(Image.open(out / "yard" / "frames" / f"{day}.jpg")).astype(int)
        for day in (DAYS[0], DAYS[-1])
    )
    assert first.shape == (80, 100, 3)
    r0, c0, r1, c1 = BUILT
    inside = slice(r0 + 2, r1 - 2), slice(c0 + 2, c1 - 2)
    assert last[inside].mean() - first[inside].mean() > 80  # the new roof is bright
    assert abs(last[:r0, :].mean() - first[:r0, :].mean()) < 4  # and the rest as it was


def test_written_again_all_is_the_same_and_no_picture_is_drawn_again(out: Path) -> None:
    def files() -> dict[Path, tuple[bytes, int]]:
        return {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in (out / "yard").rglob("*.jpg")}

    page, pictures = (out / "yard" / "index.html").read_bytes(), files()
    index = (out / "index.html").read_bytes()
    write_site_page(out / "yard")
    write_index(out)
    assert (out / "yard" / "index.html").read_bytes() == page
    assert (out / "index.html").read_bytes() == index
    assert files() == pictures
    assert not list(out.rglob(".part-*"))


def test_a_site_that_is_not_followed_has_its_comparisons(tmp_path: Path) -> None:
    for before, after in ((DAYS[0], DAYS[1]), (DAYS[1], DAYS[2])):
        write_result(tmp_path / "plot" / f"{before}_{after}", before, after, "Plot", built=after == DAYS[1])
    write_site_page(tmp_path / "plot")
    card = Card.read(tmp_path / "plot")
    assert card is not None
    assert (card.phase, card.built_m2, card.last_activity, card.comparisons) == (None, None, DAYS[1], 2)
    assert {path.stem for path in (tmp_path / "plot" / "frames").glob("*.jpg")} == set(DAYS[:3])
    page = (tmp_path / "plot" / "index.html").read_text(encoding="utf-8")
    assert "groundbreak monitor" in page
    assert 'id="things"' not in page


def test_a_date_of_another_grid_is_shown_on_the_same_ground(tmp_path: Path) -> None:
    """Its own grid is twice as coarse and begins elsewhere: the house must lie where it lay."""
    import rasterio
    from rasterio.transform import from_origin

    write_result(tmp_path / "plot" / f"{DAYS[0]}_{DAYS[1]}", DAYS[0], DAYS[1], "Plot", built=True)
    write_result(tmp_path / "plot" / f"{DAYS[1]}_{DAYS[2]}", DAYS[1], DAYS[2], "Plot", built=False)
    moved = tmp_path / "plot" / f"{DAYS[1]}_{DAYS[2]}" / "after.tif"
    with rasterio.open(moved) as image:
        data, profile, west, north = image.read(), image.profile, image.transform.c, image.transform.f
        names, scales = image.descriptions, image.scales
    data = np.pad(data, ((0, 0), (4, 0), (6, 0)), constant_values=0)  # two metres north, three west
    profile.update(
        driver="GTiff",
        height=data.shape[1],
        width=data.shape[2],
        transform=from_origin(west - 3, north + 2, 0.5, 0.5),
    )
    with rasterio.open(moved, "w", **profile) as image:
        image.write(data)
        image.descriptions, image.scales = names, scales
    write_site_page(tmp_path / "plot")
    one, other = (
        np.asarray(Image.open(tmp_path / "plot" / "frames" / f"{day}.jpg")).astype(int) for day in DAYS[1:3]
    )
    assert np.abs(one - other)[:65].mean() < 6


def test_run_writes_the_page_of_its_site_and_the_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = write_site(tmp_path, *DAYS[:2])
    monkeypatch.setattr("pipeline.run.run", Whole())
    told = groundbreak("run", site, "--out", tmp_path / "out", "--quiet")
    assert told.exit_code == 0, told.output
    card = Card.read(tmp_path / "out" / "yard")
    assert card is not None
    assert (card.phase, card.findings, card.last_activity) == (None, 1, DAYS[1])
    assert 'href="yard/index.html"' in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


def test_a_new_date_draws_its_own_picture_and_all_are_as_if_drawn_at_once(tmp_path: Path) -> None:
    def result(after: str) -> None:
        write_result(tmp_path / "plot" / f"{DAYS[0]}_{after}", DAYS[0], after, "Plot", built=after != DAYS[1])

    def pictures() -> dict[str, tuple[bytes, int]]:
        files = (tmp_path / "plot" / "frames").glob("*.jpg")
        return {file.stem: (file.read_bytes(), file.stat().st_mtime_ns) for file in files}

    for day in DAYS[1:3]:
        result(day)
    write_site_page(tmp_path / "plot")
    before = pictures()
    result(DAYS[3])
    write_site_page(tmp_path / "plot")
    after = pictures()
    assert after.keys() == {*before, DAYS[3]}
    assert {day: after[day] for day in before} == before
    shutil.rmtree(tmp_path / "plot" / "frames")
    write_site_page(tmp_path / "plot")
    assert {day: drawn for day, (drawn, _) in pictures().items()} == {
        day: drawn for day, (drawn, _) in after.items()
    }


def test_a_date_that_changes_the_stretch_has_all_drawn_again() -> None:
    narrow = Stretch(np.full(3, 0.05, np.float32), np.full(3, 0.31, np.float32)).in_steps()
    alike = Stretch(np.full(3, 0.0505, np.float32), np.full(3, 0.3095, np.float32)).in_steps()
    wide = Stretch(np.full(3, 0.05, np.float32), np.full(3, 0.6, np.float32)).in_steps()
    frames = Frames({DAYS[0]: (Path("before.tif"), "x")}, "EPSG:32637", (0.0, 0.0, 1.0, 1.0), (2, 2))
    assert (narrow.low <= 0.05).all()
    assert (narrow.high >= 0.31).all()
    assert frames.mark_of(DAYS[0], narrow) == frames.mark_of(DAYS[0], alike)
    assert frames.mark_of(DAYS[0], narrow) != frames.mark_of(DAYS[0], wide)


def test_a_withdrawn_date_leaves_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = monitored(monkeypatch, tmp_path) / "yard"
    (tmp_path / "images" / DAYS[-1] / "tile.tif").unlink()
    monitored(monkeypatch, tmp_path, DAYS[:-1])
    assert {path.stem for path in (folder / "frames").glob("*.jpg")} == set(DAYS[:-1])
    assert DAYS[-1] not in (folder / "index.html").read_text(encoding="utf-8")


def test_of_many_that_write_the_index_none_is_lost(out: Path, tmp_path: Path) -> None:
    """While sites are added by several, whoever reads the index finds it whole; the last has all."""

    def add(number: int) -> str:
        folder = tmp_path / f"site-{number:02d}"
        folder.mkdir()
        for name in ("index.html", "site.json"):
            shutil.copy(out / "yard" / name, folder / name)
        write_index(tmp_path)
        return (tmp_path / "index.html").read_text(encoding="utf-8")

    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(add, range(24)))
    assert all(page.endswith("</html>\n") for page in seen)
    last = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert [f'id="site-site-{number:02d}"' in last for number in range(24)] == [True] * 24


def test_what_is_no_card_is_passed_over(out: Path, tmp_path: Path) -> None:
    shutil.copytree(out / "yard", tmp_path / "yard", ignore=shutil.ignore_patterns("*_*"))
    for name, text in (("a", "{"), ("b", "[]"), ("c", '{"id": "../../etc"}')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.html").write_text("x")
        (tmp_path / name / "site.json").write_text(text)
    told = json.loads((tmp_path / "yard" / "site.json").read_text())
    (tmp_path / "yard" / "site.json").write_text(json.dumps({**told, "id": "../../etc"}))
    write_index(tmp_path)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "etc" not in page
    assert page.count('href="yard/index.html"') == 2  # on the map and in the list


def test_no_sites_no_index(tmp_path: Path) -> None:
    write_index(tmp_path)
    write_index(tmp_path / "nowhere")
    assert not list(tmp_path.iterdir())


def test_what_stands_is_stacked_in_steps_on_a_true_time_axis() -> None:
    standing = pd.DataFrame(
        {
            "date": ["2020-01-01", "2020-01-11", "2020-01-31", "2020-01-11", "2020-01-31"],
            "kind": ["building"] * 3 + ["road"] * 2,
            "area_m2": [0.0, 100.0, 100.0, 0.0, 300.0],
        }
    )
    dates = ["2020-01-01", "2020-01-11", "2020-01-31"]
    drawn = stacked(standing, dates)
    assert drawn is not None
    assert drawn.totals == {"2020-01-01": 0.0, "2020-01-11": 100.0, "2020-01-31": 400.0}
    axis = TimeAxis(tuple(dates), 0, 300)
    assert [axis(date) for date in dates] == [0, 100, 300]
    assert [tick.value for tick in drawn.ticks] == [0, 100, 200, 300, 400]
    x = [drawn.axis(date) for date in dates]
    full, quarter = drawn.ticks[-1].y, drawn.ticks[1].y
    assert drawn.areas["building"].startswith(
        f"M{x[0]:g} {HEIGHT - 34:g}L{x[1]:g} {HEIGHT - 34:g}L{x[1]:g} {quarter:g}"
    )
    assert f"{x[2]:g} {full:g}" in drawn.areas["road"]
    assert stacked(standing[standing["area_m2"] == 0], dates) is None


def test_labels_of_dates_do_not_run_into_each_other() -> None:
    axis = TimeAxis(tuple(f"2020-01-{day:02d}" for day in range(1, 31)), 0, 800)
    shown = [axis(date) for date in axis.labelled]
    assert axis.labelled[-1] == "2020-01-30"
    assert min(np.diff(shown)) >= 88


def test_the_map_shows_each_site_where_it_lies() -> None:
    sites = [(41.0, 34.4), (36.3, 33.5), (44.4, 33.3)]
    drawn = locator.locate(sites)
    assert len(drawn.marks) == 3
    meridians = {line.label: line.at for line in drawn.meridians}
    parallels = {line.label: line.at for line in drawn.parallels}
    degree = (meridians["50° E"] - meridians["40° E"]) / 10
    mark = drawn.marks[0]
    assert mark.x == pytest.approx(meridians["40° E"] + degree, abs=0.2)
    upright = (parallels["30° N"] - parallels["40° N"]) / 10
    assert mark.y == pytest.approx(parallels["40° N"] + 5.6 * upright, abs=0.2)
    assert degree / upright == pytest.approx(np.cos(np.radians(33.85)), rel=0.01)


def test_sites_near_each_other_share_a_mark_and_the_far_side_is_joined() -> None:
    assert [mark.sites for mark in locator.locate([(10, 50), (10.01, 50), (30, 50)]).marks] == [(0, 1), (2,)]
    drawn = locator.locate([(179.5, -17.0), (-179.5, -17.0)])  # Fiji, on both sides of the date line
    assert abs(drawn.marks[0].x - drawn.marks[-1].x) < 40
    everywhere = locator.locate([(-170, 0), (0, 70), (100, -40), (170, 10)])
    assert all(0 <= mark.x <= locator.WIDTH and 0 <= mark.y <= locator.HEIGHT for mark in everywhere.marks)


def test_land_is_land_and_sea_is_sea() -> None:
    from importlib.resources import files

    land = shapely.from_geojson((files("pipeline.pages") / "land.json").read_text())
    for lon, lat, dry in (
        (41, 34.4, True),
        (-60, -10, True),
        (134, -25, True),
        (-30, 30, False),
        (51, 42, False),
    ):
        assert land.contains(shapely.Point(lon, lat)) == dry
