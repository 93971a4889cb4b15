"""Rasters opened for reading, here and on other machines: what fails on the way is tried again, what is wrong
with the file is said.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import rasterio
from rasterio.errors import RasterioError

from pipeline.errors import SourceUnreadableError
from pipeline.remote import http_options, is_remote
from pipeline.secrecy import without_secrets

T = TypeVar("T")

PAUSES = (0.5, 1.0, 2.0)
"""Seconds before a remote file is opened again; GDAL has tried each request some times itself by then."""

_UNCACHED = {"CPL_VSIL_CURL_NON_CACHED": "/vsicurl/:/vsis3/"}
_FINAL = re.compile(r"response code: 4(?!08|25|29)\d\d|NoSuchKey|NoSuchBucket|AccessDenied", re.IGNORECASE)

log = logging.getLogger(__name__)


def read_from(href: str, work: Callable[[Any], T]) -> T:
    """What `work` makes of the opened raster. Raises SourceUnreadableError, naming the file."""
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
        return _read(href, work)
    with rasterio.Env(**http_options()):
        for pause in PAUSES:
            try:
                return _read(href, work)
            except (RasterioError, IndexError) as error:
                if _FINAL.search(str(error)):
                    raise
                log.info("%s: %s; opened again in %g s", without_secrets(href), reason(error), pause)
            time.sleep(pause)
            _forget(href)
        return _read(href, work)


def reason(error: Exception) -> str:
    """GDAL's words in one line, without secrets."""
    return without_secrets(" ".join(str(error).split()) or type(error).__name__).rstrip(".")


def _read(href: str, work: Callable[[Any], T]) -> T:
    with rasterio.open(href, sharing=False) as source:
        return work(source)


def _forget(href: str) -> None:
    """GDAL keeps what it was given, rubbish too; of a file that is not to be cached until it is closed."""
    with rasterio.Env(**_UNCACHED), suppress(RasterioError), rasterio.open(href, sharing=False):
        pass
