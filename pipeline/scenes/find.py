"""From what the user typed (a file, a folder, a glob) to the files that it means."""

from __future__ import annotations

import difflib
import glob
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from pipeline.errors import SourceNotFoundError
from pipeline.remote import find_remote, gdal_path, is_url

RASTERS = {
    ".tif",
    ".tiff",
    ".gtiff",
    ".jp2",
    ".j2k",
    ".vrt",
    ".img",
    ".png",
    ".jpg",
    ".jpeg",
    ".bil",
    ".ntf",
    ".nitf",
}
STAC = {".json", ".geojson"}
QUICKLOOKS = {".png", ".jpg", ".jpeg"}  # left out where there is anything better
SIDECARS = (".aux.xml", ".ovr", ".msk", ".vrt.ovr")


def find_files(source: str | Path | Sequence[Path]) -> list[Path]:
    """Files that `source` names, sorted: rasters, or STAC JSON where there are no rasters.

    A folder means what lies in it; only one that holds no image itself is searched below. Raises
    SourceNotFoundError.
    """
    if not isinstance(source, str | Path):
        return sorted({file for one in source for file in find_files(one)})
    text = os.fspath(source)
    if is_url(text):
        return _remote(text)
    try:
        return _local(text)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        shown = text if len(text) < 200 else f"{text[:60]}..."
        raise SourceNotFoundError(f"{shown}: cannot be looked into ({reason}); check the path.") from None


def _local(text: str) -> list[Path]:
    path = Path(text).expanduser()
    if path.is_file():
        return [path]
    if path.is_dir() and text:
        return _in_folder(path)
    if glob.has_magic(text):
        return _in_glob(text)
    source = text or "(nothing)"
    raise SourceNotFoundError(f"{source}: no such file or folder{_nearest(path)}; check the path.")


def _remote(url: str) -> list[Path]:
    found = sorted(gdal_path(name) for name in find_remote(url) if Path(name).suffix.lower() in RASTERS)
    if not found:
        raise SourceNotFoundError(f"{url}: no image is there; name GeoTIFFs, or STAC Items on this machine")
    return found


def _in_folder(folder: Path) -> list[Path]:
    found = _images(folder.iterdir()) or _images(folder.rglob("*"))
    if not found:
        raise SourceNotFoundError(
            f"{folder}: no image in this folder; put GeoTIFFs, JPEG 2000 files or STAC Items there."
        )
    return found


def _in_glob(pattern: str) -> list[Path]:
    matches = [Path(match) for match in glob.glob(str(Path(pattern).expanduser()), recursive=True)]  # noqa: PTH207
    found = _images(matches)
    if not found and matches:
        found = sorted({file for folder in matches if folder.is_dir() for file in _images(folder.iterdir())})
    if not found:
        raise SourceNotFoundError(
            f"{pattern}: no image matches this pattern; check it, and put it in quotes."
        )
    return found


def _images(paths: Iterable[Path]) -> list[Path]:
    """Rasters among paths (else STAC JSON), sorted; sidecars and hidden files left out."""
    files = [path for path in paths if _visible_file(path)]
    rasters = sorted(path for path in files if path.suffix.lower() in RASTERS)
    images = [path for path in rasters if path.suffix.lower() not in QUICKLOOKS]
    return images or rasters or sorted(path for path in files if path.suffix.lower() in STAC)


def _visible_file(path: Path) -> bool:
    return (
        path.is_file() and not path.name.startswith((".", "_")) and not path.name.lower().endswith(SIDECARS)
    )


def _nearest(path: Path) -> str:
    if not path.parent.is_dir():
        return ""
    near = difflib.get_close_matches(path.name, [entry.name for entry in path.parent.iterdir()], n=1)
    return f" (is {near[0]} meant?)" if near else ""
