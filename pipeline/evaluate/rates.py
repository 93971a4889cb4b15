"""Shares that are null where there is nothing to divide by."""

from __future__ import annotations

from typing import Any


def rate(part: Any, whole: Any) -> float | None:
    """part / whole to four decimals."""
    return round(float(part) / float(whole), 4) if whole else None


def f1(precision: float | None, recall: float | None) -> float | None:
    """Harmonic mean of precision and recall."""
    if precision is None or recall is None:
        return None
    return round(2 * precision * recall / (precision + recall), 4) if precision + recall else 0.0
