"""Checksums that are made once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline import digests


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Files as they are read."""
    names: list[str] = []
    make: Callable[..., object] = hashlib.file_digest

    def counted(stream: object, name: str) -> object:
        names.append(str(getattr(stream, "name", "")))
        return make(stream, name)

    monkeypatch.setattr(hashlib, "file_digest", counted)
    return names


def test_a_file_is_read_once_by_however_many_threads_until_it_is_another(
    tmp_path: Path, read: list[str]
) -> None:
    path = tmp_path / "image.tif"
    path.write_bytes(b"one" * 100_000)
    digests.begin([str(path), None, str(tmp_path), "two*.tif"])
    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(digests.sha256, [path] * 32))
    assert found == {hashlib.sha256(b"one" * 100_000).hexdigest()}
    assert read == [str(path)]
    clock = path.stat().st_mtime_ns
    path.write_bytes(b"two" * 100_000)
    os.utime(path, ns=(clock, clock))
    assert digests.sha256(path) == hashlib.sha256(b"two" * 100_000).hexdigest()


def test_what_cannot_be_read_is_told_to_who_asks_and_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "image.tif"
    with pytest.raises(FileNotFoundError):
        digests.sha256(path)
    path.mkdir()
    with pytest.raises(IsADirectoryError):
        digests.sha256(path)
    path.rmdir()
    path.write_bytes(b"here")
    assert digests.sha256(path) == hashlib.sha256(b"here").hexdigest()


def test_what_another_process_made_is_taken_until_the_file_is_another(
    tmp_path: Path, read: list[str]
) -> None:
    path = tmp_path / "image.tif"
    path.write_bytes(b"one")
    digests.remember(path, "theirs")
    assert digests.sha256(path) == "theirs"
    assert read == []
    path.write_bytes(b"longer")
    assert digests.sha256(path) == hashlib.sha256(b"longer").hexdigest()
