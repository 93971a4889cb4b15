"""Disks that are full, break, or let nothing be written: said in one line, and no result is harmed."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest
from jobs import FILES, compare, groundbreak

from pipeline.budget import Budget
from pipeline.verify import verify

OPTIONS = ("--detector", "classic", "--quiet")


@pytest.fixture(autouse=True)
def no_foresight(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a run did not look first whether there is enough room."""
    monkeypatch.setattr(Budget, "check_disk", lambda *_: None)


@contextmanager
def files_no_longer_than(size: int) -> Iterator[None]:
    """The system lets no file of this process grow beyond it, as if the disk were full, for Python and GDAL
    alike.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def failed(tiny: Path, out: Path, *options: str) -> str:
    """The one line of a run that must fail."""
    told = groundbreak("compare", tiny / "before", tiny / "after", "--out", out, *OPTIONS, *options)
    assert told.exit_code == 1, told.output
    (line,) = told.stderr.splitlines()
    return line


def is_whole(folder: Path) -> bool:
    (verdict,) = verify(str(folder))
    return verdict.ok


@pytest.mark.parametrize("size", [0, 3_000, 50_000])
def test_files_that_cannot_grow(tiny: Path, tiny_result: Path, tmp_path: Path, size: int) -> None:
    earlier = Path(shutil.copytree(tiny_result, tmp_path / "earlier"))
    with files_no_longer_than(size):
        line = failed(tiny, earlier)
    assert "cannot be written" in line
    assert is_whole(earlier)
    assert {path.name for path in earlier.iterdir()} == FILES


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A small disk of its own."""
    folder = tmp_path_factory.mktemp("disk")
    mounted = (
        shutil.which("mount")
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", str(folder)], capture_output=True, check=False
        ).returncode
    )
    if not mounted:
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_disk_that_gets_full_at_any_time(tiny: Path, disk: Path) -> None:
    """The disk grows from one try to the next, until all fits."""
    size, tries = 32, 0
    while True:
        subprocess.run(["mount", "-o", f"remount,size={size}k", str(disk)], check=True)
        told = groundbreak("compare", tiny / "before", tiny / "after", "--out", disk / "out", *OPTIONS)
        if told.exit_code == 0:
            break
        tries += 1
        (line,) = told.stderr.splitlines()
        assert "No space left on device" in line
        assert not (disk / "out").exists()
        size *= 4
    assert tries >= 2
    assert is_whole(disk / "out")


def test_a_folder_that_takes_nothing(tiny: Path) -> None:
    line = failed(tiny, Path("/proc/groundbreak"))
    assert "/proc/groundbreak: cannot write there" in line


def refuse(number: int) -> NoReturn:
    raise OSError(number, os.strerror(number))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_disk_that_refuses_at_the_last_moment_harms_no_result(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: refuse(number))
        assert os.strerror(number) in failed(tiny, out)
    assert not out.exists()


def test_a_drive_that_breaks_while_files_are_moved_leaves_nothing_that_looks_whole(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = compare(tiny / "before", tiny / "after", tmp_path / "out", *OPTIONS)
    replace = Path.replace

    def breaking(self: Path, target: Path) -> Path:
        return refuse(errno.EIO) if target == out / "overview.png" else replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", breaking)
        assert "Input/output error" in failed(tiny, out, "--chunk-size", "128")
    assert not is_whole(out)
    compare(tiny / "before", tiny / "after", out, *OPTIONS)
    assert is_whole(out)
