"""The built script belongs to its sources, and tells whose work is in it."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

from pipeline.outputs.page import ASSETS, licences

WEB = Path(__file__).parents[1] / "web"


def checksum() -> str:
    """As web/build.mjs makes it: over `path\\0text\\0` of each source."""
    paths = [p for p in (WEB / "src").rglob("*") if p.is_file()]
    named = {p.relative_to(WEB).as_posix(): p for p in (*paths, WEB / "build.mjs", WEB / "package-lock.json")}
    digest = hashlib.sha256()
    for name in sorted(named):
        digest.update(name.encode() + b"\0" + named[name].read_bytes() + b"\0")
    return digest.hexdigest()


@pytest.mark.parametrize("path", sorted(ASSETS.glob("*.js")), ids=lambda path: path.name)
def test_bundle_is_of_these_sources(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert f"sources sha256-{checksum()}" in text.splitlines()[0], "older than web/: run `make web`"
    assert len(text) < 1_000_000


def test_every_source_has_its_bundle() -> None:
    assert {p.stem for p in ASSETS.glob("*.js")} == {p.stem for p in (WEB / "src").glob("*.ts")}


def test_versions_are_exact_and_no_registry_is_named() -> None:
    told = json.loads((WEB / "package.json").read_text(encoding="utf-8"))
    for versions in (told["dependencies"], told["devDependencies"]):
        assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in versions.values())
    locked = (WEB / "package-lock.json").read_text(encoding="utf-8")
    assert "resolved" not in locked
    assert "://" not in re.sub(r'"(?:url|funding)": "[^"]*"', "", locked)


def test_licences_name_all_that_is_bundled() -> None:
    named = dict(re.findall(r"^(\S+) ([\d.]+) \(", licences(), re.MULTILINE))
    locked = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert "ol" in named
    assert all(locked[f"node_modules/{name}"]["version"] == version for name, version in named.items())
    assert "Copyright" in licences()
