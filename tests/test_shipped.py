"""Weights that are not those of this version are not used."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from jobs import groundbreak

from pipeline import shipped
from pipeline.errors import ModelError
from pipeline.stages.detect.coarse import model
from pipeline.stages.detect.learned import network
from pipeline.stages.flag import known

TREES, FINE, SECOND, FLAG = NAMES = (
    "stages/detect/coarse/trees.npz",
    "stages/detect/learned/fine.onnx",
    "stages/detect/learned/second.onnx",
    "stages/flag/weights.json",
)


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package's weights in a folder where they can be spoilt."""
    for name in NAMES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(shipped.ROOT / name, tmp_path / name)
    monkeypatch.setattr(shipped, "ROOT", tmp_path)
    monkeypatch.setattr(
        network,
        "_path",
        lambda file: tmp_path / FINE.replace("fine.onnx", file.removeprefix(network.SHIPPED)),
    )
    for cached in (model.shipped, known.networks, network._cached_session):
        cached.cache_clear()
    return tmp_path


def test_the_list_is_that_of_the_weights_that_ship() -> None:
    """Weights made again: `python -m pipeline.shipped`."""
    assert shipped.SUMS.read_text(encoding="utf-8") == shipped.listed()
    assert tuple(shipped.checksums()) == NAMES


def test_whole_weights_are_read(copied: Path) -> None:
    assert model.shipped("four").looks > 0
    assert known.networks("fine classic")
    assert network.open_network("package:fine.onnx").checksum == shipped.checksums()[FINE]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("fault", ["bit", "half", "none"])
def test_spoilt_weights_are_refused_in_one_line(copied: Path, name: str, fault: str) -> None:
    content = bytearray((copied / name).read_bytes())
    content[len(content) // 2] ^= 1
    if fault == "none":
        (copied / name).unlink()
    else:
        (copied / name).write_bytes(content if fault == "bit" else content[: len(content) // 2])
    use = {
        TREES: lambda: model.shipped("four"),
        FINE: lambda: network.open_network("package:fine.onnx"),
        SECOND: lambda: network.open_network("package:second.onnx"),
        FLAG: lambda: known.networks("fine classic"),
    }[name]
    with pytest.raises(ModelError) as told:
        use()
    assert "\n" not in str(told.value)
    assert str(copied / name) in str(told.value) or "there is no such model" in str(told.value)


def test_a_run_with_spoilt_weights_ends_in_one_line(copied: Path, made: Path, tmp_path: Path) -> None:
    (copied / FLAG).write_bytes(b"{}")
    said = groundbreak("compare", made / "before", made / "after", "--out", tmp_path / "out", "--quiet")
    assert said.exit_code == 1
    (line,) = said.stderr.splitlines()
    assert "weights.json: not the weights that belong to this version" in line
    assert not (tmp_path / "out").exists()


def test_arrays_hold_no_pickles() -> None:
    for name in NAMES:
        if name.endswith(".npz"):
            with np.load(shipped.ROOT / name, allow_pickle=False) as arrays:
                assert all(arrays[key].dtype != object for key in arrays)
