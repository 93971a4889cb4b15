"""Folders with one file a band, by name: `B02.tif`, `T37SDA_20190909T081601_B8A_20m.jp2`, `red.tif`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from pipeline.scenes.names import OLI, ORDER, SENTINEL_2, TM
from pipeline.scenes.raster import Header

# Zero-padded as ESA writes them, so that tiles called A1, B1, B2 are not taken for bands; unpadded only as
# the whole name.
_SENTINEL_2 = re.compile(
    r"(?:^|.*[_\-.])(?P<band>B(?:0[1-9]|1[0-2]|8A))(?:[_\-.](?:10|20|60)m)?$", re.IGNORECASE
)
_LANDSAT = re.compile(r"^L[COTEM]0[4-9]_|\.L30\.", re.IGNORECASE)
_BARE = re.compile(r"B([1-9]|1[0-2])$", re.IGNORECASE)
_PLAIN = re.compile(rf"(?:^|.*[_\-.])(?P<band>{'|'.join(ORDER)})$", re.IGNORECASE)
_NUMBERED = re.compile(r"(?:(?:^|[_\-.])b|band[_\-. ]?)\d{1,2}$", re.IGNORECASE)
_MASK = re.compile(r"(?:^|.*[_\-.])(?P<band>SCL|QA_PIXEL)(?:[_\-.](?:20|60)m)?$", re.IGNORECASE)
_LANDSAT_2 = re.compile(r"L[COTEM]0(?P<number>[4-9])_L2S[PR]_.*_(?P<band>SR_B\d)$", re.IGNORECASE)
_BESIDE = re.compile(
    r"(?:^|.*[_\-.])(?:AOT|WVP|TCI|PVI|CLDPRB|SNWPRB|masks?|cloudmask|udm2?|Fmask|QA_PIXEL|QA60|QA_RADSAT"
    r"|SR_QA_AEROSOL|SR_CLOUD_QA|SR_ATMOS_OPACITY|ST_(?:B\d+|QA|ATRAN|CDIST|DRAD|EMIS|EMSD|TRAD|URAD))"
    r"(?:[_\-.](?:10|20|60)m)?$",
    re.IGNORECASE,
)


def sentinel_2_band(path: Path) -> str | None:
    """`B02`...`B12`, `B8A` where the file's name is that of a Sentinel-2 band (and not of a Landsat one)."""
    if _LANDSAT.search(path.stem):
        return None
    if bare := _BARE.match(path.stem):
        return f"B{int(bare[1]):02d}"
    match = _SENTINEL_2.match(path.stem)
    return match["band"].upper() if match else None


def landsat_band(path: Path) -> str | None:
    """`SR_B1`...`SR_B7` where the file is a reflectance of Landsat Collection 2 Level 2, by its name."""
    match = _LANDSAT_2.match(path.stem)
    return match["band"].upper() if match else None


def plain_band(path: Path) -> str | None:
    """A common name with which the file's name ends."""
    match = _PLAIN.match(path.stem)
    return match["band"].lower() if match else None


def is_beside(path: Path) -> bool:
    """Whether this is a mask or another product that lies beside images: a quicklook, aerosol."""
    return bool(_BESIDE.match(path.stem))


def is_numbered(path: Path) -> bool:
    """Whether the name ends as that of a band by its number: `_B4`, `band 4`."""
    return bool(_NUMBERED.search(path.stem))


def common_name_of(path: Path) -> str | None:
    """The band's common name by the file's name."""
    if sentinel := sentinel_2_band(path):
        return SENTINEL_2[sentinel]
    if landsat := _LANDSAT_2.match(path.stem):
        return (OLI if int(landsat["number"]) >= 8 else TM).get(landsat["band"].upper())
    return plain_band(path)


def tile_of(path: Path) -> str:
    """What is left of the name without its band and resolution: files that share it are bands of one tile."""
    for pattern in (_SENTINEL_2, _LANDSAT_2, _PLAIN, _MASK):
        if match := pattern.match(path.stem):
            stem = path.stem[: match.start("band")].rstrip("_-.")
            return stem or path.absolute().parent.name
    return path.absolute().parent.name


def one_band_a_file(paths: Sequence[Path], headers: Sequence[Header]) -> bool:
    """Whether all of the files are single bands, named so: of one sensor, or two and more plain ones."""
    if not paths or any(len(header.nodata) != 1 for header in headers):
        return False
    if all(map(sentinel_2_band, paths)) or all(map(landsat_band, paths)):
        return True
    return len(paths) > 1 and all(plain_band(path) for path in paths)
