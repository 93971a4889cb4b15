"""Sentinel-2 products as ESA delivers them (.SAFE folders): which files are images, and the offset of their
counts.

From processing baseline 04.00 on, reflectance = (counts + BOA_ADD_OFFSET) / BOA_QUANTIFICATION_VALUE,
RADIO_ADD_OFFSET and QUANTIFICATION_VALUE at level 1C (Sentinel-2 Products Specification Document,
S2-PDGS-TAS-DI-PSD). Both are read from the product's metadata, never concluded from the date.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

IMAGES = "IMG_DATA"
_OFFSET = re.compile(r"<(?:BOA|RADIO)_ADD_OFFSET[^>]*>\s*(-?\d+)\s*<")
_QUANTIFICATION = re.compile(r"<(?:BOA_)?QUANTIFICATION_VALUE[^>]*>\s*(\d+)\s*<")


def images_only(files: Sequence[Path]) -> list[Path]:
    """Without a product's quality masks and previews, where files of its image folder are among `files`."""
    inside = [file for file in files if IMAGES in file.parts]
    return inside or list(files)


def declared_offset(image: Path) -> float | None:
    """The reflectance offset that the product's metadata give; None where they are not there or give none."""
    for folder in image.absolute().parents:
        for metadata in sorted(folder.glob("MTD_MSIL*.xml")):
            return _offset(metadata.read_text(encoding="utf-8", errors="replace"))
        if folder.suffix == ".SAFE":
            break
    return None


def _offset(text: str) -> float | None:
    offsets = {int(value) for value in _OFFSET.findall(text)}
    divisor = _QUANTIFICATION.search(text)
    # All bands of all products so far have one offset; if that changes, no single one is right.
    return offsets.pop() / int(divisor[1]) if len(offsets) == 1 and divisor else None
