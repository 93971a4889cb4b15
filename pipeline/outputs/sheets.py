"""Tables as CSV that a spreadsheet opens as text and numbers, and never as formulas.

A cell that begins with =, +, -, @, a tab or a carriage return is taken for a formula by spreadsheets, which
may then fetch or run what it names (OWASP: CSV injection). Such a text gets an apostrophe before it.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

_FORMULA = ("=", "+", "-", "@", "\t", "\n", "＝", "＋", "－", "＠")


def csv_text(table: pd.DataFrame) -> str:
    """The table (no index) with Unix line ends; texts are safe, numbers as they are."""
    safe = table.copy()
    for name in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[name]):
            safe[name] = safe[name].map(_as_text, na_action="ignore")
    return str(safe.to_csv(index=False, lineterminator="\n"))


def _as_text(value: Any) -> Any:
    """Pandas does not quote a carriage return, behind which a reader would begin a new row."""
    if not isinstance(value, str):
        return value
    text = value.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
