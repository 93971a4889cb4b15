"""Pictures to send to someone: in the language asked for, close up, moving; the same bytes each time."""

from __future__ import annotations

from pathlib import Path

import av
import matplotlib
import numpy as np
import pytest
from outputs_fixture import BUILT, make_findings, make_rasters, make_summary
from pages_site import DAYS, monitored, write_site
from PIL import Image
from scipy import ndimage

from pipeline.config import load_site
from pipeline.config.pictures import Pictures
from pipeline.errors import ConfigError
from pipeline.outputs import style
from pipeline.outputs.chips import write_all_chips
from pipeline.outputs.embed import close_up
from pipeline.outputs.figures import draw_overview, write_overview
from pipeline.outputs.languages import LANGUAGES
from pipeline.outputs.lettering import line
from pipeline.outputs.picture import read_comparison
from pipeline.outputs.timelapse import write_timelapse
from pipeline.pages import write_site_page


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("result")
    make_rasters(path)
    return path


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_language_has_every_word(code: str) -> None:
    language = LANGUAGES[code]
    assert len(set(language.months)) == 12
    assert set(language.kinds) == set(style.KINDS)
    assert set(language.directions) == set(style.DIRECTIONS)
    assert len(set(language.kinds.values())) == len(style.KINDS)
    assert "2019" in language.long_date("2019-09-21T10:00:00Z")
    for text, names in (
        (language.pixel, "size"),
        (language.observed, "share"),
        (language.numbered, "some all"),
    ):
        assert all(f"{{{name}}}" in text for name in names.split())


def test_the_overview_speaks_the_language_and_reads_its_way(folder: Path) -> None:
    findings = make_findings()
    view = read_comparison(folder, 1600)
    drawn = {
        code: draw_overview(view, findings, make_summary(findings), LANGUAGES[code]) for code in ("fr", "ar")
    }
    words = {
        code: {text.get_text() for text in figure.findobj(matplotlib.text.Text)}
        for code, figure in drawn.items()
    }
    assert {"Avant  ·  9 septembre 2019", "bâtiment (1)", "modifié (1)", "non observé"} <= words["fr"]
    assert {"قبل  ·  9 سبتمبر 2019", "مبنى (1)", "معدّل (1)"} <= words["ar"]
    left = [[axes.get_position().x0 for axes in figure.axes[:2]] for figure in drawn.values()]
    assert left[0][0] < left[0][1]  # before, then after
    assert left[1][0] > left[1][1]


def test_arabic_is_shaped_and_runs_from_the_right() -> None:
    """Its letters are joined, but where the text keeps them apart; the line ends at the right edge."""
    joined, apart = (
        line(text, 900, 40, rtl=True) for text in ("محمد", " ".join("محمد").replace(" ", "\u200c"))
    )
    assert [ndimage.label((picture < 128).any(axis=2))[1] for picture in (joined, apart)] == [1, 4]
    assert (joined[:, -60:] < 128).any()
    assert not (joined[:, :400] < 128).any()


def test_a_line_that_has_no_room_is_made_smaller() -> None:
    long = line("a very long site name " * 20, 300, 30)
    assert long.shape == (30, 300, 3)
    assert (long[:, -4:] == 255).all()


def test_insets_show_the_best_of_each_kind_close_up(folder: Path, tmp_path: Path) -> None:
    findings = make_findings()
    view = read_comparison(folder, 1600)
    rows = list(findings.itertuples())
    close = [(row, close_up(folder, view, row.geometry)) for row in rows]
    figure = draw_overview(view, findings, make_summary(findings), close=close)
    assert len(figure.axes) == 2 + 4
    before, after = (np.asarray(axes.images[0].get_array()) for axes in figure.axes[2:4])
    assert after.mean() > before.mean() + 20  # the new roof
    assert [len(axes.collections) for axes in figure.axes[2:4]] == [0, 1]  # outlined after only


@pytest.mark.parametrize("width", [600, 3000])
def test_the_overview_is_as_wide_as_asked(folder: Path, width: int) -> None:
    findings = make_findings()
    write_overview(findings, folder, make_summary(findings), Pictures(width=width, insets=0))
    with Image.open(folder / "overview.png") as image:
        assert image.size[0] == width


