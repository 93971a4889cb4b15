"""Keeps credentials out of site files, messages, logs and records."""

from __future__ import annotations

import logging
import re
from urllib.parse import parse_qsl, unquote, urlsplit

_GDAL_URL = re.compile(r"/vsicurl\?(?:\w+=[^&\s]*&)*url=([^&\s'\"]+)")
_URL = re.compile(
    r"\b(https?|s3)://(?:[^/\s@'\"]*@)?([^\s?'\"<>]+)(?:\?[^\s'\"<>)]*?(?=[:;,.]?(?:[\s'\"<>)]|$)))?"
)
_QUOTED_QUERY = re.compile(r"%3F[^\s:;,'\")]*")  # GDAL cuts its names, and tells the end
_SECRET = re.compile(
    r"token|sig|key|secret|passw|pwd|auth|credential|session|connection_string|cookie|headers|_sas",
    re.IGNORECASE,
)


def without_secrets(text: str) -> str:
    """Text whose URLs have neither user nor query left, in which signatures and tokens are. GDAL's names of
    remote files become their URLs.
    """
    if "://" not in text and "/vsicurl" not in text and "%3F" not in text:
        return text
    plain = _GDAL_URL.sub(lambda found: unquote(found[1]), text)
    return _QUOTED_QUERY.sub("", _URL.sub(r"\1://\2", plain))


def holds_secret(url: str) -> bool:
    """Whether a URL carries a user, or a parameter that is named as tokens and signatures are."""
    parts = urlsplit(url)
    return "@" in parts.netloc or any(names_secret(name) for name, _ in parse_qsl(parts.query, True))


def names_secret(name: str) -> bool:
    """Whether a parameter or a setting of this name is one that holds a secret."""
    return bool(_SECRET.search(name))


class SecretiveFormatter(logging.Formatter):
    """Lines of a log, tracebacks too, without secrets."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return without_secrets(super().format(record))
