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


def pairs(said: dict[str, Any], status: str) -> list[str]:
    (one,) = said["sites"]
    return [f"{o['before']}_{o['after']}" for o in one["outcomes"] if o["status"] == status]


def test_a_new_site_is_all_to_be_done_as_it_then_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site, out = write_site(tmp_path, *DAYS), tmp_path / "out"
    before = tree(tmp_path)
    said = planned(site, out)
    assert said["sites"][0]["dates"] == list(DAYS)
    assert (said["planned"], said["skipped"], said["bytes"]) == (5, 0, size(tmp_path, *DAYS))
    assert tree(tmp_path) == before
    assert not out.exists()
    watch(monkeypatch, fake := FakeRun(), out, site)
    assert pairs(said, "planned") == fake.pairs


def test_a_new_date_costs_its_own_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site, out = write_site(tmp_path, *DAYS[:3]), tmp_path / "out"
    watch(monkeypatch, FakeRun(), out, site)
    said = planned(site, out)
    assert (said["planned"], said["skipped"], said["bytes"]) == (0, 3, 0)
    write_site(tmp_path, DAYS[3])
    before = tree(tmp_path)
    said = planned(site, out)
    assert pairs(said, "planned") == [f"{DAYS[0]}_{DAYS[3]}", f"{DAYS[2]}_{DAYS[3]}"]
    assert said["bytes"] == size(tmp_path, DAYS[0], DAYS[2], DAYS[3])
    assert tree(tmp_path) == before


@pytest.mark.parametrize("wrong", [{"bad": DAYS[1]}, {"clouded": DAYS[1]}, {"bad": DAYS[0]}])
def test_what_was_refused_or_clouded_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, str]
) -> None:
    site, out = write_site(tmp_path, *DAYS), tmp_path / "out"
    outcomes = watch(monkeypatch, FakeRun(**wrong), out, site)
    said = planned(site, out)
    assert pairs(said, "refused") == [f"{o.before}_{o.after}" for o in outcomes if o.status == "refused"]
    assert pairs(said, "skipped") == [f"{o.before}_{o.after}" for o in outcomes if o.status == "done"]
    assert said["planned"] == 0


def test_in_words(tmp_path: Path) -> None:
    told = groundbreak("monitor", write_site(tmp_path, *DAYS), "--out", tmp_path / "out", "--dry-run")
    assert "5 planned, 0 skipped, 0 refused, 0 failed" in told.stdout
    assert "nothing was computed or written" in told.stdout


def test_a_broken_site_fails_the_plan(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("id: broken\nsauce: {}\n")
    told = groundbreak("monitor", tmp_path / "broken.yaml", "--out", tmp_path / "out", "--dry-run", "--json")
    assert told.exit_code == 1
    assert "sauce" in json.loads(told.stdout)["sites"][0]["outcomes"][0]["reason"]