def test_chips_are_files_of_the_surest_findings_with_date_and_mark(folder: Path) -> None:
    findings = make_findings()
    write_all_chips(findings, folder, make_summary(findings), Pictures())
    assert not list(folder.glob("finding-*"))
    write_all_chips(findings, folder, make_summary(findings), Pictures(chips=1, language="es"))
    assert {path.name for path in folder.glob("finding-*")} == {
        "finding-001-before.png",
        "finding-001-after.png",
    }
    before, after = (
        np.asarray(Image.open(folder / f"finding-001-{side}.png").convert("RGB")).astype(int)
        for side in ("before", "after")
    )
    assert before.shape == after.shape
    middle = slice(after.shape[0] // 3, after.shape[0] // 2), slice(after.shape[1] // 3, after.shape[1] // 2)
    assert after[middle].mean() > before[middle].mean() + 60
    real = make_summary(findings, made=False)
    write_all_chips(findings, folder, real, Pictures(chips=1))
    with Image.open(folder / "finding-001-after.png") as image:
        assert image.height < after.shape[0]  # without the line that says made


def test_a_moving_picture_goes_through_the_dates_in_order(tmp_path: Path) -> None:
    shades = [40, 120, 200]
    pictures = [
        (day, np.full((60, 90, 3), shade, np.uint8)) for day, shade in zip(DAYS, shades, strict=False)
    ]
    for name in ("a.gif", "b.gif", "a.webp", "b.webp", "a.mp4", "b.mp4"):
        write_timelapse(tmp_path / name, pictures, LANGUAGES["en"], made=True)
    assert (tmp_path / "a.gif").read_bytes() == (tmp_path / "b.gif").read_bytes()
    assert (tmp_path / "a.webp").read_bytes() == (tmp_path / "b.webp").read_bytes()
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    for name in ("a.gif", "a.webp"):
        with Image.open(tmp_path / name) as moving:
            assert moving.n_frames == 3  # type: ignore[attr-defined]
            seen = []
            for number in range(3):
                moving.seek(number)
                frame = np.asarray(moving.convert("RGB")).astype(int)
                seen.append(frame[5:55, 5:85].mean())
                assert frame[-4, 2].tolist() == pytest.approx([176, 0, 32], abs=12)  # the mark of made images
        assert seen == pytest.approx(shades, abs=4)


def test_a_film_shows_each_date_for_a_second_and_the_last_for_longer(tmp_path: Path) -> None:
    shades = [40, 120, 200]
    pictures = [
        (day, np.full((61, 91, 3), shade, np.uint8)) for day, shade in zip(DAYS[:3], shades, strict=True)
    ]
    write_timelapse(tmp_path / "a.mp4", pictures, LANGUAGES["en"], made=False)
    with av.open(str(tmp_path / "a.mp4")) as film:
        seen = [frame.to_ndarray(format="rgb24")[5:55, 5:85].mean() for frame in film.decode(video=0)]
    assert seen == pytest.approx([40] * 10 + [120] * 10 + [200] * 25, abs=5)


def test_a_film_without_what_makes_it_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.config.pictures.find_spec", lambda name: None)
    site = write_site(tmp_path, *DAYS[:2], extra="pictures: {timelapse: [mp4]}\n")
    with pytest.raises(ConfigError, match=r"groundbreak\[video\]"):
        load_site(site)


def test_monitor_makes_the_moving_pictures_that_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = monitored(monkeypatch, tmp_path) / "yard"
    assert not list(folder.glob("timelapse.*"))
    write_site_page(folder, looks=Pictures(timelapse=("gif",), timelapse_width=160))
    with Image.open(folder / "timelapse.gif") as moving:
        assert moving.n_frames == len(DAYS)  # type: ignore[attr-defined]
        assert moving.size[0] == 100  # never enlarged
        moving.seek(len(DAYS) - 1)
        last = np.asarray(moving.convert("RGB")).astype(int)
    r0, c0, r1, c1 = BUILT
    assert last[r0 + 2 : r1 - 2, c0 + 2 : c1 - 2].mean() > last[: r0 - 2].mean() + 60
    assert 'href="timelapse.gif"' in (folder / "index.html").read_text(encoding="utf-8")


def test_pictures_are_set_in_the_site_file(tmp_path: Path) -> None:
    site = write_site(
        tmp_path, *DAYS[:2], extra="pictures: {language: ar, chips: 3, timelapse: [gif, webp]}\n"
    )
    pictures = load_site(site).settings.pictures
    assert (pictures.language, pictures.chips, pictures.timelapse) == ("ar", 3, ("gif", "webp"))
    for wrong in ("language: de", "width: 100", "timelapse: [avi]", "languages: en"):
        write_site(tmp_path, *DAYS[:2], extra=f"pictures: {{{wrong}}}\n")
        with pytest.raises(ConfigError, match="pictures"):
            load_site(site)
