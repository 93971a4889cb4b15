"""Alerts as an Atom feed (RFC 4287), written anew from all that was noticed: nothing can be in it twice."""

from __future__ import annotations

import os
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pipeline import __version__
from pipeline.outputs.files import write_text

_ATOM, _GEORSS = "http://www.w3.org/2005/Atom", "http://www.georss.org/georss"
_MOST = 200  # the newest entries; readers keep what they have seen


def write_feed(path: Path, folder: Path, alerts: Sequence[dict[str, Any]]) -> None:
    """Write the newest of `alerts` (the oldest first) to `path`; pictures are linked relative to it.

    `folder`: of the site, in which the pictures lie. Raises OutputError.
    """
    ET.register_namespace("", _ATOM)
    ET.register_namespace("georss", _GEORSS)
    site = alerts[-1]["site"]
    feed = ET.Element(_tag("feed"))
    name = uuid.uuid5(uuid.NAMESPACE_URL, f"groundbreak:{site['id']}/{path.name}")
    _add(feed, "id", f"urn:uuid:{name}")
    _add(feed, "title", f"Groundbreak: {site['name']}")
    _add(feed, "updated", alerts[-1]["noticed"])
    _add(feed, "generator", "Groundbreak", version=__version__)
    _add(_add(feed, "author"), "name", "Groundbreak")
    to_folder = Path(os.path.relpath(folder, path.parent)).as_posix()
    for told in reversed(alerts[-_MOST:]):
        feed.append(_entry(told, "" if to_folder == "." else f"{to_folder}/"))
    ET.indent(feed)
    write_text(path, f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(feed, encoding="unicode")}\n')


def _entry(told: dict[str, Any], to_folder: str) -> ET.Element:
    entry = ET.Element(_tag("entry"))
    _add(entry, "id", f"urn:uuid:{told['id']}")
    _add(entry, "title", told["title"])
    _add(entry, "updated", told["noticed"])
    _add(entry, "category", term=told["finding"]["kind"])
    _add(entry, "category", term=told["rule"])
    _add(entry, "content", told["text"], type="text")
    ET.SubElement(entry, f"{{{_GEORSS}}}point").text = f"{told['latitude']} {told['longitude']}"
    for side, chip in told["chips"].items():
        _add(entry, "link", rel="enclosure", type="image/png", title=side, href=quote(f"{to_folder}{chip}"))
    return entry


def _tag(name: str) -> str:
    return f"{{{_ATOM}}}{name}"


def _add(parent: ET.Element, name: str, text: str | None = None, **attributes: str) -> ET.Element:
    element = ET.SubElement(parent, _tag(name), attributes)
    element.text = text
    return element
