"""Paths with {date} in them: which days there are, and the files of one day."""

from __future__ import annotations

import glob
import re
from datetime import date
from pathlib import Path

PLACE = "{date}"
FORMS = ("%Y-%m-%d", "%Y%m%d")
_DAY = r"\d{4}-\d{2}-\d{2}|\d{8}"


def is_dated(pattern: str) -> bool:
    """Whether the day stands in the path."""
    return PLACE in pattern


def dated_paths(folder: Path, pattern: str, day: str) -> list[Path]:
    """What `pattern`, from `folder`, names for a day (YYYY-MM-DD, in the path also YYYYMMDD); sorted."""
    found: set[Path] = set()
    for form in FORMS:
        found |= _glob(folder, pattern.replace(PLACE, date.fromisoformat(day).strftime(form)))
    return sorted(found)


def dates_in(folder: Path, pattern: str) -> tuple[str, ...]:
    """All days (YYYY-MM-DD) for which `pattern` names something, in order."""
    matcher = re.compile(_regex(_absolute(folder, pattern)))
    days = set()
    for path in _glob(folder, pattern.replace(PLACE, "*")):
        match = matcher.fullmatch(path.as_posix())
        if match and (day := _valid(match["date"])):
            days.add(day)
    return tuple(sorted(days))


def _glob(folder: Path, pattern: str) -> set[Path]:
    # The folder is no pattern, though its name may hold [ or *.
    whole = pattern if Path(pattern).is_absolute() else f"{glob.escape(str(folder))}/{pattern}"
    return {Path(match) for match in glob.glob(whole, recursive=True)}  # noqa: PTH207


def _absolute(folder: Path, pattern: str) -> list[str]:
    """The pattern cut at what has a meaning in it; the folder before it taken as it is."""
    head = "" if Path(pattern).is_absolute() else re.escape((folder / "_").as_posix()[:-1])
    return [head, *re.split(r"(\{date\}|\*\*/|\*|\?|\[[^]]+\])", pattern)]


def _regex(parts: list[str]) -> str:
    meaning = {"**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]"}
    seen = False
    out = parts[:1]
    for part in parts[1:]:
        if part == PLACE:
            out.append("(?P=date)" if seen else f"(?P<date>{_DAY})")
            seen = True
        elif part.startswith("[") and part.endswith("]"):
            inside = part[1:-1].replace("[", r"\[")
            out.append(f"[^{inside[1:]}]" if inside.startswith("!") else f"[{inside}]")
        else:
            out.append(meaning.get(part, re.escape(part)))
    return "".join(out)


def _valid(text: str) -> str | None:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return None
