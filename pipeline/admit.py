"""Rasters opened within the limits of `trust`: formats that name no other file, sizes that are true."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
from rasterio.enums import Interleaving
from rasterio.env import ensure_env_with_credentials
from rasterio.errors import RasterioIOError
from rasterio.io import DatasetReader

from pipeline.errors import NotAllowedError
from pipeline.secrecy import without_secrets
from pipeline.trust import SCHEMES, Trust, trust, variable
from pipeline.web import check_reach

_STORE, _WEB = "/vsis3/", "/vsicurl?"
_SMALL = 1_000_000_000  # bytes: what decodes to less does no harm, however little the file weighs
_FORMATS = {".vrt": "VRT", ".img": "HFA"}
_HEAD = 1024
_MARKS = {b"<VRTDataset": "VRT", b"EHFA_HEADER_TAG": "HFA", b"<GDAL_WMS": "WMS", b"<MRF_META": "MRF"}


def open_raster(name: str | Path) -> DatasetReader:
    """An open raster: a file of this machine, or one under GDAL's name for a web address or an object store.

    Raises NotAllowedError, which says what would allow it, or RasterioIOError where it cannot be read.
    """
    told, limits = str(name), trust()
    local = _local(told)
    try:
        # GDAL would take a relative path that begins with `https:` for an address.
        given = str(Path(told).absolute()) if local and ":" in told else told
        source = _opened(given, list(limits.drivers))
    except RasterioIOError:
        if local and (format_ := _named(Path(told))) and format_ not in limits.drivers:
            raise NotAllowedError(
                f"{told}: a raster of the format {format_} may name other files or servers, and is not read; "
                f"convert it with gdal_translate, or set {variable('allow_drivers')}={format_}"
            ) from None
        raise
    try:
        _check(source, without_secrets(told), local, limits)
    except BaseException:
        source.close()
        raise
    return source


@ensure_env_with_credentials  # type: ignore[untyped-decorator]
def _opened(name: str, drivers: list[str]) -> DatasetReader:
    """As `rasterio.open`, which takes but one driver."""
    return DatasetReader(name, driver=drivers, sharing=False)


def _local(name: str) -> bool:
    """Whether it is a file of this machine; false for a remote one that may be read. Raises otherwise."""
    if name.startswith(_STORE):
        return False
    if name.startswith(_WEB) and len(urls := parse_qs(name.removeprefix(_WEB)).get("url", [])) == 1:
        check_reach(urls[0])
        return False
    if "://" in name or name.startswith("/vsi"):
        raise NotAllowedError(
            f"{without_secrets(name)}: not an address that images are read from; "
            f"give a file, or one that begins with {', '.join(f'{scheme}://' for scheme in SCHEMES)}"
        )
    if not os.path.isfile(name):  # noqa: PTH113 (which says no to names that no file can have)
        raise RasterioIOError("no such file")
    return True


def _named(path: Path) -> str | None:
    """The format of a file that names others, by its first bytes or its suffix."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    found = next((format_ for mark, format_ in _MARKS.items() if mark in head), None)
    return found or _FORMATS.get(path.suffix.lower())


def _check(source: DatasetReader, name: str, local: bool, limits: Trust) -> None:
    if max(source.shape) > limits.max_side:
        rows, cols = source.shape
        raise NotAllowedError(
            f"{name}: {rows} x {cols} pixels, more than {limits.max_side} a side; "
            f"check the file, or set {variable('max_side')} higher"
        )
    if source.count > limits.max_bands:
        raise NotAllowedError(
            f"{name}: {source.count} bands, more than {limits.max_bands}; "
            f"check the file, or set {variable('max_bands')} higher"
        )
    block, whole = _decoded(source)
    if block > limits.max_block_mb * 1e6:
        raise NotAllowedError(
            f"{name}: stored in blocks of {block / 1e6:.0f} MB, more than {limits.max_block_mb} MB; "
            f"store it in tiles with gdal_translate -of COG, or set {variable('max_block_mb')} higher"
        )
    if local:
        stored = Path(source.name).stat().st_size
        if whole > _SMALL and whole > stored * limits.max_expansion:
            raise NotAllowedError(
                f"{name}: {stored} bytes that decode to {whole / 1e9:.0f} GB,"
                f" over {limits.max_expansion} for one;"
                f" check the file, or set {variable('max_expansion')} higher"
            )
    _check_files(source, name, local, limits)


def _decoded(source: DatasetReader) -> tuple[float, float]:
    """Bytes of the largest stored block, and of all pixels, decoded."""
    depth = [np.dtype(dtype).itemsize if dtype != "complex_int16" else 4 for dtype in source.dtypes]
    together = sum(depth) if source.interleaving is Interleaving.pixel else max(depth)
    block = max(rows * cols for rows, cols in source.block_shapes)
    return float(block) * together, float(source.height) * source.width * sum(depth)


def _check_files(source: DatasetReader, name: str, local: bool, limits: Trust) -> None:
    """Overviews, masks and what else belongs to a raster lie beside it, under its name."""
    if source.driver in limits.allow_drivers:
        return
    named = source.tags(ns="OVERVIEWS").get("OVERVIEW_FILE")
    place = Path(source.name)
    others = [Path(file) for file in source.files] if local else []
    foreign = named or next((str(file) for file in others if file.parent != place.parent), None)
    if foreign:
        raise NotAllowedError(
            f"{name}: names another file as a part of it ({without_secrets(foreign)}), which is not opened; "
            "put what belongs to it beside it, under its name"
        )
