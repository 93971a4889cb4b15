"""Rasters opened for reading, here and on other machines: what fails on the way is tried again, what is wrong
with the file is said.
"""

from __future__ import annotations

import logging
import re
import time
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

import rasterio
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from pipeline.errors import SourceUnreadableError
from pipeline.remote import is_remote, without_secrets

T = TypeVar("T")

PAUSES = (0.5, 1.0, 2.0)
"""Seconds before a remote file is tried again; GDAL has tried each request some times itself by then."""

_FORGET = {"CPL_VSIL_CURL_NON_CACHED": "/vsicurl/:/vsis3/"}
_FINAL = re.compile(r"\b40[0134]\b|NoSuchKey|NoSuchBucket|AccessDenied|does not exist", re.IGNORECASE)

log = logging.getLogger(__name__)


def read_from(href: str, work: Callable[[Any], T]) -> T:
    """What `work` makes of the opened raster. Raises SourceUnreadableError, naming the file.

    A remote file that ends early, or holds what cannot be decoded, is opened again, GDAL's cache of it
    dropped.
    """
    for pause in (*(PAUSES if is_remote(href) else ()), None):
        try:
            return _read(href, work)
        except (RasterioError, IndexError) as error:
            reason = without_secrets(" ".join(str(error).split()))
            if pause is None or _FINAL.search(reason):
                mend = "check that it can be reached" if is_remote(href) else "copy or download it again"
                named = without_secrets(href)
                raise SourceUnreadableError(f"{named}: cannot be read ({reason}); {mend}.") from None
            log.info("%s: %s; tried again in %g s", without_secrets(href), reason, pause)
            time.sleep(pause)
            _forget(href)
    raise AssertionError("unreachable")


def _read(href: str, work: Callable[[Any], T]) -> T:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # said by errors of our own
        with rasterio.open(href, sharing=False) as source:
            return work(source)


def _forget(href: str) -> None:
    """GDAL keeps what it was given, rubbish too; a file that it is told not to cache it drops on closing."""
    with rasterio.Env(**_FORGET):
        try:
            with rasterio.open(href, sharing=False):
                pass
        except RasterioError:
            pass
