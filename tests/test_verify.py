"""`groundbreak verify`: whatever is wrong with a result is named, and a whole one can be made again."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from imagery import grid, noise, write
from jobs import FILES, compare, groundbreak, run_json
from odc.geo import Geometry
from servers import served

from pipeline.config import Settings
from pipeline.job import Job
from pipeline.recipe import job_from, recipe
from pipeline.scenes import describe
from pipeline.verify import Verdict, verify

HERE = Path(__file__).parent


@pytest.fixture
def result(compared: Path, tmp_path: Path) -> Path:
    """A copy, to be spoilt."""
    return Path(shutil.copytree(compared, tmp_path / "result"))


def verdict(result: object, again: bool = False) -> Verdict:
    (one,) = verify(str(result), again)
    return one


def edit(run: Path, change: Callable[[dict[str, Any]], object]) -> None:
    told = json.loads(run.read_text(encoding="utf-8"))
    change(told)
    run.write_text(json.dumps(told), encoding="utf-8")


def test_a_result_is_whole_and_unchanged(result: Path) -> None:
    said = groundbreak("verify", result)
    assert said.exit_code == 0
    assert "whole and unchanged; 13 files, run.json SHA-256" in said.stdout
    told = json.loads(groundbreak("verify", result, "--json").stdout)
    assert told["ok"] is True
    assert told["results"][0]["files"] == len(FILES)
    assert told["results"][0]["sha256"] in said.stdout


@pytest.mark.parametrize("name", sorted(FILES - {"run.json"}))
def test_each_file_is_watched(result: Path, name: str) -> None:
    content = (result / name).read_bytes()
    middle = len(content) // 2
    spoilt = {
        "was altered": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
        f"has {middle} bytes, not {len(content)}": content[:middle],
    }
    for message, text in spoilt.items():
        (result / name).write_bytes(text)
        (problem,) = verdict(result).problems
        assert problem.startswith(f"{name}: {message}")
    (result / name).unlink()
    assert verdict(result).problems == (f"{name}: is missing, or cannot be read",)


def altered(told: dict[str, Any]) -> None:
    told["settings"]["flag"]["min_confidence"] = 0.9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (altered, "does not fit the fingerprint"),
        (lambda told: told["before"]["inputs"][0].update(sha256="0" * 64), "does not fit the fingerprint"),
        (lambda told: told["job"].update(bands=["red"]), "does not fit the fingerprint"),
        (lambda told: told["files"][0].update(href="../../etc/passwd"), "is not a file of the result"),
        (lambda told: told["files"][0].update(href="/etc/passwd"), "is not a file of the result"),
        (lambda told: told.pop("files"), "is not one that this version"),
        (lambda told: told.update(files=7), "is not one that this version"),
        (lambda told: told.update(before=None), "is not one that this version"),
    ],
)
def test_an_altered_record_is_told(
    result: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    edit(result / "run.json", change)
    said = groundbreak("verify", result)
    (line,) = said.stdout.splitlines()
    assert (said.exit_code, message in line) == (1, True), said.stdout


def test_what_is_no_result_is_told(tmp_path: Path, result: Path) -> None:
    said = groundbreak("verify", tmp_path / "none")
    assert said.exit_code == 1
    (line,) = said.stderr.splitlines()
    assert f"{tmp_path / 'none'}: no such folder" in line
    (result / "run.json").unlink()
    said = groundbreak("verify", result)
    assert said.exit_code == 1
    (line,) = said.stdout.splitlines()
    assert f"{result}: no run.json: the run did not end" in line


def test_all_results_of_a_folder_are_looked_at_also_unfinished_ones(compared: Path, tmp_path: Path) -> None:
    for name in ("a/2020-01-01_2020-01-02", "a/2020-01-01_2020-01-03", "b/2020-01-01_2020-01-02"):
        shutil.copytree(compared, tmp_path / name)
    (tmp_path / "a/2020-01-01_2020-01-03/run.json").unlink()
    found = {Path(one.result).relative_to(tmp_path).as_posix(): one.problems for one in verify(str(tmp_path))}
    assert found["a/2020-01-01_2020-01-02"] == found["b/2020-01-01_2020-01-02"] == ()
    (problem,) = found["a/2020-01-01_2020-01-03"]
    assert "the run did not end" in problem


def test_a_result_on_a_web_server(result: Path) -> None:
    with served(sys.executable, str(HERE / "web_server.py"), str(result.parent)) as address:
        assert verdict(f"{address}/result").ok
        (result / "change.tif").unlink()
        assert verdict(f"{address}/result/").problems == ("change.tif: is missing, or cannot be read",)
        assert "no run.json" in verdict(f"{address}/nothing").problems[0]


def test_a_result_is_made_again_by_its_record_alone(made: Path, tmp_path: Path) -> None:
    """With all that a record must hold: tiles, masks, an area, bands, other blocks and a name."""
    with_mask = tmp_path / "cloud.tif"
    box = grid(4, 4, size=16.0)
    inside = describe(str(made / "before"))[0].geometry
    west, south, east, north = shapely.geometry.shape(inside).bounds
    first = describe(str(made / "before"))[0].assets["image"].extra_fields["proj:transform"]
    box = type(box)(box.shape, type(box.transform)(8, 0, first[2], 0, -8, first[5]), "EPSG:32637")
    write(with_mask, np.eye(4, dtype="uint8")[None], box)
    out = compare(
        made / "before", made / "after", tmp_path / "result",
        "--before-mask", with_mask, "--aoi", f"{west},{south},{east},{north}", "--bands", "red,nir",
        "--detector", "classic", "--chunk-size", "128",
    )  # fmt: skip
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    said = groundbreak("verify", out, "--again")
    assert said.exit_code == 0, said.output
    assert "made again the same" in said.stdout
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_what_cannot_have_come_from_the_record_is_told(made: Path, result: Path) -> None:
    """A file that was changed together with its checksum."""
    picture = result / "overview.png"
    picture.write_bytes(b"another picture")
    record = next(one for one in run_json(result)["files"] if one["href"] == "overview.png")
    record |= {"sha256": hashlib.sha256(b"another picture").hexdigest(), "bytes": 15}

    def forge(told: dict[str, Any]) -> None:
        told["files"] = [record if one["href"] == "overview.png" else one for one in told["files"]]

    edit(result / "run.json", forge)
    assert verdict(result).ok
    assert verdict(result, again=True).problems == (
        "overview.png: is not the same when the job is done again",
    )


def test_an_alignment_is_made_again(made: Path, tmp_path: Path) -> None:
    said = groundbreak("align", made / "before", made / "after", "--out", tmp_path / "a", "--warp", "--quiet")
    assert said.exit_code == 0, said.output
    assert verdict(tmp_path / "a", again=True).problems == ()


def test_an_input_that_is_another_or_gone_is_told(made: Path, tmp_path: Path) -> None:
    images = Path(shutil.copytree(made, tmp_path / "images"))
    out = compare(images / "before", images / "after", tmp_path / "result", "--detector", "classic")
    tile, *_ = sorted((images / "after").glob("*.tif"))
    content = tile.read_bytes()
    tile.write_bytes(content + b" ")
    (problem,) = verdict(out, again=True).problems
    assert problem == f"input {tile}: is not any longer the file that was read; put that back"
    tile.unlink()
    (problem,) = verdict(out, again=True).problems
    assert problem == f"input {tile}: cannot be read any longer; put it back to check the result"
    assert verdict(out).ok  # the result itself is as it was


def test_a_recipe_tells_all_of_a_job() -> None:
    """A field that is added to Job must be told there, or run.json does not suffice to do it again."""
    told = {"site_id", "site_name", "before", "after", "before_mask", "after_mask", "aoi", "zones", "exclude"}
    assert {field.name for field in dataclasses.fields(Job)} == told | {"bands", "settings", "out"}


def test_a_recipe_is_the_same_after_a_journey_through_json(tmp_path: Path) -> None:
    box = grid(64, 64)
    items = describe(write(tmp_path / "a.tif", noise(box), box, names=["blue", "green", "red", "nir"]))
    items[0].assets["image"].href = "https://user:SECRET@host/a.tif?sig=SECRET"
    area = Geometry(shapely.Point(1 / 3, 2 / 3).buffer(0.1), "EPSG:4326")
    job = Job(
        "yard", "Yard", tmp_path, tuple(items), tuple(items), Settings(crs="EPSG:32637", resolution=1 / 3),
        before_mask=tmp_path / "m.tif", aoi=area, zones={"z": area, "a": area}, exclude={"e": area},
        bands=("red", "nir"),
    )  # fmt: skip
    told = recipe(job)
    assert "SECRET" not in json.dumps(told)
    again = job_from(json.loads(json.dumps(told)), tmp_path)
    assert recipe(again) == told
    assert again.settings == job.settings
    assert again.aoi == job.aoi
