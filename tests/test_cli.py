"""The command line: exit status, what goes to which stream, and what the words typed lead to."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from affine import Affine
from shapely.geometry import box
from typer.testing import CliRunner, Result

from pipeline import __version__
from pipeline.cli import app
from pipeline.config import load_site
from pipeline.errors import AlignmentRejectedError
from pipeline.job import Job
from pipeline.progress import Progress
from pipeline.run import Result as RunResult

CRS, WEST, NORTH, SIZE = "EPSG:32637", 600_000.0, 3_800_000.0, 64
ALIGNMENT = {"status": "ok", "reason": "a local field from 80 tie points", "shift_m": [1.25, -0.5]} | {
    "kept_out_points": 80, "residual_px": 0.06, "residual_before_px": 2.5,
}  # fmt: skip


def groundbreak(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def write_image(path: Path, level: int = 1000) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    profile = {"crs": CRS, "transform": Affine(1, 0, WEST, 0, -1, NORTH), "width": SIZE, "height": SIZE}
    with rasterio.open(path, "w", driver="GTiff", count=1, dtype="uint16", nodata=0, **profile) as target:
        target.write(np.full((1, SIZE, SIZE), level, "uint16"))
        target.descriptions = ("pan",)
    return path


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for day in ("2019-08-20", "2019-09-09", "2019-09-21"):
        write_image(tmp_path / "images" / day / "a.tif")
    path = tmp_path / "yard.yaml"
    path.write_text("id: yard\nname: The yard\nsource:\n  files: images/{date}/*.tif\n")
    return path


class FakeRun:
    """Stands in for `run`: remembers the job, gives one finding."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.jobs: list[Job] = []

    def __call__(self, job: Job, progress: Progress) -> RunResult:
        self.jobs.append(job)
        with progress.stage("load"):
            if self.error is not None:
                raise self.error
        numbers = {"confidence": 0.87, "area_m2": 100.0, "length_m": 10.0, "width_m": 10.0}
        house = box(WEST + 10, NORTH - 20, WEST + 20, NORTH - 10)
        frame = {"id": [1], "kind": "building", "direction": "new", "zone": "[red]gate[/red]", **numbers}
        findings = gpd.GeoDataFrame(frame, geometry=[house], crs=CRS)
        return RunResult(job.out, findings, {"alignment": ALIGNMENT, "findings": {"count": 1}})

    def register(self, job: Job, progress: Progress, warp: bool) -> dict[str, Any]:
        """Stands in for `registration.register`."""
        return {**self(job, progress).summary, "warp": warp}


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeRun:
    fake = FakeRun()
    monkeypatch.setattr("pipeline.run.run", fake)
    monkeypatch.setattr("pipeline.registration.register", fake.register)
    return fake


def one_line(text: str) -> str:
    (line,) = text.splitlines()
    return line


def test_version_and_help_with_examples() -> None:
    assert groundbreak("--version").stdout == f"groundbreak {__version__}\n"
    for command in (
        "compare",
        "align",
        "run",
        "monitor",
        "check",
        "init",
        "serve",
        "simulate",
        "score",
        "train",
        "doctor",
        "verify",
    ):
        told = groundbreak(command, "--help")
        assert told.exit_code == 0
        assert f"groundbreak {command} " in told.stdout.split("Examples")[1]
        computing = {"compare", "align", "run", "monitor", "doctor", "verify"}
        assert ("--scheduler" in told.stdout) == (command in computing)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["compare"],
        ["align", "one.tif"],
        ["compare", "a.tif", "b.tif", "--at", "nowhere"],
        ["compare", "a.tif", "b.tif", "c.tif"],
        ["align", "a.tif", "b.tif"],
        ["run", "a.yaml", "--before", "yesterday"],
        ["run", "a.yaml", "--wrokers", "2"],
        ["compare", "a.tif", "b.tif", "--chunk-size", "1"],
        ["compare", "a.tif", "b.tif", "--detector", "clasic"],
        ["explain"],
    ],
)
def test_wrong_usage_is_status_2(words: list[str]) -> None:
    told = groundbreak(*words)
    assert (told.exit_code, "Traceback" in told.output) == (2, False)
    if words:
        assert one_line(told.stderr).startswith("groundbreak: error: ")
        assert "--help`)" in told.stderr


@pytest.mark.parametrize(
    ("words", "meant"), [(["comapre"], "'compare'"), (["run", "a.yaml", "--wrokers", "2"], "--workers")]
)
def test_what_is_nearly_right_is_named(words: list[str], meant: str) -> None:
    assert meant in groundbreak(*words).stderr


