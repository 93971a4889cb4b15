"""The day an image was taken, from tags or from its name. ISO 8601 dates, "YYYY-MM-DD"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path

TAGS = (
    "ACQUISITIONDATETIME", "ACQUISITION_DATE", "ACQUISITIONDATE", "DATE_ACQUIRED", "SENSING_TIME",
    "EXIF_DATETIMEORIGINAL",
)  # fmt: skip
# Year, month and day with one separator or none; not inside a longer number, but for a time of six digits
# behind it.
_DAY = re.compile(
    r"(?<!\d)((?:19|20)\d\d)([-_.:/]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?=\d{6}(?!\d)|\D|$)"
)


def find_date(text: str) -> str | None:
    """The first valid calendar day in `text`, as YYYY-MM-DD."""
    for year, _, month, day in _DAY.findall(text):
        try:
            return date(int(year), int(month), int(day)).isoformat()
        except ValueError:
            continue
    return None


def date_of(path: Path, tags: Mapping[str, str]) -> str | None:
    """Acquisition tags first, then the file's and its folder's name, last the TIFF tag."""
    upper = {key.upper(): value for key, value in tags.items()}
    # TIFFTAG_DATETIME comes last, as it is often the time of writing.
    named = [path.name, path.absolute().parent.name, upper.get("TIFFTAG_DATETIME", "")]
    texts = [*[upper.get(tag, "") for tag in TAGS], *named]
    return next((day for day in map(find_date, texts) if day), None)
