"""Inputs that are nearly right are read or refused; some seconds of what `make fuzz` does for longer."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "fuzz"))

import run
from kinds import FOUND, KINDS, Kind

INPUTS = 120  # of each kind


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No network, and no second try of a file that is spoilt."""
    monkeypatch.setattr("pipeline.scenes.opening.PAUSES", ())
    monkeypatch.setenv("GDAL_HTTP_PROXY", "127.0.0.1:9")
    monkeypatch.setenv("GDAL_HTTP_MAX_RETRY", "0")


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_seeds_are_right(kind: Kind, tmp_path: Path) -> None:
    assert kind.seeds
    for seed in kind.seeds:
        assert kind.try_out(seed.read_bytes(), tmp_path), seed


@pytest.mark.parametrize("path", sorted(FOUND.iterdir()), ids=lambda path: path.name)
def test_what_once_did_harm_is_refused(path: Path, tmp_path: Path) -> None:
    kind = KINDS[path.name.split("-", maxsplit=1)[0]]
    assert not kind.try_out(path.read_bytes(), tmp_path)


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_what_is_nearly_right_is_read_or_refused(kind: Kind) -> None:
    """In a child with the limits of `make fuzz`: 10 s for an input, 1 GB."""
    report = run.fuzz(kind.name, range(INPUTS))
    assert not report.harms
    assert report.read + report.refused == INPUTS
    assert min(report.read, report.refused) > 5  # neither all right nor all rubbish
    assert kind.input(7) == kind.input(7)


def harmful(path: Path) -> None:
    text = path.read_bytes()
    if text == b"crash":
        raise KeyError("crash")
    if text == b"hang":
        while True:
            pass
    if text == b"memory":
        bytearray(2 * 10**9)


def test_harm_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a fuzz that finds nothing would say nothing."""
    inputs = (b"fine", b"crash", b"hang", b"memory", b"fine")
    watched = Kind("made", "made", lambda *_: b"", harmful)
    monkeypatch.setattr(Kind, "input", lambda _, number: inputs[number])
    monkeypatch.setitem(run.KINDS, "made", watched)
    monkeypatch.setattr(run, "SECONDS", 0.5)
    report = run.fuzz("made", range(len(inputs)))
    assert report.read == 2
    told = {harm.number: harm.what for harm in report.harms}
    assert told.keys() == {1, 2, 3}
    assert told[1].startswith("KeyError: 'crash'")
    assert told[2] == "took more than 0.5 s"
    assert told[3].startswith("MemoryError")