@pytest.mark.parametrize(
    "typed", [("--chunk-size", "1"), ("--chunk-size=1",), ("--before-date", "yesterday")]
)
def test_what_cannot_be_is_told_as_it_was_typed(typed: tuple[str, ...]) -> None:
    told = one_line(groundbreak("compare", "a.tif", "b.tif", *typed).stderr)
    option, value = " ".join(typed).replace("=", " ").split()
    assert option in told
    assert re.search(rf"\b{value}\b", told.removeprefix("groundbreak: error: "))


def test_a_detector_nearly_named() -> None:
    assert "is classic meant?" in " ".join(
        groundbreak("run", "a.yaml", "--detector", "clasic").output.split()
    )


@pytest.mark.parametrize(
    "words",
    [
        ["compare", "no.tif", "no.tif"],
        ["run", "no.yaml"],
        ["score", "no", "truth.geojson"],
        ["align", "no", "no", "--out", "o"],
    ],
)
def test_what_is_not_there_is_status_1_and_one_line(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = groundbreak(*words)
    assert (told.exit_code, told.stdout) == (1, "")
    assert re.match(r"groundbreak: error: no", one_line(told.stderr))
    assert list(tmp_path.iterdir()) == []


def test_a_bug_of_ours_is_said_to_be_one(site: Path, fake: FakeRun) -> None:
    fake.error = KeyError("x")
    told = groundbreak("run", site, "--quiet")
    bug = "this is a bug in Groundbreak: KeyError: 'x'; run again with --verbose for the traceback"
    assert (told.exit_code, one_line(told.stderr)) == (1, f"groundbreak: error: {bug}")
    loud = groundbreak("run", site, "--verbose")
    assert loud.exit_code == 1
    assert "Traceback" in loud.stderr
    assert bug in loud.stderr


def test_a_refused_pair_is_status_1(site: Path, fake: FakeRun) -> None:
    fake.error = AlignmentRejectedError("only 3 tie points agree; take other dates")
    told = groundbreak("run", site, "--quiet", "--verbose", "--json")
    assert (told.exit_code, told.stdout) == (1, "")
    assert told.stderr.splitlines()[-1] == "groundbreak: error: only 3 tie points agree; take other dates"
    assert "Traceback" not in told.stderr


def test_json_stands_alone_on_stdout(site: Path, fake: FakeRun, tmp_path: Path) -> None:
    told = groundbreak("run", site, "--out", tmp_path / "out", "--json")
    summary = json.loads(told.stdout)
    assert summary["findings"] == {"count": 1}
    assert summary["folder"] == (tmp_path / "out/yard/2019-09-09_2019-09-21").as_posix()
    assert "The yard, 2019-09-09 to 2019-09-21" in told.stderr
    assert re.search(r"load: \d+\.\d s, \d+ MB", told.stderr)


def test_verbose_is_a_log_with_times(site: Path, fake: FakeRun) -> None:
    told = groundbreak("run", site, "--verbose").stderr.splitlines()
    assert all(
        re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (DEBUG|INFO|WARNING) pipeline", line) for line in told
    )
    assert any("load: 0." in line for line in told)


def test_quiet_leaves_stderr_empty_and_a_table_on_stdout(site: Path, fake: FakeRun) -> None:
    told = groundbreak("run", site, "--quiet")
    assert (told.exit_code, told.stderr) == (0, "")
    assert "building" in told.stdout
    assert "0.87" in told.stdout
    assert "[red]gate[/red]" in told.stdout
    assert told.stdout.splitlines()[-1] == "report: out/yard/2019-09-09_2019-09-21/report.html"


def test_run_takes_dates_and_block_size_from_the_words(site: Path, fake: FakeRun, tmp_path: Path) -> None:
    words = ("--before", "2019-08-20", "--after", "2019-09-09", "--chunk-size", 256)
    assert groundbreak("run", site, "--out", tmp_path / "o", *words).exit_code == 0
    (job,) = fake.jobs
    assert (job.out, job.site_id, job.site_name) == (
        tmp_path / "o/yard/2019-08-20_2019-09-09",
        "yard",
        "The yard",
    )
    assert [item.datetime.date().isoformat() for item in (*job.before, *job.after) if item.datetime] == [
        "2019-08-20",
        "2019-09-09",
    ]
    assert job.settings.compute.chunk_size == 256
    assert groundbreak("run", site).exit_code == 0
    assert fake.jobs[1].settings == load_site(site).settings
    assert fake.jobs[1].out == Path("out/yard/2019-09-09_2019-09-21").absolute()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--before", "2019-09-21", "--after", "2019-09-09"], "2019-09-21 is not earlier than 2019-09-09"),
        (
            ["--before", "2019-09-10", "--after", "2019-09-21"],
            "no images of 2019-09-10; dates with images: 2019-08-20",
        ),
    ],
)
def test_dates_that_cannot_be_compared(words: list[str], told: str, site: Path, fake: FakeRun) -> None:
    result = groundbreak("run", site, *words, "--quiet")
    assert (result.exit_code, fake.jobs) == (1, [])
    assert told in one_line(result.stderr)


