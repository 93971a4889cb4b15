"""A file stays open for the next reader, one reader at a time, and is opened anew where it was replaced."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import rasterio
from jobs import compare

from pipeline.keep_open import close_kept, kept_open

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


@pytest.fixture(autouse=True)
def nothing_open() -> Iterator[None]:
    """Of other tests, or left to them."""
    close_kept()
    yield
    close_kept()


def write(path: Path, value: int) -> Path:
    part = path.with_name("part.tif")
    with rasterio.open(part, "w", driver="GTiff", width=4, height=3, count=1, dtype="uint8") as file:
        file.write(np.full((1, 3, 4), value, np.uint8))
    return part.replace(path)


def open_files(folder: Path) -> list[str]:
    """What this process has open there, also what was removed since."""
    links = []
    for handle in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the handle of the list itself
            links.append(str(handle.readlink()))
    return [link for link in links if link.startswith(str(folder))]


def test_a_file_is_kept_open_until_it_is_another(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", 1)
    with kept_open(path) as first:
        pass
    with kept_open(str(path)) as again, kept_open(path) as beside:
        assert again is first
        assert beside is not first  # which is in use
    write(path, 2)
    with kept_open(path) as new:
        assert (new.read() == 2).all()


def test_one_that_could_not_be_read_is_opened_anew(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", 1)

    def failing() -> None:
        with kept_open(path) as source:
            readers.append(source)
            raise ValueError("broken")

    readers: list[rasterio.DatasetReader] = []
    with pytest.raises(ValueError, match="broken"):
        failing()
    assert readers[0].closed
    assert not open_files(tmp_path)


def test_no_more_than_a_few_dozen_are_open(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{number}.tif", number) for number in range(40)]
    for path in paths:
        with kept_open(path):
            pass
    assert sorted(open_files(tmp_path)) == sorted(map(str, paths[8:]))
    with kept_open(paths[0]) as oldest:
        assert (oldest.read() == 0).all()


def test_closed_at_the_end_but_for_those_in_use(tmp_path: Path) -> None:
    used, idle = write(tmp_path / "used.tif", 1), write(tmp_path / "idle.tif", 2)
    with kept_open(idle):
        pass
    with kept_open(used) as source:
        close_kept()
        assert open_files(tmp_path) == [str(used)]
        assert (source.read() == 1).all()


def test_a_run_leaves_none_open(tiny: Path, tmp_path: Path) -> None:
    out = compare(tiny / "before", tiny / "after", tmp_path / "out", "--detector", "classic")
    assert not open_files(out)
    assert not open_files(tiny)


def test_a_forked_process_reads_by_itself(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", 1)
    with kept_open(path) as ours:
        pass
    if (child := os.fork()) == 0:
        with kept_open(path) as theirs:
            os._exit(theirs is ours)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
