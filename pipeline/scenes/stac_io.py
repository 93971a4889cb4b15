"""Talking to STAC catalogues: what fails on the way, or comes back as rubbish, is asked again."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pystac
from pystac_client.exceptions import APIError
from pystac_client.stac_api_io import StacApiIO
from urllib3 import Retry

from pipeline.errors import NotAllowedError
from pipeline.remote import is_url
from pipeline.secrecy import without_secrets
from pipeline.texts import parsed_json, read_text
from pipeline.web import session

ATTEMPTS = 5
BACK_OFF = 0.5  # seconds, twice as long each time
TIMEOUT = (10.0, 60.0)  # seconds to connect, and to wait for the next bytes
_WEB = ("http", "https")
_BUSY = (429, 500, 502, 503, 504)

log = logging.getLogger(__name__)


class PatientIO(StacApiIO):
    """pystac-client's, with retries after a pause for all that may pass: no answer, a busy server, half an
    answer, an answer that is no JSON, or a page of a search without Items. Raises APIError.

    `home`: the catalogue's address, whose server alone gets the `headers`. What a catalogue on the web leads
    to is on the web: raises NotAllowedError for its links to files of this machine.
    """

    def __init__(self, home: str, headers: Mapping[str, str] | None = None) -> None:
        busy = Retry(
            total=None,
            connect=0,  # with what else goes wrong on the way below, where an answer that breaks off is seen
            read=0,
            other=0,
            status=ATTEMPTS - 1,
            status_forcelist=_BUSY,
            allowed_methods=None,  # all: a search changes nothing, though it is a POST
            backoff_factor=BACK_OFF,
            raise_on_status=False,
        )
        super().__init__(timeout=TIMEOUT)
        self.session = session(home, headers, busy)
        self._afar = is_url(home)

    def update(self, *args: Any, **given: Any) -> None:
        """pystac-client calls this again when it opens a catalogue, without a timeout."""
        super().update(*args, **{**given, "timeout": TIMEOUT})

    def read_text(self, source: pystac.link.HREF, *args: Any, **given: Any) -> str:
        """The text that a link leads to. Raises APIError, NotAllowedError or OSError."""
        href = str(source.href if isinstance(source, pystac.Link) else source)
        if urlsplit(href).scheme in _WEB:
            text: str = super().read_text(source, *args, **given)
            return text
        if self._afar or "://" in href.removeprefix("file://"):
            raise NotAllowedError(
                f"{without_secrets(href)}: a link of a catalogue that is not followed; only those to "
                f"https:// and http:// are{'' if self._afar else ', and to files'}"
            )
        return read_text(Path(href.removeprefix("file://")))

    def request(self, href: str, *args: Any, **given: Any) -> str:
        """The text of an answer, which is a JSON object. Raises APIError."""
        for attempt in range(ATTEMPTS):
            try:
                text: str = super().request(href, *args, **given)
                fault = _fault(text)
            except APIError as error:
                if isinstance(error.__context__, NotAllowedError):
                    raise error.__context__ from None
                if getattr(error, "status_code", None):  # an answer; a busy server was asked again already
                    raise
                fault = str(error)
            if fault is None:
                return text
            if attempt < ATTEMPTS - 1:
                pause = BACK_OFF * 2**attempt
                log.info("%s: %s; asked again in %g s", without_secrets(href), fault, pause)
                time.sleep(pause)
        raise APIError(f"{fault}, {ATTEMPTS} times")


def _fault(text: str) -> str | None:
    """What is wrong with an answer as a part of a catalogue; None where nothing is."""
    try:
        answer = parsed_json(text)
    except ValueError:
        return "the answer is not JSON"
    if not isinstance(answer, dict):
        return "the answer is no JSON object"
    # A page without the list would pass for the last one.
    if "collections" not in answer and "type" not in answer:
        return "the answer is no part of a catalogue"
    if answer.get("type") == "FeatureCollection" and not isinstance(answer.get("features"), list):
        return "the page holds no list of Items"
    return None