def test_compare_hands_its_options_on(fake: FakeRun, tmp_path: Path) -> None:
    images = [write_image(tmp_path / f"{name}.tif") for name in ("before", "after")]
    mask = write_image(tmp_path / "mask.tif")
    words = (
        "--before-date",
        "2019-09-09",
        "--after-date",
        "2019-09-21",
        "--after-mask",
        mask,
        "--bands",
        "red",
    )
    told = groundbreak("compare", *images, "--out", tmp_path / "o", "--aoi", "40.1,34.3,40.2,34.4", *words)
    assert told.exit_code == 0, told.stderr
    (job,) = fake.jobs
    assert (job.out, job.bands, job.before_mask, job.after_mask) == (tmp_path / "o", ("red",), None, mask)
    assert job.site_name == "before.tif to after.tif"
    assert job.aoi is not None
    assert job.aoi.boundingbox.bbox == (40.1, 34.3, 40.2, 34.4)
    assert [item.datetime.date().isoformat() for item in (*job.before, *job.after) if item.datetime] == [
        "2019-09-09",
        "2019-09-21",
    ]
    assert groundbreak("compare", *images, "--aoi", "40.2,34.3,40.1,34.4").exit_code == 1
    assert groundbreak("compare", *images, "--name", "The yard").exit_code == 0
    assert fake.jobs[1].site_name == "The yard"


def test_align_says_status_and_shift(fake: FakeRun, tmp_path: Path) -> None:
    image = write_image(tmp_path / "a.tif")
    given = ("align", image, image, "--out", tmp_path / "o", "--warp", "--after-mask", image)
    told = groundbreak(*given, "--kernel", "lanczos", "--aoi", "40.1,34.3,40.2,34.4", "--quiet")
    assert told.stdout.splitlines()[:3] == [
        "ok: a local field from 80 tie points",
        "shift: +1.25 m east, -0.50 m north",
        "residual: 0.06 px, 2.50 px as delivered (median of 80 tie points, each kept out of the fit)",
    ]
    (job,) = fake.jobs
    assert (job.settings.compute.kernel, job.before_mask, job.after_mask) == ("lanczos", None, image)
    assert job.aoi is not None
    summary = json.loads(
        groundbreak("align", image, image, "--out", tmp_path / "o", "--warp", "--json").stdout
    )
    assert summary["warp"] is True


def test_monitor_fails_only_where_something_failed(site: Path, fake: FakeRun, tmp_path: Path) -> None:
    fake.error = AlignmentRejectedError("too few tie points")
    told = groundbreak("monitor", site, "--out", tmp_path / "o", "--json")
    counts = json.loads(told.stdout)
    assert told.exit_code == 0
    assert (counts["done"], counts["refused"], counts["failed"]) == (0, 3, 0)
    assert counts["outcomes"][0]["reason"] == "too few tie points"
    fake.error = OSError("disk on fire")
    (tmp_path / "other").mkdir()
    told = groundbreak("monitor", site, "--out", tmp_path / "other")
    assert told.exit_code == 1
    assert "3 failed" in told.stdout.splitlines()[-1]
    assert "disk on fire" in told.stdout


def test_check_lists_all_that_is_wrong(site: Path, tmp_path: Path) -> None:
    assert groundbreak("check", site).exit_code == 0
    bad = tmp_path / "bad.yaml"
    bad.write_text(site.read_text() + "flag: {min_confidense: 0.5}\nresolution: -1\naoi: [50, 10, 51, 11]\n")
    told = groundbreak("check", site, bad)
    assert told.exit_code == 1
    wrong = [line for line in told.stdout.splitlines() if line.startswith(str(bad))]
    assert len(wrong) == 2
    assert "min_confidence" in told.stdout
    assert f"{site}: ok" in told.stdout


