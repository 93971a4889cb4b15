"""Error of the shift field on the sample tiles, and the time it takes beside reading the images once."""

from __future__ import annotations

from pathlib import Path

from benchmarks.align import measure, samples
from benchmarks.options import Options
from benchmarks.report import Row, Table

TITLE = "error and time of alignment beside reading"
_COLUMNS = (
    "status", "points", "residual_before_px", "residual_px", "median_px", "rmse_px", "worst_px", "read_s",
    "align_s", "ratio",
)  # fmt: skip
_NOTE = (
    "`residual`: at tie points kept out of the fit. `median`, `rmse`, `worst`: against the known shift. "
    "`ratio`: seconds to align over seconds to read both images."
)


def tables(options: Options) -> list[Table]:
    """Every pair of dates of the sample sites, or the first."""
    pairs = list(samples())[: 1 if options.quick else None]
    return [Table("Sample tiles", [_row(*pair) for pair in pairs], (_NOTE,))]


def _row(before: str, after: str, truth: dict[str, object]) -> Row:
    found = measure(before, after, truth)
    name = f"{Path(before).parent.name} {Path(before).name} to {Path(after).name}"
    return {"pair": name} | {column: found.get(column) for column in _COLUMNS}
