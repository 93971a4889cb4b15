"""Rasters opened for reading, here and on other machines: what fails on the way is tried again, what is wrong
with the file is said.
"""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import rasterio
from rasterio.errors import RasterioError

from pipeline.admit import open_raster
from pipeline.errors import SourceUnreadableError
from pipeline.keep_open import kept_open
from pipeline.remote import http_options, is_remote
from pipeline.secrecy import without_secrets

T = TypeVar("T")

PAUSES = (0.5, 1.0, 2.0)
"""Seconds before a remote file is opened again; GDAL has tried each request some times itself by then."""

PATIENCE = 120.0  # seconds after which a remote file is not opened again

_UNCACHED = {"CPL_VSIL_CURL_NON_CACHED": "/vsicurl/:/vsicurl?:/vsis3/"}
_FINAL = re.compile(r"response code: 4(?!08|25|29)\d\d|NoSuchKey|NoSuchBucket|AccessDenied", re.IGNORECASE)

log = logging.getLogger(__name__)


def read_from(href: str, work: Callable[[Any], T]) -> T:
    """What `work` makes of the opened raster. Raises SourceUnreadableError or NotAllowedError, naming the
    file.
    """
    try:
        return attempted(href, work)
    except (RasterioError, IndexError) as error:
        mend = "check that it can be reached" if is_remote(href) else "copy or download it again"
        raise SourceUnreadableError(
            f"{without_secrets(href)}: cannot be read ({reason(error)}); {mend}."
        ) from None


def attempted(href: str, work: Callable[[Any], T]) -> T:
    """`read_from` with the error that the last attempt had. A remote file that does not come, ends early or
    holds what cannot be decoded is opened again, and what GDAL has kept of it forgotten.
    """
    if not is_remote(href):
        if not os.path.isfile(href):  # noqa: PTH113 (which says no to names that no file can have)
            return _read(href, work)
        with kept_open(href) as source:
            return work(source)
    start = time.monotonic()
    with rasterio.Env(**http_options()):
        try:
            return _read(href, work)
        except (RasterioError, IndexError) as error:
            last = error
        for pause in PAUSES:
            if _FINAL.search(str(last)) or time.monotonic() - start > PATIENCE:
                break
            log.info("%s: %s; opened again in %g s", without_secrets(href), reason(last), pause)
            time.sleep(pause)
            try:
                return _read_anew(href, work)
            except (RasterioError, IndexError) as error:
                last = error
        raise last


def reason(error: Exception) -> str:
    """GDAL's words in one line, without secrets."""
    return without_secrets(" ".join(str(error).split()) or type(error).__name__).rstrip(".")


def _read(href: str, work: Callable[[Any], T]) -> T:
    with open_raster(href) as source:
        return work(source)


def _read_anew(href: str, work: Callable[[Any], T]) -> T:
    """GDAL keeps what it was given, also rubbish and that there was nothing; of a file that it is told not to
    cache, it forgets that when it closes it.
    """
    with rasterio.Env(**_UNCACHED):
        _forget(href)
        return _read(href, work)


def forget(href: str) -> None:
    """Have GDAL ask for a remote file anew, as for one that has changed."""
    with rasterio.Env(**_UNCACHED, **http_options()):
        _forget(href)


def _forget(href: str) -> None:
    with suppress(RasterioError), open_raster(href):
        pass