def test_check_sees_images_that_do_not_show_the_area(site: Path) -> None:
    site.write_text(site.read_text() + "aoi: [50, 10, 51, 11]\n")
    report = json.loads(groundbreak("check", site, "--json").stdout)
    assert report["ok"] is False
    assert any("outside" in problem for problem in report["sites"][0]["problems"])


def test_check_says_what_there_is(site: Path) -> None:
    facts = json.loads(groundbreak("check", site, "--json").stdout)["sites"][0]["facts"]
    assert facts[0] == "2019-08-20: 1 image (pan), 100% covered, no cloud mask"
    assert "64 x 64 pixels of 1 m" in facts[3]
    assert facts[5] in {"detector: classic", "detector: learned"}
    assert "building 5 m a side, road 2.5 m wide" in facts[6]


def test_check_says_what_cannot_be_told(site: Path) -> None:
    text = site.read_text() + "resolution: 3\ndetector: classic\n"
    site.write_text(text)
    facts = json.loads(groundbreak("check", site, "--json").stdout)["sites"][0]["facts"]
    assert facts[4].startswith("reads ")
    assert facts[5] == "detector: classic"
    assert facts[7] == "cannot be told at 3 m a pixel: equipment"


def test_init_writes_what_check_accepts(site: Path) -> None:
    path = site.with_name("new.yaml")
    words = (
        "--id",
        "yard-2",
        "--name",
        "Yard: #2",
        "--images",
        site.parent / "images/{date}/*.tif",
        "--aoi",
        "40.08,34.3,40.1,34.5",
    )
    assert groundbreak("init", path, *words).exit_code == 0
    assert groundbreak("check", path).exit_code == 0, groundbreak("check", path).output
    made = load_site(path)
    assert (made.id, made.name) == ("yard-2", "Yard: #2")
    assert made.aoi is not None
    again = groundbreak("init", path)
    assert (again.exit_code, "--force" in one_line(again.stderr)) == (1, True)
    assert groundbreak("init", path, "--id", "yard-3", "--force").exit_code == 0
    assert load_site(path).id == "yard-3"


