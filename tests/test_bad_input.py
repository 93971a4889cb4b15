"""Bad input on the command line: one clear line that says how to mend it, status 1, nothing left behind."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio.shutil
from imagery import grid, write
from jobs import groundbreak
from numpy.typing import NDArray

SIZE = 96
GRID = grid(SIZE, SIZE, size=1.0)
BESIDE = grid(
    SIZE, SIZE, size=1.0, west=600000.4
)  # where both come on one grid, no match is said, not refused
BANDS = ["blue", "green", "red", "nir"]


def ground(seed: int = 1) -> NDArray[np.uint16]:
    """A texture that can be aligned: the same for all bands but for its level."""
    values = np.random.default_rng(seed).normal(0, 300, (SIZE, SIZE))
    return np.stack([values + level for level in (2000, 2500, 3000, 3500)]).clip(1, 65535).astype("uint16")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two good images and a good site file; the working folder of the test."""
    write(tmp_path / "before.tif", ground(), GRID, names=BANDS, nodata=0)
    write(tmp_path / "after.tif", ground(), GRID, names=BANDS, nodata=0)
    for day in ("2019-09-09", "2019-09-21"):
        write(tmp_path / "images" / day / "tile.tif", ground(), GRID, names=BANDS, nodata=0)
    (tmp_path / "yard.yaml").write_text("id: yard\nsource:\n  files: images/{date}/*.tif\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(folder: Path, *words: object) -> list[str]:
    """The lines that a refused command leaves; it must leave nothing else."""
    there = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    told = groundbreak(*words, "--quiet")
    assert "Traceback" not in told.output
    assert told.exit_code == 1, told.output
    assert told.stdout == ""
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == there
    lines = told.stderr.splitlines()
    assert lines[0].startswith("groundbreak: error: ")
    assert not lines[0].startswith("groundbreak: error: this is a bug")
    return lines


def one_line(folder: Path, *words: object) -> str:
    """The one line, without what all begin with."""
    (line,) = refused(folder, *words)
    return line.removeprefix("groundbreak: error: ")


MENDS = (
    "check", "name", "give", "set", "draw", "choose", "take", "use", "put", "redraw", "write", "save",
    "leave", "ask", "copy", "raise", "the order is",
)  # fmt: skip


def says_how_to_mend(line: str) -> bool:
    """Whether a part of the line after its fact begins with something to do."""
    return any(re.search(rf"[;,:] {word}\b", line) for word in MENDS) or " meant?" in line


# Each makes one fault in a good folder; it gives the words to type, and what the line must name.
Fault = Callable[[Path], tuple[list[object], list[str]]]


def missing_file(folder: Path) -> tuple[list[object], list[str]]:
    return ["befor.tif", "after.tif"], ["befor.tif", "no such file", "before.tif"]


def missing_after(folder: Path) -> tuple[list[object], list[str]]:
    return ["before.tif", "elsewhere/after.tif"], ["elsewhere/after.tif", "no such file"]


def garbage(folder: Path) -> tuple[list[object], list[str]]:
    (folder / "after.tif").write_bytes(b"this is not a GeoTIFF" * 50)
    return ["before.tif", "after.tif"], ["after.tif", "read"]


def empty_file(folder: Path) -> tuple[list[object], list[str]]:
    (folder / "before.tif").write_bytes(b"")
    return ["before.tif", "after.tif"], ["before.tif", "read"]


def cut_short(folder: Path) -> tuple[list[object], list[str]]:
    whole = (folder / "after.tif").read_bytes()
    (folder / "after.tif").write_bytes(whole[: len(whole) // 2])
    return ["before.tif", "after.tif"], ["after.tif", "read"]


def pixels_cut_short(folder: Path) -> tuple[list[object], list[str]]:
    """As a download that broke off: the header of a COG comes first, so the file opens."""
    rasterio.shutil.copy(folder / "after.tif", folder / "cog.tif", driver="COG", compress="deflate")
    whole = (folder / "cog.tif").read_bytes()
    (folder / "after.tif").write_bytes(whole[: len(whole) * 2 // 3])
    return ["before.tif", "after.tif"], ["after.tif", "read"]


def elsewhere(folder: Path) -> tuple[list[object], list[str]]:
    write(folder / "far.tif", ground(), grid(SIZE, SIZE, size=1.0, west=700000.0), names=BANDS, nodata=0)
    return ["before.tif", "far.tif"], ["far.tif", "before.tif"]


def no_crs(folder: Path) -> tuple[list[object], list[str]]:
    write(folder / "bare.tif", ground(), GRID, names=BANDS, crs=None)
    return ["before.tif", "bare.tif"], ["bare.tif", "reference system"]


def no_position(folder: Path) -> tuple[list[object], list[str]]:
    write(folder / "bare.tif", ground(), GRID, names=BANDS, transform=None)
    return ["before.tif", "bare.tif"], ["bare.tif", "position"]


def empty_area(folder: Path) -> tuple[list[object], list[str]]:
    (folder / "area.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    return ["before.tif", "after.tif", "--aoi", "area.geojson"], ["area.geojson", "no area"]


def no_area_file(folder: Path) -> tuple[list[object], list[str]]:
    return ["before.tif", "after.tif", "--aoi", "area.geojson"], ["area.geojson", "no such file"]


def area_elsewhere(folder: Path) -> tuple[list[object], list[str]]:
    return ["before.tif", "after.tif", "--aoi", "2.1,48.1,2.2,48.2"], ["2.1", "48.1", "outside"]


def area_turned(folder: Path) -> tuple[list[object], list[str]]:
    return ["before.tif", "after.tif", "--aoi", "41,34,40,35"], ["41", "west, south, east, north"]


def unknown_band(folder: Path) -> tuple[list[object], list[str]]:
    return ["before.tif", "after.tif", "--bands", "red,swir16"], ["swir16", "red", "nir"]


def no_common_band(folder: Path) -> tuple[list[object], list[str]]:
    write(folder / "infrared.tif", ground()[:1], GRID, names=["swir22"], nodata=0)
    return ["before.tif", "infrared.tif"], ["swir22", "blue"]


def empty_folder(folder: Path) -> tuple[list[object], list[str]]:
    (folder / "nothing").mkdir()
    return ["before.tif", "nothing"], ["nothing", "no image"]


def glob_of_nothing(folder: Path) -> tuple[list[object], list[str]]:
    return ["before.tif", "tiles/*.tif"], ["tiles/*.tif", "no image"]


def clouded(folder: Path) -> tuple[list[object], list[str]]:
    write(folder / "clouds.tif", np.ones((1, SIZE, SIZE), "uint8"), GRID)
    return ["before.tif", "after.tif", "--after-mask", "clouds.tif"], ["after.tif", "clouds", "another date"]


def clouded_by_turns(folder: Path) -> tuple[list[object], list[str]]:
    half = np.zeros((1, SIZE, SIZE), "uint8")
    half[:, :, : SIZE // 2] = 1
    write(folder / "west.tif", half, GRID)
    write(folder / "east.tif", 1 - half, GRID)
    masks: list[object] = ["--before-mask", "west.tif", "--after-mask", "east.tif"]
    return ["before.tif", "after.tif", *masks], ["clouds"]


def all_nodata(folder: Path) -> tuple[list[object], list[str]]:
    write(folder / "after.tif", np.zeros((4, SIZE, SIZE), "uint16"), GRID, names=BANDS, nodata=0)
    return ["before.tif", "after.tif"], ["after.tif", "nodata", "another date"]


def mask_elsewhere(folder: Path) -> tuple[list[object], list[str]]:
    write(folder / "clouds.tif", np.ones((1, SIZE, SIZE), "uint8"), grid(SIZE, SIZE, west=700000.0))
    return ["before.tif", "after.tif", "--after-mask", "clouds.tif"], ["clouds.tif", "outside"]


def no_mask(folder: Path) -> tuple[list[object], list[str]]:
    return ["before.tif", "after.tif", "--after-mask", "clouds.tif"], ["clouds.tif"]


def flat(folder: Path) -> tuple[list[object], list[str]]:
    for name, box in (("before.tif", GRID), ("after.tif", BESIDE)):
        write(folder / name, np.full((4, SIZE, SIZE), 2000, "uint16"), box, names=BANDS, nodata=0)
    return ["before.tif", "after.tif"], ["windows match well"]


def nothing_in_common(folder: Path) -> tuple[list[object], list[str]]:
    write(folder / "after.tif", ground(seed=2), BESIDE, names=BANDS, nodata=0)
    return ["before.tif", "after.tif"], ["windows match well"]


def out_is_a_file(folder: Path) -> tuple[list[object], list[str]]:
    (folder / "taken").write_text("mine")
    return ["before.tif", "after.tif", "--out", "taken"], ["taken", "--out"]


def out_under_a_file(folder: Path) -> tuple[list[object], list[str]]:
    (folder / "taken").write_text("mine")
    return ["before.tif", "after.tif", "--out", "taken/result"], ["taken/result", "--out"]


FAULTS: list[Fault] = [
    missing_file, missing_after, garbage, empty_file, cut_short, pixels_cut_short, elsewhere, no_crs,
    no_position, empty_area, no_area_file, area_elsewhere, area_turned, unknown_band, no_common_band,
    empty_folder, glob_of_nothing, clouded, clouded_by_turns, all_nodata, mask_elsewhere, no_mask, flat,
    nothing_in_common, out_is_a_file, out_under_a_file,
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__.replace("_", " "))
def test_compare_refuses_in_one_line(fault: Fault, folder: Path) -> None:
    words, named = fault(folder)
    options = [] if "--out" in words else ["--out", "result"]
    line = one_line(folder, "compare", *words, *options)
    for part in named:
        assert part in line
    assert says_how_to_mend(line), line
    assert not (folder / "result").exists()
    assert not list(folder.rglob(".groundbreak-*"))


def test_the_good_pair_is_not_refused(folder: Path) -> None:
    """Or the refusals above might all have one cause."""
    told = groundbreak("compare", "before.tif", "after.tif", "--out", "result", "--quiet")
    assert (told.exit_code, told.stderr) == (0, "")


def test_one_even_surface_on_one_grid_is_no_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("before.tif", "after.tif"):
        write(tmp_path / name, np.full((4, SIZE, SIZE), 2000, "uint16"), GRID, names=BANDS, nodata=0)
    told = groundbreak("compare", "before.tif", "after.tif", "--out", "result", "--quiet")
    assert told.exit_code == 0
    assert "No change found" in told.output


# Site files


def site(folder: Path, text: str) -> str:
    (folder / "yard.yaml").write_text(text)
    return "yard.yaml"


GOOD = "id: yard\nsource:\n  files: images/{date}/*.tif\n"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (GOOD + "flagg:\n  min_area_m2: 9\n", ["flagg", "flag"]),
        (GOOD + "flag:\n  min_aera_m2: 9\n", ["min_aera_m2", "min_area_m2"]),
        (GOOD + "flag:\n  min_area_m2: lots\n", ["min_area_m2", "lots"]),
        (GOOD + "aoi: nowhere.geojson\n", ["nowhere.geojson"]),
        (GOOD + "aoi: [2.1, 48.1, 2.2, 48.2]\n", ["2.1", "outside"]),
        (GOOD + "bands: [red, swir16]\n", ["swir16", "red", "nir"]),
        (GOOD + "dates: {before: 2019-09-09, after: 2019-10-01}\n", ["2019-10-01", "2019-09-21"]),
        (GOOD + "dates: {before: 2019-09-21, after: 2019-09-09}\n", ["2019-09-21", "2019-09-09"]),
        (GOOD.replace("images", "pictures"), ["yard", "two dates"]),
        ("id: yard\n", ["source"]),
        ("id: [yard\n", ["yard.yaml"]),
        ("", ["yard.yaml"]),
    ],
    ids=[
        "unknown section", "unknown key", "not a number", "no area file", "area elsewhere", "unknown band",
        "no images of a date", "dates turned", "no images at all", "no source", "not yaml", "empty",
    ],
)  # fmt: skip
def test_run_refuses_a_site_file(text: str, named: list[str], folder: Path) -> None:
    lines = refused(folder, "run", folder / site(folder, text), "--out", "result")
    assert len(lines) == 1
    for part in named:
        assert part in lines[0]
    assert not (folder / "result").exists()


def test_all_that_is_wrong_is_said_at_once(folder: Path) -> None:
    wrong = "idd: yard\nsource:\n  flies: images/*.tif\nflag:\n  min_confidence: 3\n"
    lines = refused(folder, "run", folder / site(folder, wrong), "--out", "result")
    text = "\n".join(lines)
    for key in ("idd", "flies", "min_confidence"):
        (line,) = [line for line in lines if key in line]
        assert "yard.yaml" in line
    assert "id" in text
    assert len(lines) >= 3


@pytest.mark.parametrize("absolute", [True, False])
def test_run_with_dates_that_have_no_images(absolute: bool, folder: Path) -> None:
    file = folder / "yard.yaml" if absolute else "yard.yaml"
    line = one_line(folder, "run", file, "--before", "2018-01-01", "--after", "2019-09-21")
    for part in ("2018-01-01", "2019-09-09", "2019-09-21"):
        assert part in line


def test_a_failed_run_leaves_an_older_result_as_it_was(folder: Path) -> None:
    assert groundbreak("compare", "before.tif", "after.tif", "--out", "result", "--quiet").exit_code == 0
    write(folder / "clouds.tif", np.ones((1, SIZE, SIZE), "uint8"), GRID)
    options = ("--after-mask", "clouds.tif", "--out", "result")
    one_line(folder, "compare", "before.tif", "after.tif", *options)  # compares the whole folder
    assert (folder / "result" / "run.json").is_file()


def test_align_refuses_likewise(folder: Path) -> None:
    for fault in (missing_file, cut_short, elsewhere, flat):
        words, named = fault(folder)
        line = one_line(folder, "align", *words, "--out", "result")
        assert all(part in line for part in named)
        assert not (folder / "result").exists()
        (folder / "after.tif").unlink()
        write(folder / "after.tif", ground(), GRID, names=BANDS, nodata=0)


def test_a_folder_that_may_not_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may read everything, so it is only said to be so; the corpus has it for others."""

    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    (folder / "closed").mkdir()
    monkeypatch.setattr(Path, "iterdir", refuse)
    told = groundbreak("compare", "before.tif", "closed", "--out", "result", "--quiet")
    assert (told.exit_code, told.stdout) == (1, "")
    assert "closed: cannot be looked into (permission denied); check the path." in told.stderr
