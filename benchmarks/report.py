"""What a benchmark gives back, and how it is written down: RESULTS.md, a section a benchmark."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Row = Mapping[str, object]
"""A line of a table by column: text, whole numbers, floats, or None where there is nothing to say."""

_HEAD = """# What was measured

Written by `python -m benchmarks` (`make bench`); running one benchmark replaces its own section only. Times
and memory hang on the machine and on what else it was doing, so what counts are ratios taken within one run.
"""


@dataclass(frozen=True)
class Table:
    """Rows under one heading. `notes`: what a reader must know of them; `failures`: what must not be."""

    title: str
    rows: Sequence[Row]
    notes: Sequence[str] = ()
    failures: Sequence[str] = ()

    def markdown(self) -> str:
        """The heading, the rows, then failures and notes."""
        parts = [f"### {self.title}", ""]
        if self.rows:
            columns = list(dict.fromkeys(name for row in self.rows for name in row))
            numeric = [any(isinstance(row.get(c), int | float) for row in self.rows) for c in columns]
            parts.append(_line(columns))
            parts.append(_line(["---:" if n else "---" for n in numeric]))
            parts += [_line([_cell(row.get(c)) for c in columns]) for row in self.rows]
        for text in (*(f"**Failed:** {text}" for text in self.failures), *self.notes):
            parts += ["", text]
        return "\n".join(parts) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
    return " ".join(str(value).split()).replace("|", "\\|")


def write_section(
    path: Path, name: str, title: str, about: str, tables: Sequence[Table], order: Sequence[str]
) -> None:
    """Put the section `name` in the file in place of the one it has; sections stand in the given order."""
    sections = _sections(path)
    sections[name] = "\n".join([f"## {name}: {title}", "", about, "", *(t.markdown() for t in tables)])
    known = [key for key in (*order, *sorted(set(sections) - set(order))) if key in sections]
    text = "\n".join([_HEAD, *(sections[key].rstrip() + "\n" for key in known)])
    partial = path.with_name(f".{path.name}.part")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def _sections(path: Path) -> dict[str, str]:
    """{name: its text, heading and all} of the file as it is; empty where there is none."""
    if not path.is_file():
        return {}
    parts = re.split(r"^(?=## )", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {part[3:].split(":", 1)[0]: part for part in parts}
