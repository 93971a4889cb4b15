"""Licences for people, a bill of materials for programs: the same bytes for the same lock."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from pipeline import __version__
from supply.parts import Part, bundled, libraries, weights

_HEAD = """# Licences of what ships

Groundbreak itself is MIT (LICENSE). This lists what comes with it: files within the wheel, and the
libraries that installing it brings, as pinned in `requirements.lock`. Written by `make licences`; a test
holds it to the lock. The same as CycloneDX, with checksums, lies in the wheel's `.dist-info/sboms/`.
"""


def licences() -> str:
    """docs/licences.md."""
    sections = [
        ("Weights within the wheel", "what each was fitted on is told by the cards beside them", weights()),
        ("Within the pages", "JavaScript that is built into reports and site pages", bundled()),
        ("Libraries", "installed beside it; licences are as their packages state them", libraries()),
    ]
    return _HEAD + "".join(_section(*section) for section in sections if section[2])


def _section(title: str, note: str, parts: Sequence[Part]) -> str:
    rows = "".join(f"| {part.name} | {part.version} | {_cell(part.licence)} |\n" for part in parts)
    return f"\n## {title}\n\n*{note}*\n\n| | version | licence |\n|---|---|---|\n{rows}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def sbom() -> str:
    """A CycloneDX 1.6 document (ECMA-424) without times or chance in it."""
    parts = [*weights(), *bundled(), *libraries()]
    own = f"pkg:pypi/groundbreak@{__version__}"
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, ' '.join([own, *(part.purl for part in parts)]))}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": "groundbreak",
                "version": __version__,
                "purl": own,
                "licenses": [{"license": {"id": "MIT"}}],
            }
        },
        "components": [_component(part) for part in parts],
        "dependencies": [{"ref": own, "dependsOn": [part.purl for part in parts]}],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _component(part: Part) -> dict[str, Any]:
    told: dict[str, Any] = {
        "type": part.kind,
        "bom-ref": part.purl,
        "name": part.name,
        "version": part.version,
        "purl": part.purl,
        "licenses": [{"license": {"name": part.licence}}],
    }
    if len(part.hashes) == 1:
        told["hashes"] = [{"alg": algorithm, "content": content} for algorithm, content in part.hashes]
    elif part.hashes:  # of a library, one for each kind of machine
        told["externalReferences"] = [
            {
                "type": "distribution",
                "url": part.purl,
                "hashes": [{"alg": algorithm, "content": content} for algorithm, content in part.hashes],
            }
        ]
    return told
