"""Text files and answers that others wrote: read whole or not at all, JSON only as deep as is meant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.errors import NotAllowedError
from pipeline.trust import trust, variable


def read_text(path: Path, limit: str = "max_answer_mb") -> str:
    """UTF-8 text, without a byte order mark. `limit`: the field of `Trust` with the most megabytes.

    Raises NotAllowedError for a longer file, OSError, or ValueError where it is no text.
    """
    most: int = getattr(trust(), limit)
    if path.exists() and not path.is_file():  # a pipe or a device might never end
        raise OSError("not a file")
    if path.stat().st_size > most * 1_000_000:
        raise NotAllowedError(
            f"{path}: larger than {most} MB; check the file, or set {variable(limit)} higher"
        )
    return path.read_text(encoding="utf-8-sig")


def parsed_json(text: str) -> Any:
    """The value of a JSON text. Raises ValueError, also where it is nested too deep or holds NaN."""
    try:
        return json.loads(text, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
