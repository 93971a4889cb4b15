"""Everything that ships: libraries by the lock, weights, and what is bundled into the pages."""

from __future__ import annotations

import base64
import itertools
import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.message import Message
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import cast

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pipeline.shipped import checksums

REPO = Path(__file__).parents[1]
LOCK = REPO / "requirements.lock"
WEB_LOCK = REPO / "web" / "package-lock.json"
EXTRAS = ("postgres",)  # of Groundbreak itself: what a user may ask for
ELSEWHERE = {"colorama": "BSD-3-Clause", "odc-stac": "Apache-2.0", "tzdata": "Apache-2.0"}
"""Licences of packages that are not installed on every kind of machine, or state theirs in a file alone."""

WEIGHTS = {
    "stages/detect/coarse/trees.npz": "CC-BY-NC-SA-4.0",
    "stages/detect/learned/fine.onnx": "CC-BY-SA-4.0",
    "stages/detect/learned/second.onnx": "CC-BY-SA-4.0",
    "stages/flag/weights.json": "CC-BY-NC-SA-4.0",
}
"""Licences by what each was fitted on; the cards beside them have it in full."""

_CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}


@dataclass(frozen=True)
class Part:
    """One thing that ships. `purl`: its package URL (https://github.com/package-url/purl-spec); `hashes`:
    (algorithm, hex) of its files, any one of which may be what is installed.
    """

    name: str
    version: str
    licence: str
    purl: str
    hashes: tuple[tuple[str, str], ...] = ()
    kind: str = "library"


def libraries() -> list[Part]:
    """All that a user's `pip install` brings, by name, as pinned for any machine and Python; licences as the
    packages installed here say. Raises LookupError for one whose licence is not known here.
    """
    pins = _pins()
    wanted = _closure(pins, _asked_for())
    return [
        Part(pin.name, pin.version, _licence(pin.name), f"pkg:pypi/{pin.name}@{pin.version}", pin.hashes)
        for pin in pins
        if pin.name in wanted
    ]


def weights() -> list[Part]:
    """Files of weights in the package."""
    return [
        Part(
            name,
            checksum[:12],
            WEIGHTS[name],
            f"pkg:generic/groundbreak/{name}?checksum=sha256:{checksum}",
            (("SHA-256", checksum),),
            "machine-learning-model",
        )
        for name, checksum in sorted(checksums().items())
    ]


def bundled() -> list[Part]:
    """JavaScript that is built into the pages; none where there is no such bundle."""
    if not WEB_LOCK.is_file():
        return []
    packages = json.loads(WEB_LOCK.read_text(encoding="utf-8"))["packages"]
    parts = []
    for place, told in sorted(packages.items()):
        if place and not told.get("dev"):
            name = place.rpartition("node_modules/")[2]
            purl = f"pkg:npm/{name.replace('@', '%40')}@{told['version']}"
            hashes = tuple(_integrity(told.get("integrity", "")))
            parts.append(Part(name, told["version"], told.get("license", "not stated"), purl, hashes))
    return parts


def licence_of(told: Distribution) -> str:
    """As SPDX where the package says it so; else its own words in short."""
    meta = cast(Message, told.metadata)  # what importlib gives is one
    if expression := meta.get("License-Expression"):
        return str(expression)
    found = [
        line.rpartition(" :: ")[2]
        for line in meta.get_all("Classifier", [])
        if line.startswith("License ::") and not line.endswith("OSI Approved")
    ]
    if found:
        return " OR ".join(sorted({_CLASSIFIERS.get(name, name) for name in found}))
    text = str(meta["License"]).strip() if "License" in meta else ""
    return text.splitlines()[0][:60] if text else "not stated"


@dataclass(frozen=True)
class _Pin:
    """An entry of the lock; `via`: the packages that ask for it."""

    name: str
    version: str
    hashes: tuple[tuple[str, str], ...]
    via: frozenset[str]


def _pins() -> list[_Pin]:
    """All of the lock; a package that has other versions for other Pythons stands there several times."""
    entries = re.split(r"^(?=[a-z0-9])", LOCK.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [_pin(entry) for entry in entries if "==" in entry]


def _pin(entry: str) -> _Pin:
    name, version = entry.split(maxsplit=1)[0].split("==")
    via = re.findall(r"^ +# +(?:via )?([A-Za-z0-9._-]+)", entry, flags=re.MULTILINE)
    hashes = sorted(re.findall(r"--hash=sha256:([0-9a-f]{64})", entry))
    return _Pin(
        canonicalize_name(name.partition("[")[0]),
        version,
        tuple(("SHA-256", one) for one in hashes),
        frozenset(map(canonicalize_name, via)),
    )


def _asked_for() -> set[str]:
    """What Groundbreak itself asks for, `EXTRAS` included."""
    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = (project["optional-dependencies"][extra] for extra in EXTRAS)
    lines = itertools.chain(project["dependencies"], *extras)
    return {canonicalize_name(Requirement(line).name) for line in lines}


def _closure(pins: Iterable[_Pin], wanted: set[str]) -> set[str]:
    """With what those need, and so on."""
    more = {pin.name for pin in pins if pin.via & wanted} - wanted
    return _closure(pins, wanted | more) if more else wanted


def _licence(name: str) -> str:
    if name in ELSEWHERE:
        return ELSEWHERE[name]
    try:
        return licence_of(distribution(name))
    except PackageNotFoundError:
        raise LookupError(f"{name}: is not installed here; add its licence to ELSEWHERE") from None


def _integrity(text: str) -> Iterator[tuple[str, str]]:
    """npm's `sha512-BASE64` as CycloneDX has it."""
    for part in text.split():
        algorithm, _, digest = part.partition("-")
        if algorithm in {"sha256", "sha384", "sha512"}:
            yield f"SHA-{algorithm[3:]}", base64.b64decode(digest).hex()
