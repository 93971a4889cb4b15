"""Shares of the area that images show, each measured once: kept beside a site's results for the next run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import pystac
from odc.geo import Geometry

from pipeline import __version__
from pipeline.scenes.visible import visible_share
from pipeline.secrecy import without_secrets


class Seen:
    """What `visible_share` says, from memory where nothing that it follows from has changed."""

    def __init__(self) -> None:
        self._known: dict[str, float] = {}
        self._asked: dict[str, float] = {}

    def share(self, items: Sequence[pystac.Item], area: Geometry | None, masks: Sequence[Path]) -> float:
        """See `visible_share`."""
        key = _key(items, area, masks)
        if key not in self._asked:
            known = self._known.get(key)
            self._asked[key] = visible_share(items, area, masks) if known is None else known
        return self._asked[key]

    def recall(self, text: str) -> None:
        """Take over what an earlier run has noted; nothing where that is no such note."""
        try:
            self._known = {str(key): float(share) for key, share in json.loads(text).items()}
        except (ValueError, TypeError, AttributeError):
            self._known = {}

    def noted(self) -> str:
        """What was asked for, and no more, for a later run to recall."""
        return json.dumps(self._asked, indent=0, sort_keys=True) + "\n"


def _key(items: Sequence[pystac.Item], area: Geometry | None, masks: Sequence[Path]) -> str:
    parts = [
        __version__,
        None if area is None else [str(area.crs), area.wkt],
        [[item.id, item.properties.get("updated"), _files(item)] for item in items],
        [_state(str(mask)) for mask in masks],
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _files(item: pystac.Item) -> list[list[object]]:
    return [_state(asset.get_absolute_href() or asset.href) for _, asset in sorted(item.assets.items())]


def _state(href: str) -> list[object]:
    """A file's address, and what changes with its contents; of a remote one the address alone."""
    path = Path(href.removeprefix("file://"))
    status = path.stat() if path.is_file() else None
    return [without_secrets(href), status and status.st_size, status and status.st_mtime_ns]
