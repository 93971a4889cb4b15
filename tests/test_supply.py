"""What ships is listed, with licences and checksums, and the list is that of the lock."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from pipeline.shipped import checksums
from supply.__main__ import FILES
from supply.parts import LOCK, REPO, libraries

SBOM = REPO / "supply" / "groundbreak.cdx.json"


@pytest.fixture(scope="module")
def bom() -> dict[str, Any]:
    told: dict[str, Any] = json.loads(SBOM.read_text(encoding="utf-8"))
    return told


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_lists_are_those_of_the_lock(path: Path) -> None:
    """After a change of the lock, of weights or of the pages' script: `make licences`."""
    assert path.read_text(encoding="utf-8") == FILES[path]()


def test_all_that_is_pinned_has_a_checksum() -> None:
    entries = re.split(r"^(?=[a-z0-9])", LOCK.read_text(encoding="utf-8"), flags=re.MULTILINE)
    pinned = [entry for entry in entries if "==" in entry]
    assert len(pinned) > 100
    assert all("--hash=sha256:" in entry for entry in pinned)


def test_what_a_user_installs_is_listed_and_what_developers_do_is_not(bom: dict[str, Any]) -> None:
    listed = {one["name"] for one in bom["components"]}
    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for line in project["dependencies"]:
        assert re.split(r"[\[>=]", line)[0] in listed
    assert {"pandas", "llvmlite", "botocore", "psycopg"} <= listed  # of others, and of an extra
    assert listed.isdisjoint({"pytest", "ruff", "moto", "hypothesis"})
    assert all(part.licence not in {"", "not stated"} for part in libraries())


def test_the_bill_of_materials_holds_together(bom: dict[str, Any]) -> None:
    """As CycloneDX 1.6 asks for: names, references that are there, hashes of their algorithm's length."""
    assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.6")
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", bom["serialNumber"])
    refs = [one["bom-ref"] for one in bom["components"]]
    assert len(refs) == len(set(refs))
    own = bom["metadata"]["component"]["bom-ref"]
    for each in bom["dependencies"]:
        assert each["ref"] == own
        assert set(each["dependsOn"]) == set(refs)
    hashes = [
        each
        for one in bom["components"]
        for where in (one, *one.get("externalReferences", []))
        for each in where.get("hashes", [])
    ]
    assert len(hashes) > len(refs)
    assert all(len(each["content"]) == int(each["alg"].rpartition("-")[2]) / 4 for each in hashes)
    models = {one["name"]: one["hashes"][0]["content"] for one in bom["components"] if "model" in one["type"]}
    assert models == checksums()
