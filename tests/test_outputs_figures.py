"""overview.png and what it is made of: bands, stretch, hatching, numbers that do not cover each other."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
import pytest
import shapely
from outputs_fixture import BUILT, ground, make_findings, make_rasters, make_summary, write_cog
from PIL import Image

from pipeline.errors import SourceUnreadableError
from pipeline.outputs.figures import draw_overview, write_overview
from pipeline.outputs.labels import place
from pipeline.outputs.picture import (
    GREY,
    Stretch,
    common_stretch,
    display_bands,
    fitted,
    hatch,
    read_comparison,
    read_physical,
)
from pipeline.outputs.words import nice_length


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("result")
    make_rasters(path)
    return path


@pytest.mark.parametrize(
    ("names", "indexes", "word"),
    [
        (("blue", "green", "red", "nir"), (3, 2, 1), "true colour"),
        (("green", "red", "nir"), (3, 2, 1), "false colour"),
        (("pan",), (1, 1, 1), "grey"),
        (("nir", "swir16"), (1, 1, 1), "grey: nir"),
        ((None, None, None, None), (1, 2, 3), "first three"),
    ],
)
def test_bands_for_the_eye(names: tuple[str | None, ...], indexes: tuple[int, int, int], word: str) -> None:
    shown = display_bands(names)
    assert shown.indexes == indexes
    assert word in shown.label


def test_one_stretch_serves_both_dates(folder: Path) -> None:
    view = read_comparison(folder, 1600)
    r0, c0, r1, c1 = BUILT
    same = ~view.unobserved
    same[r0:r1, c0:c1] = False
    np.testing.assert_array_equal(view.before[same], view.after[same])
    assert view.after[r0:r1, c0:c1].min() > view.before[r0:r1, c0:c1].max()  # the new roof is brighter
    assert (view.after[view.unobserved] == GREY).all()


def test_unobserved_is_what_change_says_and_has_no_probability(folder: Path) -> None:
    view = read_comparison(folder, 1600)
    assert view.unobserved[-10:].all()
    assert not view.unobserved[:-10].any()
    assert (view.percent[view.unobserved] == 0).all()
    r0, c0, r1, c1 = BUILT
    assert (view.percent[r0:r1, c0:c1] == 95).all()


def test_values_are_physical_and_nodata_does_not_leak_into_reduced_pixels(tmp_path: Path) -> None:
    data = np.full((1, 64, 64), 5000, np.uint16)
    data[:, :, 32:] = 0
    write_cog(tmp_path / "a.tif", data, nodata=0, scale=1e-4, offset=-0.1)
    reduced = read_physical(tmp_path / "a.tif", [1], (4, 4))
    np.testing.assert_allclose(reduced[0, :, :2], 0.4, atol=1e-6)
    assert np.isnan(reduced[0, :, 2:]).all()


def test_stretch_of_nothing_or_of_one_value_is_still_a_picture() -> None:
    nothing = np.full((3, 4, 4), np.nan, np.float32)
    assert (common_stretch([nothing])(nothing) == GREY).all()
    flat = np.full((3, 4, 4), 0.3, np.float32)
    assert (common_stretch([flat])(flat) == 0).all()


def test_stretch_goes_from_black_to_white() -> None:
    stretch = Stretch(np.zeros(3, np.float32), np.ones(3, np.float32))
    ramp = np.broadcast_to(np.array([[-1.0, 0.0, 1.0, 2.0]], np.float32), (3, 1, 4))
    assert stretch(ramp)[0, :, 0].tolist() == [0, 0, 255, 255]


def test_pictures_are_reduced_to_the_limit_and_never_enlarged() -> None:
    assert fitted(10980, 5490, 1600) == (1600, 800)
    assert fitted(650, 640, 1400) == (650, 640)
    assert fitted(1, 5000, 1000) == (1, 1000)


def test_hatching_covers_the_mask_and_nothing_else() -> None:
    mask = np.zeros((30, 30), bool)
    mask[:, :12] = True
    drawn = hatch(mask)[..., 3] > 0
    np.testing.assert_array_equal(drawn, mask)


def test_numbers_do_not_cover_each_other_and_stay_in_the_frame() -> None:
    rng = np.random.default_rng(1)
    shapes = [shapely.box(x, y, x + 20, y + 8) for x, y in rng.uniform(100, 300, (40, 2))]
    frame = shapely.box(0, 0, 400, 400)
    labels = place(shapes, [(20.0, 15.0)] * len(shapes), frame)
    boxes = [label for label in labels if label is not None]
    assert len(boxes) == len(shapes)
    assert all(frame.covers(label) for label in boxes)
    pairs = [(a, b) for i, a in enumerate(boxes) for b in boxes[:i]]
    assert max(a.intersection(b).area for a, b in pairs) == 0
    assert all(label.intersection(shape).area == 0 for label, shape in zip(boxes, shapes, strict=True))


def test_no_number_where_there_is_no_room() -> None:
    shape = shapely.box(0, 0, 10, 10)
    assert place([shape], [(20.0, 20.0)], shapely.box(0, 0, 12, 12)) == [None]


def test_scale_bars_are_round() -> None:
    assert [nice_length(span) for span in (1.0, 1.99, 4.9, 73, 0.3, 1000)] == [1, 1, 2, 50, 0.2, 1000]


def test_overview_is_a_png_of_the_right_size_and_the_same_each_time(folder: Path) -> None:
    findings = make_findings()
    summary = make_summary(findings, site={"id": "x", "name": "costs $5 or $6_a"})
    write_overview(findings, folder, summary)
    first = (folder / "overview.png").read_bytes()
    with Image.open(folder / "overview.png") as image:
        assert image.size[0] == 1800
        assert 1000 < image.size[1] < 1300
    write_overview(findings, folder, summary)
    assert (folder / "overview.png").read_bytes() == first


def test_overview_says_what_it_shows(folder: Path) -> None:
    findings = make_findings()
    view = read_comparison(folder, 1600)
    figure = draw_overview(view, findings, make_summary(findings))
    texts = [text.get_text() for text in figure.findobj(matplotlib.text.Text)]
    assert "Imam Ali compound, Boukamal" in texts
    assert sum(text == "MADE IMAGE - simulated, not a photograph" for text in texts) == 2
    assert any("9 September 2019" in text for text in texts)
    assert {"building (1)", "earthwork (1)", "altered (1)", "not observed", "1", "2"} <= set(texts)
    real = draw_overview(view, findings, make_summary(findings, made=False))
    assert not any("MADE" in text.get_text() for text in real.findobj(matplotlib.text.Text))


@pytest.mark.parametrize("count", [0, 60])
def test_overview_of_no_and_of_many_findings(folder: Path, count: int) -> None:
    cells = [(3 + 6 * (i // 12), 4 + 8 * (i % 12)) for i in range(count)]
    rows = [
        {"id": i + 1, "kind": "building", "direction": "new", "confidence": 0.9, "area_m2": 1.0,
         "length_m": 1.0, "width_m": 1.0, "zone": None, "geometry": ground(r, c, r + 4, c + 5)}
        for i, (r, c) in enumerate(cells)
    ]  # fmt: skip
    findings = make_findings(rows)
    figure = draw_overview(read_comparison(folder, 1600), findings, make_summary(findings))
    texts = " ".join(text.get_text() for text in figure.findobj(matplotlib.text.Text))
    assert ("numbers on the best 40 of 60 findings" in texts) == (count == 60)
    assert ("No change found." in texts) == (count == 0)


def test_missing_raster_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadableError, match=str(tmp_path)):
        read_comparison(tmp_path, 100)
