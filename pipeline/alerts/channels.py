"""Ways to tell someone: each takes an alert, or raises DeliveryError with a reason that holds no secret."""

from __future__ import annotations

import base64
import fcntl
import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline import __version__
from pipeline.errors import DeliveryError, NotAllowedError

_TIMEOUT_S = (10, 30)  # to connect, and between bytes of the answer
_TRY_LATER = {408, 425, 429, 500, 502, 503, 504}


def add_line(path: Path, told: dict[str, Any]) -> None:
    """Add the alert as a line of JSON, unless the file has it already: a cut-off send can be repeated.

    Safe against others that add to the same file by this function. A last line without an end is the rest of
    one that was cut off, and is taken away.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            stream.seek(0)
            known = stream.read()
            whole = known[: known.rfind(b"\n") + 1]
            if told["id"].encode() in whole:
                return
            stream.truncate(len(whole))
            stream.write(json.dumps(told, ensure_ascii=False).encode() + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise DeliveryError(f"cannot be written ({error.strerror}); free it, or name another file") from error


def post(url: str, told: dict[str, Any], pictures: Sequence[Path]) -> None:
    """POST the alert as JSON; the pictures are in `attachments`, as Apprise's json:// has them.

    `Idempotency-Key` is the alert's id (draft-ietf-httpapi-idempotency-key-header): the same for each repeat.
    """
    import requests

    from pipeline.web import session

    headers = {"Idempotency-Key": told["id"], "User-Agent": f"groundbreak/{__version__}"}
    body = {**told, "attachments": [_attached(path) for path in pictures]}
    try:
        answer = session().post(url, json=body, headers=headers, timeout=_TIMEOUT_S, allow_redirects=False)
    except (requests.ConnectionError, requests.Timeout) as error:
        raise DeliveryError(f"no answer ({type(error).__name__})", later=True) from None
    except NotAllowedError as error:
        raise DeliveryError(str(error)) from None
    except (requests.RequestException, ValueError) as error:
        raise DeliveryError(f"not a usable web address ({type(error).__name__}); check it") from None
    if not answer.ok or answer.is_redirect:
        wait = answer.headers.get("Retry-After", "")
        raise DeliveryError(
            f"answered {answer.status_code}; check the address and the service",
            later=answer.status_code in _TRY_LATER,
            wait_s=float(wait) if wait.isdigit() else 0.0,
        )


def _attached(path: Path) -> dict[str, str]:
    picture = base64.b64encode(path.read_bytes()).decode("ascii")
    return {"filename": path.name, "base64": picture, "mimetype": "image/png"}


def notify(url: str, told: dict[str, Any], pictures: Sequence[Path]) -> None:
    """Hand the alert to the service that an Apprise URL names (https://github.com/caronc/apprise)."""
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # its messages may hold parts of the URL
    import apprise

    service = apprise.Apprise()
    if not service.add(url) or len(service) != 1:
        raise DeliveryError("not one Apprise URL; try it with: apprise -vv -b test URL")
    taken = service.notify(
        told["text"], told["title"], attach=[str(path) for path in pictures] or None, body_format="text"
    )
    if not taken:
        raise DeliveryError("the service did not take it; try it with: apprise -vv -b test URL", later=True)