def test_every_key_that_init_explains_is_known(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    assert groundbreak("init", path).exit_code == 0
    (tmp_path / "zones").mkdir()
    for name in ("site", "zones/north"):
        area = gpd.GeoSeries([box(40, 34, 41, 35)], crs="EPSG:4326")
        area.to_file(tmp_path / f"{name}.geojson")
    text = path.read_text()
    path.write_text(
        re.sub(r"^# (?=( *(- )?[a-z_ ]+):( |$))", "", text, flags=re.M).replace("../clouds", "clouds")
    )
    assert path.read_text().count("\n# ") < text.count("\n# ") - 10
    made = load_site(path)
    assert made.settings == type(made.settings)(
        flag=made.settings.flag, pictures=made.settings.pictures, crs="EPSG:32637", resolution=0.5
    )
    assert list(made.zones) == ["north compound", "crossing"]
    assert [target.channel for target in made.file.alerts[0].to] == ["file", "atom", "webhook", "apprise"]
    assert made.file.smart is not None
    assert made.pair() == ("2019-09-09", "2019-09-21")
    without = re.sub(r"^source:\n.*\n", "", text.replace("# aoi:", "aoi:"), flags=re.M)
    stac_only = re.sub(r"^# Plain pictures.*\n(#: .*\n)+", "", without, flags=re.M)
    path.write_text(re.sub(r"^#: ", "", stac_only, flags=re.M))
    stac = load_site(path).file.source[0].stac
    assert stac is not None
    assert stac.collections == ("sentinel-2-l2a",)


def test_simulate_then_score(tmp_path: Path) -> None:
    told = groundbreak("simulate", tmp_path, "--seed", 2, "--size", 128, "--json")
    files = json.loads(told.stdout)["files"]
    assert all(Path(file).exists() for file in files.values())
    truth = gpd.read_file(files["truth"])
    with rasterio.open(files["shift_truth"]) as source:
        profile = source.profile | {"count": 1, "dtype": "uint8", "nodata": 255}
        Path(tmp_path / "shift.tif").write_bytes(Path(files["shift_truth"]).read_bytes())
    with rasterio.open(tmp_path / "change.tif", "w", **profile) as target:
        target.write(np.zeros((1, 128, 128), "uint8"))
    truth.assign(id=range(1, len(truth) + 1), confidence=1.0).to_file(tmp_path / "changes.geojson")
    scores = score(tmp_path, files["truth"], "--shift", files["shift_truth"])
    assert scores["objects"]["things"] == len(truth) > 0
    assert scores["objects"]["f1"] == scores["objects"]["kind_accuracy"] == 1.0
    assert scores["alignment"]["residual_max_px"] == 0.0
    told = groundbreak("score", tmp_path, files["truth"])
    assert (told.exit_code, "1.000" in told.stdout) == (0, True)


def score(*words: object) -> Any:
    return json.loads(groundbreak("score", *words, "--json").stdout)


def test_a_scheduler_that_does_not_answer(site: Path, fake: FakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.cluster.CONNECT_SECONDS", 0.2)
    told = groundbreak("run", site, "--scheduler", "tcp://127.0.0.1:9")
    assert (told.exit_code, fake.jobs) == (1, [])
    assert one_line(told.stderr).startswith(
        "groundbreak: error: no Dask scheduler answers at 'tcp://127.0.0.1:9'"
    )


def test_as_a_program(tmp_path: Path) -> None:
    """Streams and status as a shell sees them, through `python -m pipeline`."""
    command = [sys.executable, "-m", "pipeline", "compare", "no.tif", "no.tif", "--json"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout) == (1, "")
    assert one_line(told.stderr).startswith("groundbreak: error: no.tif")


def program(*words: object, **environment: str) -> subprocess.Popen[str]:
    """The command as a shell starts it, in a group of its own."""
    known = {
        key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "FORCE_COLOR", "TERM"}
    }
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline", *map(str, words)],
        env=known | environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip


@pytest.mark.parametrize("more", [(), ("--workers", 2)])
def test_ctrl_c_ends_it_with_one_line(made: Path, tmp_path: Path, more: tuple[object, ...]) -> None:
    with program("compare", made / "before", made / "after", "--out", tmp_path / "o", *more) as running:
        assert running.stderr is not None
        for line in running.stderr:
            if line.startswith("  load: "):
                break
        os.killpg(running.pid, signal.SIGINT)  # as a terminal does: to workers too
        out, err = running.communicate(timeout=120)
    assert (running.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "groundbreak: stopped; the same command goes on from here"
    assert "Traceback" not in err
    assert not (tmp_path / "o" / "run.json").exists()


def test_a_reader_that_leaves_is_no_fault() -> None:
    with program("compare", "--help") as running:
        assert running.stdout is not None
        running.stdout.close()
        assert running.stderr is not None
        assert running.stderr.read() == ""


@pytest.mark.parametrize(
    ("environment", "words", "coloured"),
    [
        ({}, (), False),
        ({"FORCE_COLOR": "1", "TERM": "xterm"}, (), True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1", "TERM": "xterm"}, (), False),
        ({"FORCE_COLOR": "1", "TERM": "xterm"}, ("--no-colour",), False),
        ({"TERM": "dumb"}, (), False),
    ],
)
def test_colours_are_as_asked_for(
    environment: dict[str, str], words: tuple[str, ...], coloured: bool
) -> None:
    out, _ = program("compare", *words, "--help", **environment).communicate(timeout=60)
    assert ("\x1b[1;32m" in out, "Examples:" in out) == (coloured, True)


def test_a_warning_is_said_once_for_all_files(tmp_path: Path) -> None:
    for day in ("2019-08-20", "2019-09-09", "2019-09-21"):
        path = write_image(tmp_path / "images" / day / "a.tif")
        with rasterio.open(path) as source:
            profile, values = source.profile, source.read()
        with rasterio.open(path, "w", **profile | {"count": 2}) as target:
            target.write(np.concatenate([values, values]))
    words = ("init", tmp_path / "site.yaml", "--images", tmp_path / "images")
    assert groundbreak(*words).stderr.count("bands are not named") == 1
    assert groundbreak(*words, "--force", "--verbose").stderr.count("bands are not named") == 3


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete(shell: str) -> None:
    script, _ = program(_GROUNDBREAK_COMPLETE=f"source_{shell}").communicate(timeout=60)
    assert "complete" in script
    for begun, place, offers, others in (
        ("groundbreak com", 1, "compare", "monitor"),
        ("groundbreak run a.yaml --detector cl", 4, "classic", "learned"),
    ):
        asked = {"COMP_WORDS": begun, "COMP_CWORD": str(place), "_TYPER_COMPLETE_ARGS": begun}
        asked |= {"_GROUNDBREAK_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
        offered, _ = program(**asked).communicate(timeout=60)
        assert offers in offered
        assert others not in offered
