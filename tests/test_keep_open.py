"""A file is opened once a thread, and anew where it was replaced."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import rasterio

from pipeline.keep_open import kept_open


def write(path: Path, value: int) -> None:
    part = path.with_name("part.tif")
    with rasterio.open(part, "w", driver="GTiff", width=4, height=3, count=1, dtype="uint8") as file:
        file.write(np.full((1, 3, 4), value, np.uint8))
    part.replace(path)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_file_is_kept_open_until_it_is_another(tmp_path: Path) -> None:
    write(tmp_path / "a.tif", 1)
    first = kept_open(tmp_path / "a.tif")
    assert kept_open(str(tmp_path / "a.tif")) is first
    with ThreadPoolExecutor(1) as other:
        assert other.submit(kept_open, tmp_path / "a.tif").result() is not first
    write(tmp_path / "a.tif", 2)
    assert (kept_open(tmp_path / "a.tif").read() == 2).all()


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_no_more_than_a_few_are_open(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.tif" for number in range(40)]
    for number, path in enumerate(paths):
        write(path, number)
    readers = [kept_open(path) for path in paths]
    assert [reader.closed for reader in readers] == [True] * 24 + [False] * 16
    assert (kept_open(paths[0]).read() == 0).all()
