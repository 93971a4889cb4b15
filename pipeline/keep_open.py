"""Raster files that a thread keeps open for the next window, with the tiles that GDAL has of them."""

from __future__ import annotations

import os
from collections import OrderedDict
from pathlib import Path
from threading import local

import rasterio

from pipeline.admit import open_raster

_MOST = 16  # files a thread
_Key = tuple[str, int, int]
_here = local()


def kept_open(path: str | Path) -> rasterio.DatasetReader:
    """This thread's own reader of a file on this machine; not to be closed.

    One that has been replaced since is opened anew. Raises OSError where there is none, RasterioIOError where
    it cannot be read, NotAllowedError where it may not be.
    """
    files: OrderedDict[_Key, rasterio.DatasetReader] = _here.__dict__.setdefault("files", OrderedDict())
    told = os.stat(path)  # noqa: PTH116
    key = str(path), told.st_ino, told.st_mtime_ns
    if key not in files:
        files[key] = open_raster(path)
        if len(files) > _MOST:
            files.popitem(last=False)[1].close()
    files.move_to_end(key)
    return files[key]
