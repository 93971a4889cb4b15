"""Which kind of mask a file or an asset is, by its name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath, PurePosixPath
from typing import Literal

import pystac

MaskKind = Literal["nonzero", "scl", "qa_pixel", "udm2"]

_NAMES: Mapping[MaskKind, re.Pattern[str]] = {
    "scl": re.compile(r"(?:^|(?P<image>.*)[_\-.])SCL(?:[_\-.](?:20|60)m)?$", re.IGNORECASE),
    "qa_pixel": re.compile(r"(?:^|(?P<image>.*)[_\-.])QA_PIXEL$", re.IGNORECASE),
    "udm2": re.compile(r"(?:^|(?P<image>.*)[_\-.])udm2(?:[_\-.](?:clip|tif))*$", re.IGNORECASE),
}


def known_kind(stem: str) -> MaskKind | None:
    """The kind that a name (without its suffix) stands for; None where it is not that of a known mask."""
    return next((kind for kind, pattern in _NAMES.items() if pattern.match(stem)), None)


def is_mask_of(mask: PurePath, image: PurePath) -> bool:
    """Whether a mask lies beside an image and has its name, as far as it has more than that of its kind."""
    matches = (pattern.match(mask.stem) for pattern in _NAMES.values())
    shared = next((match["image"] or "" for match in matches if match), None)
    if shared is None or mask.parent != image.parent or not image.stem.startswith(shared):
        return False
    return not shared or image.stem[len(shared) : len(shared) + 1] in {"", "_", "-", "."}


def asset_kind(key: str, asset: pystac.Asset) -> MaskKind | None:
    """The kind of an Item's asset, by its key or else its file's name; None where it is no known mask."""
    return known_kind(key) or known_kind(PurePosixPath(asset.href.split("?")[0]).stem)


def is_mask(key: str, asset: pystac.Asset) -> bool:
    """Whether the asset is a mask of a known kind."""
    return asset_kind(key, asset) is not None
