"""What `monitor --dry-run` says, and that it leaves nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jobs import groundbreak
from test_monitor import DAYS, FakeRun, watch, write_site


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def planned(site: Path, out: Path) -> dict[str, Any]:
    told = groundbreak("monitor", site, "--out", out, "--dry-run", "--json")
    assert told.exit_code == 0, told.output
    said: dict[str, Any] = json.loads(told.stdout)
    return said


def size(folder: Path, *days: str) -> int:
    return sum((folder / "images" / day / "tile.tif").stat().st_size for day in days)


def test_a_new_site_is_all_to_be_done_and_nothing_is_written(tmp_path: Path) -> None:
    site = write_site(tmp_path, *DAYS)
    before = tree(tmp_path)
    said = planned(site, tmp_path / "out")
    assert (said["planned"], said["skipped"], said["bytes"]) == (2, 0, size(tmp_path, *DAYS))
    (one,) = said["sites"]
    assert one["dates"] == list(DAYS)
    pairs = [(outcome["before"], outcome["after"], outcome["status"]) for outcome in one["outcomes"]]
    assert pairs == [(DAYS[0], DAYS[1], "planned"), (DAYS[1], DAYS[2], "planned")]
    assert tree(tmp_path) == before
    assert not (tmp_path / "out").exists()


def test_a_new_date_costs_its_own_pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site, out = write_site(tmp_path, *DAYS[:2]), tmp_path / "out"
    watch(monkeypatch, FakeRun(), out, site)
    said = planned(site, out)
    assert (said["planned"], said["skipped"], said["bytes"]) == (0, 1, 0)
    write_site(tmp_path, DAYS[2])
    before = tree(tmp_path)
    said = planned(site, out)
    assert (said["planned"], said["skipped"], said["bytes"]) == (1, 1, size(tmp_path, *DAYS[1:]))
    assert tree(tmp_path) == before


def test_what_was_refused_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site, out = write_site(tmp_path, *DAYS), tmp_path / "out"
    watch(monkeypatch, FakeRun(bad=DAYS[1]), out, site)
    said = planned(site, out)
    assert [(o["status"], o["after"]) for o in said["sites"][0]["outcomes"]] == [
        ("refused", DAYS[1]), ("skipped", DAYS[2]),
    ]  # fmt: skip


def test_in_words(tmp_path: Path) -> None:
    told = groundbreak("monitor", write_site(tmp_path, *DAYS), "--out", tmp_path / "out", "--dry-run")
    assert "2 planned, 0 skipped, 0 refused, 0 failed" in told.stdout
    assert "nothing was computed or written" in told.stdout


def test_a_broken_site_fails_the_plan(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("id: broken\nsauce: {}\n")
    told = groundbreak("monitor", tmp_path / "broken.yaml", "--out", tmp_path / "out", "--dry-run", "--json")
    assert told.exit_code == 1
    assert "sauce" in json.loads(told.stdout)["sites"][0]["outcomes"][0]["reason"]
